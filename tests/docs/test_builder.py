"""The parts of the builder: links are rewritten outside of code only, and the checks find what is wrong."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest

from tests.docs.conftest import part_of_the_builder

links = part_of_the_builder("links")
checking = part_of_the_builder("checking")


def rewritten(text: str) -> str:
    """Return the text of a document at `docs/guides/page.md` with the links of the site's page `guides/page`."""
    places = {"spec/README.md": "spec/index.md", "docs/ptrace.md": "ptrace.md"}
    found: str = links.rewritten(
        text,
        PurePosixPath("docs/guides/page.md"),
        "guides/page",
        lambda path: places.get(str(path), f"files/{path}.md"),
    )
    return found


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("[a](../ptrace.md)", "[a](../ptrace.md)"),
        ("[a](../../spec/README.md#there)", "[a](../spec/index.md#there)"),
        ("[a](../../examples/refengine.yaml)", "[a](../files/examples/refengine.yaml.md)"),
        ("[a](../../examples/refengine.yaml#L3)", "[a](../files/examples/refengine.yaml.md)"),
        ("[a](https://falco.org/x.md) [b](#here)", "[a](https://falco.org/x.md) [b](#here)"),
        ("`[a](../../spec/README.md)`", "`[a](../../spec/README.md)`"),
        ("```\n[a](../../spec/README.md)\n```\n", "```\n[a](../../spec/README.md)\n```\n"),
        ("````\n```\n[a](../../spec/README.md)\n````\n", "````\n```\n[a](../../spec/README.md)\n````\n"),
    ],
)
def test_links_lead_to_the_same_things_on_the_site(before: str, after: str) -> None:
    assert rewritten(before) == after


def faults(folder: Path, **pages: str) -> list[str]:
    """Return what the checks say of pages with these bodies."""
    for name, body in pages.items():
        folder.joinpath(f"{name}.html").write_text(
            f"<html><h1 id='top'>x</h1>{body}</html>", encoding="utf-8"
        )
    found: list[str] = checking.faults(folder)
    return found


def test_right_pages_have_no_faults(tmp_path: Path) -> None:
    pages = {
        "a": "<a href='b.html#top'>b</a><img src='data:,' alt=''><a href='https://x.org'>x</a>",
        "b": "<h2>y</h2>",
    }
    assert faults(tmp_path, **pages) == []


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ("<a href='c.html'>c</a>", "the link to c.html leads nowhere"),
        ("<a href='#there'>c</a>", "there is no place #there"),
        ("<a href='a.html#there'>c</a>", "there is no place #there"),
        ("<a href='../../etc/passwd'>c</a>", "leaves the site"),
        ("<img src='b.png' alt='b'>", "the link to b.png leads nowhere"),
        ("<img src='data:,'>", "1 pictures have no text"),
        ("<svg role='img'></svg>", "1 pictures have no text"),
        ("<script src='https://cdn.org/x.js'></script>", "fetches https://cdn.org/x.js"),
        ("<link rel='stylesheet' href='//cdn.org/x.css'>", "fetches //cdn.org/x.css"),
        ("<h1>y</h1>", "2 headings of the first level"),
        ("<h3>y</h3>", "a heading of level 3 stands behind one of level 1"),
        ("<p id='top'>y</p>", "the place #top is there twice"),
    ],
)
def test_faults_of_pages_are_found(body: str, fault: str, tmp_path: Path) -> None:
    found = faults(tmp_path, a=body)
    assert len(found) == 1
    assert fault in found[0]


def test_style_sheets_that_fetch_are_found(tmp_path: Path) -> None:
    tmp_path.joinpath("x.css").write_text("a { background: url('https://cdn.org/x.png') }", encoding="utf-8")
    assert faults(tmp_path, a="") == ["x.css: fetches https://cdn.org/x.png"]


def test_no_pages_at_all_are_a_fault(tmp_path: Path) -> None:
    assert len(checking.faults(tmp_path)) == 1
