"""`-L` and `-l`: what the rules, macros and lists say and use."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable

from refengine.cli.arguments import meant
from refengine.cli.describe_details import Describer
from refengine.cli.load import load_rules
from refengine.cli.request import Request
from refengine.errors import UsageError
from refengine.output.escape import single_line, valid_unicode
from refengine.rulefile.loader import LoadResult

_NAMES = 50
_DESCRIPTIONS = 60


def run(request: Request) -> int:
    """Print the description of all rules or of one, as two columns or in JSON.

    :raises RulesError: when the rules do not load.
    :raises UsageError: when there is no rule of that name.
    """
    options, configuration = request.options, request.configuration
    result = load_rules(options, configuration)
    name = options.describe_rule
    if name is not None and all(rule.name != name for rule in result.rules):
        near = meant(name, (rule.name for rule in result.rules))
        raise UsageError(f"there is no rule '{name}'{near}")
    if configuration.format.json:
        print(json.dumps(as_record(result, name), ensure_ascii=False, separators=(",", ":"), sort_keys=True))
    else:
        shown = [(rule.name, rule.description) for rule in result.rules if name in (None, rule.name)]
        print("\n".join(as_text(shown)))
    return 0


def as_record(result: LoadResult, rule: str | None = None) -> dict[str, object]:
    """Return the description of everything loaded, or of one rule alone, as JSON values."""
    describer = Describer(result)
    rules = [describer.rule(each) for each in result.rules if rule in (None, each.name)]
    if rule is not None:
        return {"rules": rules}
    record: dict[str, object] = {
        "rules": rules,
        "macros": [describer.macro(each) for each in result.macro_definitions],
        "lists": [describer.list(each) for each in result.list_definitions],
    }
    versions = [each.version for each in result.engine_requirements]
    if versions:
        record["required_engine_version"] = str(max(versions))
    record["required_plugin_versions"] = [
        {
            "name": first.name,
            "version": first.version,
            "alternatives": [{"name": each.name, "version": each.version} for each in others],
        }
        for first, *others in (each.alternatives for each in result.plugin_requirements)
    ]
    return record


def as_text(rules: Iterable[tuple[str, str]]) -> list[str]:
    """Return the names and descriptions of rules as lines of two columns."""
    lines = [_row("Rule", "Description"), _row("----", "-----------")]
    for name, description in rules:
        wrapped = textwrap.wrap(valid_unicode(description), _DESCRIPTIONS) or [""]
        lines.append(_row(name, wrapped[0]))
        lines.extend(_row("", line) for line in wrapped[1:])
        lines.append("")
    return lines


def _row(name: str, description: str) -> str:
    return f"{single_line(name):<{_NAMES}} {single_line(description)}".rstrip()
