"""The site has all pages, every link in it leads somewhere, and it needs nothing from elsewhere."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from refengine.authoring.linting.checks import CHECKS
from refengine.backends.registry import BACKENDS
from refengine.cli.configuration_keys import KEYS
from refengine.cli.field_classes import field_classes
from refengine.cli.subcommands import SUBCOMMANDS
from refengine.condition.vocabulary import MODIFIERS, OPERATORS, TRANSFORMERS
from refengine.errors import Code
from refengine.grammar.notation import productions
from refengine.tables.syscalls import SYSCALLS
from tests.docs.conftest import ROOT, part_of_the_builder

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))),
    None,
)


NEEDS_CHROMIUM = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on the path")


def text_of(page: Path) -> str:
    """Return the words of a page."""
    body = re.sub(
        r"<(script|style|nav|aside)\b.*?</\1>", " ", page.read_text(encoding="utf-8"), flags=re.DOTALL
    )
    return html.unescape(re.sub(r"<[^>]+>", "", body))


def test_every_document_of_the_repository_is_a_page(site: Path) -> None:
    for document in [*(ROOT / "docs").rglob("*.md"), *(ROOT / "spec").glob("[0-9A]*.md")]:
        path = document.relative_to(ROOT / "docs") if "docs" in document.parts else document.relative_to(ROOT)
        assert (site / path.with_suffix(".html")).is_file(), document
    for name in (
        "contributing",
        "changelog",
        "examples",
        "spec/index",
        "spec/RUNNERS",
        "spec/cases",
        "decisions/index",
    ):
        assert (site / f"{name}.html").is_file(), name


def test_links_headings_and_pictures_are_right(site: Path) -> None:
    assert part_of_the_builder("checking").faults(site) == []


def test_links_to_other_sites_are_no_more_than_links(site: Path) -> None:
    outside = part_of_the_builder("checking").outside_links(site)
    assert "https://falco.org" in outside
    assert not any("fonts." in address or "cdn" in address for address in outside)


def test_every_field_has_its_place(site: Path) -> None:
    pages = "".join(
        path.read_text(encoding="utf-8") for path in (site / "reference" / "fields").glob("*.html")
    )
    places = set(re.findall(r'id="([^"]+)"', pages))
    fields = [field for listed in field_classes() for field in listed.fields]
    missing = [field.name for field in fields if re.sub(r"[._]", "-", field.name.lower()) not in places]
    assert (len(fields) > 350, missing) == (True, [])
    assert "The absolute path of the program" in text_of(site / "reference" / "fields" / "process.html")


@pytest.mark.parametrize(
    ("page", "names"),
    [
        ("operators", [*OPERATORS, *MODIFIERS]),
        ("transformers", TRANSFORMERS),
        ("event-types", [call.name for call in SYSCALLS if call.exit.enum != "GENERIC_X"]),
        ("configuration", KEYS),
        ("codes", map(str, Code)),
        ("checks", CHECKS),
        ("backends", BACKENDS),
        ("subcommands", [f"usage: refengine {name}" for name in SUBCOMMANDS]),
        ("options", ["--strict-capabilities", "-r, --rules FILE|FOLDER", "--format text|markdown|json"]),
        ("test-file", ["includes", "silent", "seconds", "like"]),
        ("rules-file", ["required_engine_version", "exceptions", "override"]),
        ("alerts", ["output_fields", "hostname", '"proc.tty": null']),
        ("api", ["load_rules", "RecordedEvent", "check_condition"]),
    ],
)
def test_reference_pages_have_everything_of_the_tables(page: str, names: list[str], site: Path) -> None:
    words = text_of(site / "reference" / f"{page}.html")
    assert [name for name in names if name not in words] == []


@pytest.mark.parametrize("name", ["condition", "template"])
def test_every_production_is_drawn(name: str, site: Path) -> None:
    page = (site / "spec" / f"grammar-{name}s.html").read_text(encoding="utf-8")
    expected = productions(ROOT / "grammar" / f"{name}.ebnf")
    assert page.count('class="railroad-diagram"') == len(expected)
    assert [production for production in expected if f'aria-label="{production} ::= ' not in page] == []


def test_clauses_have_places_and_are_linked_to(site: Path) -> None:
    chapter = (site / "spec" / "04-operators.html").read_text(encoding="utf-8")
    assert re.search(
        r'<p class="clause" id="op\.eq\.1"><a [^>]*href="#op\.eq\.1"[^>]*>\[op\.eq\.1\]</a>', chapter
    )
    deviations = (site / "spec" / "A-deviations.html").read_text(encoding="utf-8")
    assert 'href="04-operators.html#op.pmatch.7"' in deviations


def test_names_of_fields_lead_to_their_explanation(site: Path) -> None:
    assert 'href="reference/fields/fd.html#fd-name"' in (site / "tutorial.html").read_text(encoding="utf-8")


def test_the_texts_of_the_specification_are_unchanged(site: Path) -> None:
    for chapter in (ROOT / "spec").glob("[0-9A]*.md"):
        staged = site.parent / "source" / "spec" / chapter.name
        links = re.compile(r"\]\([^)]*\)")
        assert links.sub("", staged.read_text(encoding="utf-8")) == links.sub(
            "", chapter.read_text(encoding="utf-8")
        )


def test_it_can_be_searched(site: Path) -> None:
    index = (site / "searchindex.js").read_text(encoding="utf-8")
    assert "pmatch" in index
    assert "guides/falco" in index


PROBE = """
<pre id="found"></pre><iframe id="phone" style="width:390px;height:800px;border:0"></iframe>
<script>
const pages = PAGES, found = document.getElementById("found"), phone = document.getElementById("phone");
const scrolls = (element) => element !== null && (
    ["auto", "scroll"].includes(phone.contentWindow.getComputedStyle(element).overflowX) && element.tagName !== "BODY"
    || scrolls(element.parentElement));
