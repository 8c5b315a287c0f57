"""The sources of the site: the documents of the repository and the written pages, put together in one folder."""

from __future__ import annotations

import posixpath
from pathlib import Path, PurePosixPath

from builder.alert_page import alert_page
from builder.api_page import api_page
from builder.backend_page import backends_page, capabilities
from builder.clauses import read_clauses
from builder.command_pages import options_page, subcommands_page
from builder.configuration_pages import configuration_page
from builder.documents import documents, page_of
from builder.event_pages import event_types_page
from builder.field_pages import field_pages
from builder.files import file_page, folder_page, is_data
from builder.finding_pages import checks_page, codes_page
from builder.grammar_pages import grammar_pages
from builder.language_pages import operators_page, transformers_page
from builder.links import rewritten
from builder.navigation import decisions_index, toctrees
from builder.schema_pages import rules_file_page, test_file_page


def stage(root: Path, folder: Path) -> None:
    """Write the sources of the site of the checkout at `root` into `folder`, which is new."""
    site = _Site(root)
    site.gather()
    pages = {**written_pages(root), **site.pages}
    for name, toctree in toctrees(pages, pages).items():
        pages[name] = f"{pages[name].rstrip()}\n\n{toctree}"
    contents = {folder / f"{name}.md": text.encode() for name, text in pages.items()}
    contents |= {folder / "files" / path: (root / path).read_bytes() for path in site.data}
    for path, content in contents.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def written_pages(root: Path) -> dict[str, str]:
    """Return the pages that are written from tables, by their names."""
    clauses = read_clauses(root / "spec")
    known = capabilities()
    return {
        **field_pages(known),
        **grammar_pages(root / "grammar"),
        "reference/operators": operators_page(clauses),
        "reference/transformers": transformers_page(clauses),
        "reference/event-types": event_types_page(),
        "reference/options": options_page(),
        "reference/subcommands": subcommands_page(),
        "reference/configuration": configuration_page(root),
        "reference/codes": codes_page(root / "spec"),
        "reference/checks": checks_page(),
        "reference/rules-file": rules_file_page(root / "grammar"),
        "reference/test-file": test_file_page(root / "grammar"),
        "reference/alerts": alert_page(),
        "reference/backends": backends_page(known),
        "reference/api": api_page(),
    }


class _Site:
    """The documents with their links rewritten, and whatever these lead to."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.pages: dict[str, str] = {}
        self.data: set[PurePosixPath] = set()

    def gather(self) -> None:
        """Take in all documents, and the files and folders that they link to."""
        decisions = []
        found = documents(self._root)
        self._names = {document.name for document in found} | {"decisions/index"}
        for document in found:
            text = (self._root / document.path).read_text(encoding="utf-8")
            self.pages[document.name] = rewritten(text, document.path, document.name, self._target)
            if document.name.startswith("decisions/"):
                decisions.append((document, text))
        self.pages["decisions/index"] = decisions_index(decisions)

    def _target(self, path: PurePosixPath) -> str:
        """Return the file of the site that shows a file or folder of the repository, which is taken in."""
        name = page_of(path)
        if name in self._names:
            return f"{name}.md"
        here = self._root / path
        if here.is_dir():
            inside = [path / member.name for member in sorted(here.iterdir()) if member.is_file()]
            targets = [posixpath.relpath(self._target(member), posixpath.dirname(name)) for member in inside]
            self.pages[name] = folder_page(path, list(zip(inside, targets, strict=True)))
        elif is_data(path):
            self.data.add(path)
            return f"files/{path}"
        elif name not in self.pages:
            self.pages[name] = file_page(self._root, path)
        return f"{name}.md"
