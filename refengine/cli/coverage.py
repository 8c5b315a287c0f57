"""Which rules a backend cannot evaluate, or only in part, and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from refengine.backends.base import Backend, Capabilities
from refengine.condition.event_types import ALL
from refengine.condition.typed import fields_of
from refengine.rulefile.rule import Rule

_SHOWN = 5


def coverage(all_rules: Iterable[Rule], rules: Iterable[Rule], backend: Backend) -> Iterator[str]:
    """Yield a sentence for every reason for which enabled rules are not, or not wholly, evaluated.

    `all_rules` are those loaded, `rules` the enabled ones of the backend's source.
    """
    rules = tuple(rules)
    capabilities = backend.capabilities
    others = [rule for rule in all_rules if rule.enabled and capabilities.source not in (None, rule.source)]
    for source in sorted({rule.source for rule in others}):
        names = [rule.name for rule in others if rule.source == source]
        yield f"the {backend.name} backend has no events of source {source}, so {_not_evaluated(names)}"
    yield from _event_types(rules, backend.name, capabilities)
    for field, reason in capabilities.absent_fields.items():
        names = [
            rule.name for rule in rules if any(read.field.name == field for read in fields_of(rule.condition))
        ]
        if names:
            yield f"field '{field}' is absent under the {backend.name} backend ({reason}), which matters to {_named(names)}"


def _event_types(rules: Sequence[Rule], name: str, capabilities: Capabilities) -> Iterator[str]:
    """Yield a sentence for the rules that see none of their events, and one for each set that others miss."""
    seen = capabilities.event_types
    if seen is None:
        return
    blind = [rule.name for rule in rules if not rule.event_types & seen]
    if blind:
        yield f"the {name} backend sees none of the event types that they need, so {_not_evaluated(blind)}"
    partly: dict[frozenset[str], list[str]] = {}
    for rule in rules:
        if rule.event_types & seen and not rule.event_types >= ALL:
            missed = rule.event_types - seen - capabilities.told_as_another.keys()
            if missed:
                partly.setdefault(frozenset(missed), []).append(rule.name)
    for missed, names in partly.items():
        verb = "is" if len(names) == 1 else "are"
        yield f"the {name} backend does not see {_listed(sorted(missed))}, so {_named(names)} {verb} evaluated on other events only"


def _not_evaluated(names: list[str]) -> str:
    verb = "is" if len(names) == 1 else "are"
    return f"{_named(names)} {verb} not evaluated"


def _named(names: list[str]) -> str:
    quoted = [f"'{name}'" for name in names]
    return f"{'rule' if len(names) == 1 else 'rules'} {_listed(quoted)}"


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{', '.join(names[:_SHOWN])}{more}"
