"""What is compiled on its own: the part that is the same for all rules, and prefilters in as many parts as are quickest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from refengine.backends.ebpf.compiler import Request, read_program
from refengine.backends.ebpf.prefilter.program import Prefilters

_FIXED_WEIGHT: Final = 6000
"""How long the part that is the same for all rules takes to compile, in characters of prefilters."""

_PART_WEIGHT: Final = 4000
"""How long a part takes with nothing of its own in it."""


class Requests(NamedTuple):
    """The parts that have to be there before anything can be watched, and those that may come `later`."""

    first: tuple[Request, ...]
    later: tuple[Request, ...]


def requests(prefilters: Prefilters, *, raw: bool, processors: int) -> Requests:
    """Return all parts; the second parts of prefilters may come later.

    With `raw` the programs are for the one tracepoint of all exits. Each part has to read the same headers, so that there are
    only as many as `processors` can make at once, each as much work as the others.
    """
    flags = (f"-DBY_RAW_TRACEPOINT={int(raw)}",)
    beginning = read_program("prefilters.c")

    def of(texts: Mapping[str, str], beside: int) -> tuple[Request, ...]:
        groups = grouped(texts, processors, beside)
        return tuple(
            Request("\n".join((beginning, *map(texts.__getitem__, group))), flags) for group in groups
        )

    first = {name: text for name, text in prefilters.texts.items() if name not in prefilters.parts}
    second = {name: text for name, text in prefilters.texts.items() if name in prefilters.parts}
    return Requests((Request(read_program("main.c"), flags), *of(first, _FIXED_WEIGHT)), of(second, 0))


def grouped(texts: Mapping[str, str], processors: int, beside: int) -> list[list[str]]:
    """Return the names of `texts` in groups, a processor's each; the last one has work of a weight of `beside` to do as well."""
    groups: list[list[str]] = [[] for _ in range(processors)]
    loads = [0] * (processors - 1) + [beside]
    for name in sorted(texts, key=lambda name: -len(texts[name])):
        costs = [load + (0 if group else _PART_WEIGHT) for load, group in zip(loads, groups, strict=True)]
        place = costs.index(min(costs))
        groups[place].append(name)
        loads[place] = costs[place] + len(texts[name])
    return [group for group in groups if group]
