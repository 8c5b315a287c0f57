"""The grammars as pages: each production as a railroad diagram, and the text that is normative."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from pathlib import Path

from diagrams import diagram

from builder.markdown import block, page
from refengine.grammar.notation import Expression, productions, read_grammar

GRAMMARS: Mapping[str, str] = {
    "condition": "Grammar of conditions",
    "template": "Grammar of output templates",
}


def grammar_pages(grammar: Path) -> dict[str, str]:
    """Return the pages by their names."""
    places: dict[str, str] = {}
    for grammar_name in GRAMMARS:
        for production in productions(grammar / f"{grammar_name}.ebnf"):
            places.setdefault(production, f"grammar-{grammar_name}s.html#{production.lower()}")
    return {
        f"spec/grammar-{name}s": _page(grammar / f"{name}.ebnf", title, places)
        for name, title in GRAMMARS.items()
    }


def _page(path: Path, title: str, places: Mapping[str, str]) -> str:
    texts = productions(path)
    targets = {**places, **{name: f"#{name.lower()}" for name in texts}}
    parts = []
    for name, expression in read_grammar(path).items():
        parts += [f"### {name}", _drawing(name, expression, texts[name], targets)]
    return page(
        title,
        f"Drawn from `grammar/{path.name}`, whose text is [below](#the-text). A diagram is read along its lines, from the left; boxes with "
        "square corners are other productions, and lead to them.",
        "## Diagrams",
        *parts,
        "## The text",
        block(path.read_text(encoding="utf-8"), "w3c-ebnf"),
    )


def _drawing(name: str, expression: Expression, text: str, targets: Mapping[str, str]) -> str:
    """Return a diagram as HTML, with the production's text for those who do not see it."""
    parts: list[str] = []
    diagram(expression).writeSvg(parts.append)
    svg = re.sub(
        r'xlink:href="#(\w+)"', lambda link: f'href="{targets[link[1]]}"', "".join(parts).replace("\n", "")
    )
    label = html.escape(f"{name} ::= {text}", quote=True)
    svg = svg.replace("<svg ", f'<svg role="img" aria-label="{label}" ', 1)
    return f'<div class="railroad" tabindex="0">{svg}</div>'
