"""Draw the grammars as railroad diagrams: one SVG a production, and a page that shows them all.

Needs `railroad-diagrams` from PyPI. Usage: `python docs/diagrams.py [FOLDER]`, by default `docs/diagrams/`.
"""

from __future__ import annotations

import html
import sys
from pathlib import Path
from typing import Any

import railroad

from refengine.grammar.notation import (
    Characters,
    Choice,
    Expression,
    Literal,
    Name,
    Series,
    read_grammar,
)

ROOT = Path(__file__).resolve().parents[1]


def drawn(expression: Expression) -> Any:
    """Return the diagram's item for a part of a production."""
    if isinstance(expression, Literal):
        return railroad.Terminal(
            expression.text if expression.text.isprintable() else repr(expression.text)[1:-1]
        )
    if isinstance(expression, Characters):
        return railroad.Terminal(expression.source)
    if isinstance(expression, Name):
        return railroad.NonTerminal(expression.name, href=f"#{expression.name}")
    if isinstance(expression, Series):
        return (
            railroad.Sequence(*map(drawn, expression.items))
            if expression.items
            else railroad.Comment("end of text")
        )
    if isinstance(expression, Choice):
        return railroad.Choice(0, *map(drawn, expression.items))
    item = drawn(expression.item)
    if expression.times == "?":
        return railroad.Optional(item)
    return railroad.ZeroOrMore(item) if expression.times == "*" else railroad.OneOrMore(item)


def diagram(expression: Expression) -> Any:
    """Return the diagram of a production."""
    return railroad.Diagram(drawn(expression))


def main(arguments: list[str]) -> int:
    """Write the diagrams into the folder that is named, and return the exit code."""
    folder = Path(arguments[0]) if arguments else ROOT / "docs" / "diagrams"
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("condition", "template"):
        page = [
            "<!doctype html>",
            f"<title>Grammar of {name}s</title>",
            f"<style>{railroad.DEFAULT_STYLE}</style>",
        ]
        for production, expression in read_grammar(ROOT / "grammar" / f"{name}.ebnf").items():
            drawing = diagram(expression)
            target = folder / f"{name}-{production}.svg"
            with target.open("w", encoding="utf-8") as out:
                drawing.writeStandalone(out.write)
            page.append(f'<h3 id="{production}">{html.escape(production)}</h3>')
            parts: list[str] = []
            drawing.writeSvg(parts.append)
            page.append("".join(parts))
        (folder / f"{name}.html").write_text("\n".join(page) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