let at = -1;
phone.onload = () => {
    for (const element of phone.contentDocument.querySelectorAll("body *")) {
        if (element.getBoundingClientRect().right > 391 && element.closest("article, main, p") && !scrolls(element.parentElement)) {
            found.textContent += `${pages[at]}: ${element.tagName} ${element.textContent.slice(0, 40)}; `;
            break;
        }
    }
    show();
};
const show = () => { at += 1; if (at < pages.length) phone.src = pages[at]; else found.textContent += `${at} pages seen`; };
show();
</script>
"""
"""Shows all pages one after another as wide as a phone, and tells what stands out at the side without scrolling."""

TOO_WIDE = "<!doctype html><p style='width: 500px'>too wide</p>"


class Handler(SimpleHTTPRequestHandler):
    """Serves the site and, beside it, the probe and a page that is too wide."""

    def do_GET(self) -> None:
        site = Path(self.directory)
        pages = sorted(str(page.relative_to(site)) for page in site.rglob("*.html"))
        made = {
            "/probe.html": PROBE.replace("PAGES", json.dumps(pages)),
            "/probe-of-one.html": PROBE.replace("PAGES", json.dumps(["too-wide.html"])),
            "/too-wide.html": TOO_WIDE,
        }.get(self.path)
        if made is None:
            super().do_GET()
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(made.encode())

    def log_message(self, format: str, *arguments: object) -> None:
        """Keep quiet."""


@pytest.fixture
def address(site: Path) -> Iterator[str]:
    """Yield the address at which the site is served, on this machine alone."""
    handler = partial(Handler, directory=str(site))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def shown(address: str, profile: Path) -> str:
    """Return what a page has become in Chromium once its scripts have run, without a word on the console."""
    done = subprocess.run(
        [
            str(CHROMIUM), "--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}",
            "--enable-logging=stderr", "--virtual-time-budget=100000", "--dump-dom", address,
        ],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=200,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert [line for line in done.stderr.splitlines() if ":CONSOLE" in line] == []
    return done.stdout


@pytest.mark.browser
@NEEDS_CHROMIUM
@pytest.mark.parametrize(
    ("page", "pattern"),
    [
        ("index.html", r"<h1[^>]*>\s*refengine"),
        ("tutorial.html", r"<h1[^>]*>\s*Tutorial"),
        ("reference/fields/process.html", r"<h2[^>]*>\s*<code[^>]*><span[^>]*>proc\.exe<"),
        ("spec/grammar-conditions.html", r"<svg [^>]*railroad-diagram"),
        ("search.html?q=pmatch", r'<a href="spec/04-operators\.html[^"]*"'),
    ],
)
def test_pages_are_shown_without_errors(page: str, pattern: str, address: str, tmp_path: Path) -> None:
    assert re.search(pattern, shown(f"{address}/{page}", tmp_path))


@pytest.mark.browser
@NEEDS_CHROMIUM
def test_no_page_is_wider_than_a_phone(address: str, site: Path, tmp_path: Path) -> None:
    pages = len(list(site.rglob("*.html")))
    assert f'<pre id="found">{pages} pages seen</pre>' in shown(f"{address}/probe.html", tmp_path)


@pytest.mark.browser
@NEEDS_CHROMIUM
def test_a_page_that_is_too_wide_would_be_found(address: str, tmp_path: Path) -> None:
    told = shown(f"{address}/probe-of-one.html", tmp_path)
    assert '<pre id="found">too-wide.html: P too wide; 1 pages seen</pre>' in told
