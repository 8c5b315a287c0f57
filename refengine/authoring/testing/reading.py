"""From a test file to its cases.

A test file is a mapping: `rules` are the rules files, by paths relative to it, `shared` are events with a name that
others can be like, `matching` is `first` or `all`, and `tests` are the cases. A case has one kind of events (`event`,
`events`, `capture`, `audit` or `run`) and says what must come of them (`alerts`, `includes`, `silent`). The JSON
Schema is `grammar/testfile.schema.json`.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from refengine.authoring.finding import Finding, FindingsError, of_diagnostic
from refengine.authoring.testing import expectations
from refengine.authoring.testing.case import Case, Events, Expectation, Given, Observed, Suite
from refengine.authoring.testing.events import EventReader
from refengine.authoring.testing.format import Form
from refengine.authoring.testing.inline import marked
from refengine.authoring.testing.parameters import EACH, instances
from refengine.backends.target import Target
from refengine.engine import Matching
from refengine.errors import RulesError
from refengine.rulefile.files import read_source
from refengine.rulefile.yaml import Mapping, Node, Scalar, Sequence, read_documents
from refengine.source import Place, Source, Span

FILE_KEYS = ("rules", "matching", "shared", "tests")
EVENT_KEYS = ("event", "events", "capture", "audit", "run")
CASE_KEYS = ("name", EACH, *EVENT_KEYS, "seconds", "matching", *expectations.KEYS)


def read_suite(path: Path, source: Source | None = None) -> Suite:
    """Return the tests of a test file; with `source`, of a text that is not there, but might be.

    :raises FindingsError: with everything that is wrong with it.
    """
    report: list[Finding] = []
    suite = None
    try:
        source = source or read_source(path)
        documents = [node for node in read_documents(source) if not _is_null(node)]
        suite = _Reading(path, report).file(source, documents)
    except RulesError as error:
        report.extend(map(of_diagnostic, error.diagnostics))
    if report or suite is None:
        raise FindingsError(report)
    return suite


def read_inline(path: Path) -> Suite | None:
    """Return the tests that stand in the comments of a rules file, None where there are none.

    :raises FindingsError: with everything that is wrong with them.
    """
    report: list[Finding] = []
    suite = None
    try:
        source = read_source(path)
        comments = marked(source)
        if comments is None:
            return None
        suite = _Reading(path, report).inline(source, read_documents(comments))
    except RulesError as error:
        report.extend(map(of_diagnostic, error.diagnostics))
    if report or suite is None:
        raise FindingsError(report)
    return suite


def _is_null(node: Node) -> bool:
    return isinstance(node, Scalar) and node.is_null


class _Reading:
    def __init__(self, path: Path, report: list[Finding]) -> None:
        self._path = path
        self._form = Form(report)
        self._shared: dict[str, Mapping] = {}
        self._events = EventReader(self._form, self._shared)
        self._expectations = expectations.ExpectationReader(self._form)
        self._matching: Matching = "first"

    def file(self, source: Source, documents: list[Node]) -> Suite | None:
        form = self._form
        if len(documents) != 1:
            where = Place(source, Span(0, 1)) if not documents else documents[1]
            form.fault(where, "a test file is one mapping with the keys 'rules' and 'tests'")
            return None
        root = form.mapping(documents[0], "a test file", FILE_KEYS)
        if root is None:
            return None
        for key in ("rules", "tests"):
            if key not in root.by_key:
                form.fault(root, f"the test file has no '{key}'")
        self._matching = self._matching_of(root) or "first"
        if "shared" in root.by_key:
            self._share(root.by_key["shared"])
        rules = self._rules(root.by_key["rules"]) if "rules" in root.by_key else ()
        tests = root.by_key.get("tests")
        items = () if tests is None else form.several(tests, "'tests'")
        return Suite(str(self._path), rules, tuple(self._cases(items)), Place(source, root.span))

    def inline(self, source: Source, documents: Iterable[Node]) -> Suite:
        items: list[Node] = []
        for document in documents:
            if not isinstance(document, Sequence):
                self._form.fault(document, "tests in comments are list items, which begin with '- '")
                continue
            for item in document.items:
                if isinstance(item, Mapping) and "shared" in item.by_key:
                    self._form.mapping(item, "an item of shared events", ("shared",))
                    self._share(item.by_key["shared"])
                else:
                    items.append(item)
        place = Place(source, Span(0, 0))
        return Suite(str(self._path), (source,), tuple(self._cases(items)), place)

    def _share(self, node: Node) -> None:
        found = self._form.mapping(node, "'shared'", ())
        for key, value in () if found is None else found.pairs:
            if isinstance(key, Scalar) and isinstance(value, Mapping):
                self._shared[key.value] = value
            else:
                self._form.fault(value, "a shared event is a mapping of fields to values")

    def _rules(self, node: Node) -> tuple[Path, ...]:
        found = []
        for item in self._form.several(node, "'rules'"):
            name = self._form.text(item, "a rules file")
            if name is not None:
                path = self._path.parent / name
                if not path.is_file():
                    self._form.fault(item, f"there is no rules file '{path}'")
                found.append(path)
        return tuple(found)

    def _matching_of(self, node: Mapping) -> Matching | None:
        value = node.by_key.get("matching")
        if value is None:
            return None
        text = self._form.text(value, "'matching'")
        if text == "all":
            return "all"
        if text not in (None, "first"):
            self._form.fault(value, f"'matching' is 'first' or 'all', not '{text}'")
        return "first"

    # Cases

    def _cases(self, items: Iterable[Node]) -> Iterable[Case]:
        names: dict[str, Case] = {}
        for item in items:
            case = self._form.mapping(item, "a test", CASE_KEYS)
            if case is None:
                continue
            for instance, label in instances(case, self._form):
                made = self._case(instance, label)
                if made is None:
                    continue
                if made.name in names:
                    self._form.fault(case, f"there are two tests called '{made.name}'")
                names[made.name] = made
                yield made

    def _case(self, node: Mapping, label: str) -> Case | None:
        events = self._events_of(node)
        expected = self._expectations.expectation(node)
        if events is None or expected is None:
            return None
        place = Place(node.source, Span(node.span.start, node.pairs[0][1].span.end))
        name = self._name(node, expected)
        if label and "{" not in self._written_name(node):
            name = f"{name} [{label}]"
        return Case(name, place, events, expected, self._matching_of(node) or self._matching)

    def _written_name(self, node: Mapping) -> str:
        """Return the name as it was before the values of a row were put in."""
        written = node.by_key.get("name")
        if not isinstance(written, Scalar):
            return ""
        return written.source.text[written.span.start : written.span.end]

    def _name(self, node: Mapping, expected: Expectation) -> str:
        if "name" in node.by_key:
            return self._form.text(node.by_key["name"], "'name'") or ""
        line = node.source.position(node.span.start).line
        names = [named.name for named in expected.names]
        return f"line {line}: {', '.join(names) or 'no alert'}"

    def _events_of(self, node: Mapping) -> Events | None:
        form = self._form
        given = [key for key in EVENT_KEYS if key in node.by_key]
        if len(given) != 1:
            which = f"{' and '.join(repr(key) for key in given)}" if given else "none of them"
            form.fault(
                node, f"a test has exactly one of {', '.join(map(repr, EVENT_KEYS))}; this one has {which}"
            )
            return None
        kind = given[0]
        value = node.by_key[kind]
        if kind != "run" and "seconds" in node.by_key:
            form.fault(node.by_key["seconds"], "'seconds' is the time that 'run' may take")
        if kind in ("event", "events"):
            items = form.several(value, f"'{kind}'") if kind == "events" else (value,)
            events = [self._events.event(item, number) for number, item in enumerate(items, 1)]
            if not events and not form.report:
                form.fault(value, "a test needs an event: without one, no rule can raise an alert")
            return Given(tuple(event for event in events if event is not None))
        if kind == "run":
            return self._command(node, value)
        name = form.text(value, f"'{kind}'")
        if name is None:
            return None
        path = self._path.parent / name
        if not path.is_file():
            form.fault(value, f"there is no file '{path}'")
            return None
        if kind == "audit":
            return Observed("k8s_audit", Target(files=(path,)), value.place)
        lines = path.suffix in (".jsonl", ".json")
        return Observed("events" if lines else "capture", Target(files=(path,)), value.place)

    def _command(self, node: Mapping, value: Node) -> Observed | None:
        form = self._form
        seconds = None
        if "seconds" in node.by_key:
            seconds = form.number(node.by_key["seconds"], "'seconds'")
        if isinstance(value, Sequence):
            words = [form.text(item, "a word of a command") for item in value.items]
            if not words or None in words:
                form.fault(value, "'run' is a command: a text for the shell, or a list of words")
                return None
            command = tuple(word for word in words if word is not None)
        else:
            line = form.text(value, "'run'")
            if line is None:
                return None
            command = ("/bin/sh", "-c", line)
        return Observed("ptrace", Target(command=command), value.place, seconds or 30.0)
