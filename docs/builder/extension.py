"""What Sphinx has to know besides: places for the clauses of the specification, and links from names to where they are explained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

from builder.clauses import ANCHOR, Clause, read_clauses
from builder.field_pages import places
from builder.lexers import LEXERS
from refengine.errors import Code

_NO_LINKS = (nodes.reference, nodes.title, nodes.literal_block, nodes.caption)


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect this extension to Sphinx."""
    for name, lexer in LEXERS.items():
        app.add_lexer(name, lexer)
    linker = _Linker(app)
    app.connect("doctree-resolved", linker.resolve)
    app.connect("autodoc-process-signature", _without_factories)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _without_factories(
    _app: Sphinx,
    _what: str,
    _name: str,
    _object: Any,
    _options: Any,
    signature: str | None,
    returned: str | None,
) -> tuple[str | None, str | None]:
    """Put an ellipsis for defaults that are made anew each time, which Python shows as no expression."""
    return (signature.replace("<factory>", "...") if signature else signature), returned


class _Linker:
    """Puts places and links into finished documents."""

    def __init__(self, app: Sphinx) -> None:
        self._app = app
        self._clauses = read_clauses(Path(app.confdir).parent / "spec")
        self._names = {name: (page, f"#{place}") for name, (page, place) in places().items()}
        self._names |= {
            str(code): ("reference/codes", f"#{str(code).lower().replace('_', '-')}") for code in Code
        }

    def resolve(self, app: Sphinx, doctree: nodes.document, page: str) -> None:
        """Change a document before it is written."""
        for paragraph in list(doctree.findall(nodes.paragraph)):
            self._mark_clause(paragraph, page)
        for text in list(doctree.findall(nodes.Text)):
            if text == " -- ":  # so autodoc writes a dash, which its clever quotes would make one
                text.parent.replace(text, nodes.Text(" \N{EN DASH} "))
            elif ANCHOR.search(text) and not _within(text, (*_NO_LINKS, nodes.literal)):
                self._link_clauses(text, page)
        for literal in list(doctree.findall(nodes.literal)):
            if literal.astext().startswith("-") and " " not in literal.astext():
                literal["classes"].append("option")
            elif not page.startswith("reference/fields/"):
                self._link_name(literal, page)

    def _mark_clause(self, paragraph: nodes.paragraph, page: str) -> None:
        """Give a clause its anchor as a place, and make what is shown of the anchor a link to it."""
        first = next((part for part in paragraph if part.astext()), None)
        if not isinstance(first, nodes.strong):
            return
        found = ANCHOR.fullmatch(first.astext())
        clause = self._clauses.get(found[1]) if found else None
        if clause is None or clause.page != page:
            return
        paragraph["ids"].append(clause.anchor)
        paragraph["classes"].append("clause")
        link = nodes.reference("", "", internal=True, refuri=f"#{clause.anchor}", classes=["anchor"])
        link += nodes.Text(first.astext())
        paragraph.replace(first, link)

    def _link_clauses(self, text: nodes.Text, page: str) -> None:
        """Make anchors in a text links to their clauses."""
        parts: list[nodes.Node] = []
        at = 0
        source = str(text)
        for found in ANCHOR.finditer(source):
            targets = self._targets(found[1])
            if not targets:
                continue
            parts.append(nodes.Text(source[at : found.start()]))
            parts.append(self._link(found[0], page, targets[0].page, f"#{targets[0].anchor}"))
            at = found.end()
        if parts:
            text.parent.replace(text, [*parts, nodes.Text(source[at:])])

    def _targets(self, anchor: str) -> list[Clause]:
        """Return the clause of an anchor, or those whose anchors begin with it."""
        exact = self._clauses.get(anchor)
        if exact is not None:
            return [exact]
        return [clause for clause in self._clauses.values() if clause.anchor.startswith(f"{anchor}.")]

    def _link_name(self, literal: nodes.literal, page: str) -> None:
        """Make code that is the name of a field, or a code of an error, a link to its explanation."""
        name = literal.astext().partition("[")[0].removeprefix("%")
        if name not in self._names or _within(literal, _NO_LINKS):
            return
        target, place = self._names[name]
        if target == page:
            return
        link = self._link("", page, target, place)
        link["classes"].append("name")
        literal.parent.replace(literal, link)
        link += literal

    def _link(self, text: str, page: str, target: str, place: str) -> nodes.reference:
        where = "" if target == page else self._app.builder.get_relative_uri(page, target)
        link = nodes.reference("", "", internal=True, refuri=f"{where}{place}")
        if text:
            link += nodes.Text(text)
        return link


def _within(node: nodes.Node, kinds: tuple[type[nodes.Node], ...]) -> bool:
    parent = node.parent
    while parent is not None:
        if isinstance(parent, kinds):
            return True
        parent = parent.parent
    return False
