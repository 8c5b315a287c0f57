"""Coverage as text, and as `lcov` tracefiles, which editors and build servers show."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from refengine.authoring.explaining.wording import written_text
from refengine.authoring.testing.coverage import Cell, RuleCoverage
from refengine.condition.typed import Existence, Test
from refengine.terminal import Style


def coverage_text(rules: Iterable[RuleCoverage], style: Style) -> str:
    """Return a line a rule, and below it the comparisons of which an outcome never decided anything."""
    rules = tuple(rules)
    lines = ["coverage of conditions (outcomes of comparisons that decided a verdict, and that were seen):"]
    width = max((len(covered.rule.name) for covered in rules), default=0)
    for covered in rules:
        decided, seen = covered.share(), covered.seen_share()
        held = (
            f"held for {covered.held} event{'' if covered.held == 1 else 's'}"
            if covered.held
            else "never held"
        )
        lines.append(
            f"  {covered.rule.name:<{width}}  {_share(*decided)} decided  {_share(*seen)} seen  {held}"
        )
        if decided[0] < decided[1]:
            lines.extend(f"    {line}" for line in _gaps(covered, style))
    decided = _sum(covered.share() for covered in rules)
    seen = _sum(covered.seen_share() for covered in rules)
    lines.append(f"  {'all rules':<{width}}  {_share(*decided)} decided  {_share(*seen)} seen")
    return "\n".join(lines) + "\n"


def lcov(rules: Iterable[RuleCoverage]) -> str:
    """Return a tracefile: a function for each rule, a branch for each outcome of a comparison, lines that have some."""
    files: dict[str, list[tuple[RuleCoverage, Cell]]] = defaultdict(list)
    names: dict[str, list[RuleCoverage]] = defaultdict(list)
    for covered in rules:
        names[covered.rule.definition.history[0].place.source.name].append(covered)
        for leaf in covered.root.leaves():
            if leaf.place is not None:
                files[leaf.place.source.name].append((covered, leaf))
    out: list[str] = []
    for name in sorted({*files, *names}):
        out += ["TN:", f"SF:{name}", *_functions(names[name]), *_branches(files[name]), "end_of_record"]
    return "\n".join(out) + "\n"


def gap(leaf: Cell) -> str | None:
    """Return in words which outcome of a comparison no test needs, None where tests need both."""
    missing = [verdict for verdict in (True, False) if not leaf.decided[verdict]]
    if not missing:
        return None
    if len(missing) == 2:
        seen = [str(verdict).lower() for verdict in (True, False) if leaf.seen[verdict]]
        return f"decided nothing{f' (it was {seen[0]} only)' if len(seen) == 1 else '' if seen else ' (it was never reached)'}"
    word = str(missing[0]).lower()
    return f"being {word} decided nothing" if leaf.seen[missing[0]] else f"was never {word}"


def _gaps(covered: RuleCoverage, style: Style) -> Iterator[str]:
    for leaf in covered.root.leaves():
        words = gap(leaf)
        if words is not None:
            assert isinstance(leaf.condition, Test | Existence)
            yield f"{written_text(leaf.condition)}  {style.yellow(words)}  [{leaf.place}]"


def _share(part: int, whole: int) -> str:
    return f"{part:>3} of {whole:>3} ({part / whole if whole else 1:4.0%})"


def _sum(shares: Iterable[tuple[int, int]]) -> tuple[int, int]:
    parts = list(shares)
    return sum(part for part, _ in parts), sum(whole for _, whole in parts)


def _functions(rules: list[RuleCoverage]) -> Iterator[str]:
    for covered in rules:
        line = covered.rule.definition.history[0].place.start.line
        yield f"FN:{line},{covered.rule.name}"
    for covered in rules:
        yield f"FNDA:{covered.held},{covered.rule.name}"
    yield f"FNF:{len(rules)}"
    yield f"FNH:{sum(covered.held > 0 for covered in rules)}"


def _branches(leaves: list[tuple[RuleCoverage, Cell]]) -> Iterator[str]:
    lines: dict[int, int] = defaultdict(int)
    branches: list[tuple[int, int, int, int, bool]] = []
    for block, (_, leaf) in enumerate(leaves):
        assert leaf.place is not None
        line = leaf.place.start.line
        reached = sum(leaf.seen.values())
        lines[line] = max(lines[line], reached)
        branches += [
            (line, block, number, leaf.decided[verdict], reached > 0)
            for number, verdict in enumerate((True, False))
        ]
    for line, block, number, count, reached_ in sorted(branches):
        yield f"BRDA:{line},{block},{number},{count if reached_ else '-'}"
    yield f"BRF:{len(branches)}"
    yield f"BRH:{sum(branch[3] > 0 for branch in branches)}"
    for line in sorted(lines):
        yield f"DA:{line},{lines[line]}"
    yield f"LF:{len(lines)}"
    yield f"LH:{sum(count > 0 for count in lines.values())}"
