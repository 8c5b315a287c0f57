"""`refengine explain --prefilter`: what the kernel decides of each rule, and what is left to the interpreter."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from typing import Any

from refengine.backends.precondition import AllOf, AnyOf, Comparison, Decides, Precondition
from refengine.backends.registry import connect
from refengine.backends.target import Target
from refengine.condition.typed import fields_of
from refengine.interest import interest_of, precondition_of
from refengine.output.escape import single_line
from refengine.rulefile.rule import Rule
from refengine.terminal import Style

_BACKEND = "ebpf"
_SHOWN = 4
"""Constants of a comparison that are shown, before they are only counted."""


def show(rules: Iterable[Rule], *, as_json: bool) -> None:
    """Print what the eBPF backend's prefilters make of `rules`: one by one, then joined by event type."""
    decides = connect(_BACKEND, Target()).backend.capabilities.decides
    assert decides is not None, "the backend has prefilters"
    rules = tuple(rule for rule in rules if rule.source == "syscall")
    found = [_Explained(rule, decides) for rule in rules]
    joined = _joined(rules, decides)
    if as_json:
        print(json.dumps({"rules": [rule.as_json() for rule in found], "event_types": joined}, indent=2))
        return
    style = Style.of(sys.stdout)
    for rule in found:
        print(rule.as_text(style))
    print(style.bold("All rules together"))
    for name, words in joined.items():
        print(f"  {name}: {words}")


class _Explained:
    """A rule, its precondition by event types, and the fields that some comparison is left of."""

    def __init__(self, rule: Rule, decides: Decides) -> None:
        self._rule = rule
        self._by_words: dict[str, list[str]] = {}
        decided: set[str] = set()
        refused: set[str] = set()

        def noting(event_type: str, comparison: Comparison) -> bool:
            answer = decides(event_type, comparison)
            (decided if answer else refused).add(comparison.field)
            return answer

        for name in sorted(rule.event_types):
            words = in_words(precondition_of(rule, name, noting))
            self._by_words.setdefault(words, []).append(name)
        read = dict.fromkeys(field.key for field in fields_of(rule.condition))
        # Comparisons of these two are decided when rules are sorted by the events that they are about.
        known = decided - refused | {"evt.type", "evt.num"}
        self._left = [key for key in read if key not in known]

    def as_text(self, style: Style) -> str:
        lines = [style.bold(single_line(self._rule.name))]
        lines += [f"  kernel, {', '.join(names)}: {words}" for words, names in self._by_words.items()]
        lines.append(f"  left: {', '.join(self._left) or 'nothing'}")
        return "\n".join(lines)

    def as_json(self) -> dict[str, Any]:
        kernel = [{"event_types": names, "formula": words} for words, names in self._by_words.items()]
        return {"rule": self._rule.name, "kernel": kernel, "left": self._left}


def _joined(rules: tuple[Rule, ...], decides: Decides) -> dict[str, str]:
    """Return in words, by event type, what becomes of events when all rules that are enabled are joined."""
    interest = interest_of((rule for rule in rules if rule.enabled), decides)
    if interest.event_types is None:
        return {"every type": "every event passes"}
    found = {}
    for name in sorted(interest.event_types):
        precondition = interest.preconditions.get(name, True)
        if isinstance(precondition, bool):
            found[name] = "every event passes" if precondition else "no event passes"
        else:
            fields = sorted({comparison.field for comparison in comparisons(precondition)})
            found[name] = f"decided by {', '.join(fields)}"
    return found


def comparisons(precondition: Precondition) -> Iterator[Comparison]:
    """Yield every comparison of a precondition."""
    if isinstance(precondition, Comparison):
        yield precondition
    elif not isinstance(precondition, bool):
        for part in precondition.parts:
            yield from comparisons(part)


def in_words(precondition: Precondition) -> str:
    """Return a precondition as a condition, long lists cut short."""
    if isinstance(precondition, bool):
        return "every event passes" if precondition else "no event passes"
    if isinstance(precondition, Comparison):
        return _comparison(precondition)
    word = " and " if isinstance(precondition, AllOf) else " or "
    parts = [in_words(part) for part in precondition.parts]
    inner = [
        f"({text})" if isinstance(part, AllOf | AnyOf) else text
        for part, text in zip(precondition.parts, parts, strict=True)
    ]
    return word.join(dict.fromkeys(inner))


def _comparison(comparison: Comparison) -> str:
    shown = [
        str(constant).lower() if isinstance(constant, bool) else single_line(str(constant))
        for constant in comparison.constants[:_SHOWN]
    ]
    more = len(comparison.constants) - len(shown)
    if more > 0:
        shown.append(f"… {more} more")
    value = f"({', '.join(shown)})" if len(comparison.constants) != 1 else shown[0]
    text = f"{comparison.field} {comparison.operator} {value}"
    return text if comparison.holds else f"not {text}"
