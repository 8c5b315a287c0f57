"""The order of the pages: which stand in the sidebar, under which heading, and which below another page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from builder.documents import Document


@dataclass(frozen=True)
class Section:
    """A heading of the sidebar and the pages below it; those that do not exist are left out."""

    title: str
    pages: tuple[str, ...]


SECTIONS = (
    Section("Start", ("tutorial", "lessons")),
    Section(
        "Guides",
        ("authoring", "guides/testing", "guides/ci", "guides/captures", "service", "guides/falco", "guides/engines"),
    ),
    Section("Event sources", ("ptrace", "ebpf", "k8s-audit", "containers", "reference/backends")),
    Section(
        "Reference",
        (
            "reference/fields/index", "reference/operators", "reference/transformers", "reference/event-types",
            "command-line", "reference/options", "reference/subcommands", "reference/configuration",
            "reference/codes", "reference/checks", "reference/rules-file", "reference/test-file", "reference/alerts",
            "reference/api",
        ),
    ),
    Section("Specification", ("spec/index",)),
    Section("Detections", ("rules",)),
    Section("Project", ("architecture", "decisions/index", "examples", "contributing", "changelog")),
)  # fmt: skip

PARENTS: Mapping[str, str] = {
    "spec/": "spec/index",
    "decisions/": "decisions/index",
    "files/": "examples",
    "reference/fields/": "reference/fields/index",
}
"""The page below which pages stand whose names begin so."""


def toctrees(pages: Iterable[str], texts: Mapping[str, str]) -> dict[str, str]:
    """Return the directives that put every page below another one, by the page that they are for.

    Pages that no section names, and that have no parent, stand at the end of the guides, so that a new document is found.
    """
    pages = sorted(pages)
    listed = {name for section in SECTIONS for name in section.pages} | {"index"}
    below = {
        name: parent
        for name in pages
        for stem, parent in PARENTS.items()
        if name.startswith(stem) and name != parent
    }
    loose = [name for name in pages if name not in listed and name not in below]
    home = []
    for section in SECTIONS:
        names = [name for name in section.pages if name in texts]
        home.append(_toctree(names + (loose if section.title == "Guides" else []), section.title))
    children = {
        parent: _toctree([name for name in pages if below.get(name) == parent])
        for parent in set(below.values())
    }
    return {"index": "\n".join(home), **children}


def decisions_index(found: Iterable[tuple[Document, str]]) -> str:
    """Return the page that lists the decisions, each given with its text."""
    lines = ["# Decisions", "", "Why things are as they are, one page each, with the alternatives.", ""]
    for document, text in found:
        title = text.partition("\n")[0].removeprefix("# ")
        lines.append(f"- [{title}]({document.path.name})")
    return "\n".join(lines) + "\n"


def _toctree(names: Iterable[str], caption: str = "") -> str:
    shown = [f":caption: {caption}", ":maxdepth: 1"] if caption else [":hidden:"]
    lines = ["```{toctree}", *shown, ""]
    return "\n".join([*lines, *(f"/{name}" for name in names), "```", ""])
