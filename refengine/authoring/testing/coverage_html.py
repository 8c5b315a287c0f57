"""Coverage as one page of HTML: each rule's condition as a tree, coloured by what tests made of it."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from refengine.authoring.explaining.wording import written_text
from refengine.authoring.testing.coverage import Cell, RuleCoverage
from refengine.authoring.testing.coverage_text import gap
from refengine.condition.typed import AllOf, AnyOf, Existence, Macro, Test

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; color: #1c1c1c; }
table { border-collapse: collapse; } td, th { padding: .2rem .8rem; text-align: left; } tr:nth-child(even) { background: #f5f5f5; }
ul { list-style: none; border-left: 1px solid #ccc; margin: 0 0 0 .4rem; padding-left: 1rem; }
code { font: 13px/1.5 ui-monospace, monospace; } .both { background: #dff5df; } .part { background: #fff2cc; } .none { background: #fbdcdc; }
.counts { color: #666; font-size: 12px; margin-left: .6rem; } h2 { margin-top: 2.2rem; font-size: 1.1rem; }
"""


def coverage_html(rules: Iterable[RuleCoverage]) -> str:
    """Return the page."""
    rules = tuple(rules)
    rows = "\n".join(
        f'<tr><td><a href="#rule-{number}">{escape(covered.rule.name)}</a></td><td>{_percent(*covered.share())}</td>'
        f"<td>{_percent(*covered.seen_share())}</td><td>{covered.held}</td></tr>"
        for number, covered in enumerate(rules)
    )
    sections = "\n".join(
        f'<h2 id="rule-{number}">{escape(covered.rule.name)}</h2>\n'
        f"<div><code>{escape(str(covered.rule.definition.history[0].place))}</code></div>\n{_tree(covered.root)}"
        for number, covered in enumerate(rules)
    )
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>Coverage of conditions</title>'
        f"<style>{_STYLE}</style></head><body>\n<h1>Coverage of conditions</h1>\n"
        '<p>A comparison is <span class="both">covered</span> where tests need both of its outcomes: it was true and it was '
        'false, and each time its opposite would have turned the verdict around. It is <span class="part">half covered</span> '
        'where that holds for one outcome, <span class="none">not covered</span> where for none.</p>\n'
        f"<table><tr><th>rule</th><th>decided</th><th>seen</th><th>events it held for</th></tr>\n{rows}</table>\n"
        f"{sections}\n</body></html>\n"
    )


def _percent(part: int, whole: int) -> str:
    return f"{part / whole if whole else 1:.0%} ({part} of {whole})"


def _tree(cell: Cell) -> str:
    condition = cell.condition
    if isinstance(condition, Test | Existence):
        words = gap(cell)
        kind = "both" if words is None else "part" if any(cell.decided.values()) else "none"
        counts = f"true {cell.seen[True]}, false {cell.seen[False]}; decided {cell.decided[True]}, {cell.decided[False]}"
        remark = "" if words is None else f"; {words}"
        return (
            f'<div title="{escape(str(cell.place))}"><code class="{kind}">{escape(written_text(condition))}</code>'
            f'<span class="counts">{counts}{escape(remark)}</span></div>'
        )
    if isinstance(condition, AllOf):
        label = "all of"
    elif isinstance(condition, AnyOf):
        label = "any of"
    elif isinstance(condition, Macro):
        label = f"<code>{escape(condition.name)}</code>"
    else:
        label = "not"
    items = "".join(f"<li>{_tree(child)}</li>" for child in cell.children)
    return f"<div>{label}</div><ul>{items}</ul>"
