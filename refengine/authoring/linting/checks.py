"""All checks, and what they find in rules files."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

from refengine.authoring.finding import Finding, Severity, of_diagnostic
from refengine.authoring.linting import comparisons, lists, outdated, outputs, verdicts
from refengine.authoring.linting.subject import Check, Subject
from refengine.errors import Code, Diagnostic
from refengine.rulefile.loader import load
from refengine.rulefile.options import DEFAULTS, LoadOptions
from refengine.source import Source

CHECKS: Mapping[str, Check] = MappingProxyType(
    {
        check.name: check
        for check in (
            Check(
                "never-holds", Severity.WARNING, "A rule that can never raise an alert.", verdicts.never_holds
            ),
            Check(
                "always-holds",
                Severity.WARNING,
                "A condition that holds for every event.",
                verdicts.always_holds,
            ),
            Check(
                "dead-alternative",
                Severity.WARNING,
                "An alternative joined by 'or' that can never hold.",
                verdicts.dead_alternative,
            ),
            Check(
                "needless-exception",
                Severity.WARNING,
                "An exception that can never apply.",
                verdicts.needless_exception,
            ),
            Check(
                "shadowed-rule",
                Severity.WARNING,
                "A rule whose events an earlier rule takes, all of them.",
                verdicts.shadowed_rule,
            ),
            Check(
                "no-event-type",
                Severity.WARNING,
                "A rule that is evaluated on events of every type.",
                verdicts.no_event_type,
            ),
            Check(
                "unequal-absent",
                Severity.NOTE,
                "'!=' on a field that may be absent, where it is false.",
                comparisons.negated_absent,
            ),
            Check(
                "needless-regex",
                Severity.WARNING,
                "A regular expression where a plainer operator says the same.",
                comparisons.needless_regex,
            ),
            Check(
                "deprecated-field",
                Severity.WARNING,
                "A field that rules should no longer use.",
                outdated.deprecated_field,
            ),
            Check(
                "append-key", Severity.WARNING, "'append: true' instead of 'override'.", outdated.append_key
            ),
            Check(
                "duplicate-item", Severity.WARNING, "An item that a list has already.", lists.duplicate_item
            ),
            Check(
                "misspelt-list",
                Severity.WARNING,
                "A value that looks like the name of a list.",
                lists.misspelt_list,
            ),
            Check(
                "untold-field",
                Severity.NOTE,
                "An output without a field that the condition asks for.",
                outputs.untold_field,
            ),
            Check(
                "no-mitre-tag", Severity.NOTE, "A rule without a tag of MITRE ATT&CK.", outputs.no_mitre_tag
            ),
        )
    }
)
"""The checks by name; beside them there are the errors and warnings of the load, under their codes."""

_TOLD_BETTER = frozenset({Code.NO_EVTTYPE, Code.DEPRECATED_ITEM})
"""Warnings of a load that checks tell more exactly."""

ORDER = (Severity.ERROR, Severity.WARNING, Severity.NOTE)


def lint(
    files: Iterable[str | Path | Source],
    names: Collection[str] | None = None,
    options: LoadOptions = DEFAULTS,
) -> tuple[Finding, ...]:
    """Return what is found in rules files, loaded one after another; `names` are the checks, None meaning all.

    `options` are those of the load: fields that the configuration defines, say. Files that do not load are not looked at any further: their errors are what is found.
    """
    result = load(files, options)
    loaded = [of_diagnostic(found) for found in result.diagnostics if found.is_error or not _is_told(found)]
    if result.errors:
        return tuple(found for found in loaded if found.severity is Severity.ERROR)
    subject = Subject(result)
    found = [*loaded, *(finding for check in CHECKS.values() for finding in check.run(subject))]
    chosen = found if names is None else [finding for finding in found if finding.check in names]
    return tuple(sorted(_once(chosen), key=_position))


def _is_told(found: Diagnostic) -> bool:
    """Return whether a check tells what a warning of the load says."""
    if found.code is Code.DEPRECATED_ITEM:
        return found.message.startswith(("field '", "'append'"))
    return found.code in _TOLD_BETTER or (
        found.code is Code.CONDITION_WARNING and found.message.startswith("regex '")
    )


def _once(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Yield each finding once, though a macro that many rules use brings it up for each of them."""
    seen: set[object] = set()
    for finding in findings:
        place = finding.place
        key = (finding.check, finding.message, place and (place.source.name, place.span))
        if key not in seen:
            seen.add(key)
            yield finding


def _position(finding: Finding) -> tuple[str, int, str]:
    if finding.place is None:
        return ("", 0, finding.check)
    return (finding.place.source.name, finding.place.span.start, finding.check)
