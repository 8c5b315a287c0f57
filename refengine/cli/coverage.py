"""Which rules a backend cannot evaluate, or only in part, and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from refengine.backends.base import Backend
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
    if capabilities.event_types is not None:
        names = [rule.name for rule in rules if not rule.event_types & capabilities.event_types]
        if names:
            yield f"the {backend.name} backend sees none of the event types that they need, so {_not_evaluated(names)}"
    for field, reason in capabilities.absent_fields.items():
        names = [
            rule.name for rule in rules if any(read.field.name == field for read in fields_of(rule.condition))
        ]
        if names:
            yield f"field '{field}' is absent under the {backend.name} backend ({reason}), which matters to {_named(names)}"


def _not_evaluated(names: list[str]) -> str:
    verb = "is" if len(names) == 1 else "are"
    return f"{_named(names)} {verb} not evaluated"


def _named(names: list[str]) -> str:
    shown = ", ".join(f"'{name}'" for name in names[:_SHOWN])
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{'rule' if len(names) == 1 else 'rules'} {shown}{more}"
