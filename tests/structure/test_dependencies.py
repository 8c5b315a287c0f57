"""Imports go one way: along the pipeline, from texts to the command line."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

LANGUAGE = frozenset({"source", "errors", "report", "recursion", "values", "priority"})
OBSERVATION = frozenset({"values", "tables", "event"})
RULES = LANGUAGE | {"tables", "event", "fields", "condition"}
OPENING = frozenset({"backends.base", "backends.precondition", "backends.target", "backends.registry"})
BACKEND = OBSERVATION | {
    "errors", "state", "backends.base", "backends.precondition", "backends.target", "backends.text_file",
}  # fmt: skip

ALLOWED: Mapping[str, frozenset[str]] = {
    # What every part speaks of.
    "source": frozenset(),
    "errors": frozenset({"source"}),
    "report": frozenset({"source", "errors"}),
    "recursion": frozenset(),
    "priority": frozenset(),
    "terminal": frozenset(),
    "values": frozenset(),
    "tables": frozenset({"values"}),
    "event": frozenset({"values", "tables"}),
    # The system side.
    "state": OBSERVATION,
    "fields": OBSERVATION | {"state", "errors"},
    "backends.target": frozenset(),
    "backends.precondition": frozenset(),
    "backends.base": OBSERVATION | {"state", "backends.target", "backends.precondition"},
    "backends.text_file": frozenset({"errors", "backends.base"}),
    "backends.syscalls": OBSERVATION,
    "backends.ptrace": BACKEND | {"backends.syscalls"},
    "backends.capture": BACKEND,
    "backends.netlink": OBSERVATION | {"errors", "state"},
    "backends.fanotify": BACKEND | {"backends.syscalls", "backends.netlink"},
    "backends.ebpf": BACKEND | {"backends.syscalls"},
    "backends.k8s_audit": BACKEND,
    "backends.events": BACKEND | {"fields"},  # its events are values of fields
    "backends.registry": frozenset({"errors", "backends.base", "backends.target"}),
    # The language side.
    "condition": LANGUAGE | {"tables", "event", "fields"},
    "output": RULES,
    "rulefile": RULES | {"output"},
    "ruleset": RULES | {"output", "rulefile"},
    "interest": RULES | {"output", "rulefile", "backends.base", "backends.precondition"},
    "program": RULES | {"rulefile"},
    "profile": RULES | {"rulefile"},
    "engine": RULES | {"output", "rulefile", "program", "profile"},
    "authoring": RULES | {"output", "rulefile", "ruleset", "interest", "engine", "terminal"} | OPENING,
    # What a long run needs around the engine.
    "service": RULES | {"output", "rulefile", "backends.base", "backends.precondition"},
    # The surface.
    "": RULES | {"output", "rulefile", "ruleset", "engine"},
    "cli": RULES
    | {
        "output",
        "rulefile",
        "ruleset",
        "interest",
        "engine",
        "state",
        "terminal",
        "authoring",
        "service",
        "profile",
        "",
    }
    | OPENING,
    # A command of its own, which the command line finds by name. It writes captures for engines that read no events.
    "conformance": RULES | {"output", "rulefile", "ruleset", "engine", "backends.capture", "cli", ""},
    "__main__": frozenset({"cli"}),
    # Folders for other readers: texts, and what reads them for the tests and the documentation.
    "grammar": frozenset(),
    "rules": frozenset(),
    "spec": frozenset(),
}
"""For each part of the package, the parts that it may import; a part that is not here may not exist.

The empty name is `refengine/__init__.py`. The registry opens a backend by its module's name, on demand.
"""

FOR_TYPES_ONLY = frozenset({("event", "state")})
"""Imports against the direction, allowed below `if TYPE_CHECKING`: an event points at the state of its thread."""

WHEN_CALLED_ONLY = frozenset({("errors", "report"), ("cli", "backends.capture")})
"""Imports allowed inside functions only: an error's text is made by the renderer; events are recorded on demand."""


@dataclass(frozen=True)
class Import:
    importer: str
    imported: str
    line: int
    for_types: bool = False
    when_called: bool = False

    def __str__(self) -> str:
        return f"{self.importer}:{self.line} imports {self.imported}"


def part(module: str) -> str:
    """Return the part of the package that `module` belongs to: its first name, for backends its first two."""
    names = module.split(".")[1:]
    if names[:1] == ["backends"]:
        return ".".join(names[:2])
    return names[0] if names else ""


def imports(module: str, text: str) -> Iterator[Import]:
    """Yield the imports of refengine's own modules in the source text of `module`."""

    def visit(node: ast.AST, for_types: bool, when_called: bool) -> Iterator[Import]:
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}:{node.lineno}: a relative import hides where it goes"
            # What follows `import` may be a module or a name in one; of the package itself, parts are modules.
            own_name = node.module == "refengine" and not {alias.name for alias in node.names} & set(ALLOWED)
            names = ["refengine"] if own_name else [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            names = []
        for name in names:
            if name.split(".")[0] == "refengine":
                yield Import(module, name, getattr(node, "lineno", 0), for_types, when_called)
        for child in ast.iter_child_nodes(node):
            types = for_types or (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
            called = when_called or isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
            yield from visit(child, types, called)

    yield from visit(ast.parse(text), False, False)


def violations(modules: Mapping[str, str]) -> list[str]:
    """Return what is wrong with the imports of `modules`, a mapping of names to source texts."""
    found = []
    for module, text in modules.items():
        own = part(module)
        if own == "backends":
            continue  # the namespace of the backends, which says nothing
        if own not in ALLOWED:
            found.append(f"{module}: the part {own!r} is not in the table of layers")
            continue
        for edge in imports(module, text):
            target = part(edge.imported)
            if target == own or target in ALLOWED[own]:
                continue
            if edge.for_types and (own, target) in FOR_TYPES_ONLY:
                continue
            if edge.when_called and (own, target) in WHEN_CALLED_ONLY:
                continue
            found.append(str(edge))
    return found


def closest(name: str, modules: Mapping[str, str]) -> str | None:
    """Return the module that `name` is, or in which it is; None where that is no module of ours."""
    while name and name not in modules:
        name = name.rpartition(".")[0]
    return name or None


def cycles(modules: Mapping[str, str]) -> list[str]:
    """Return the modules that, by the imports that run at start, import themselves by way of others."""
    edges = {
        module: {
            found
            for edge in imports(module, text)
            if not (edge.for_types or edge.when_called)
            and (found := closest(edge.imported, modules)) is not None
        }
        for module, text in modules.items()
    }
    reached = {module: set(targets) for module, targets in edges.items()}
    grown = True
    while grown:
        grown = False
        for targets in reached.values():
            more = set().union(*(reached[target] for target in targets)) - targets
            if more:
                targets |= more
                grown = True
    return sorted(module for module, targets in reached.items() if module in targets)


def source_tree() -> dict[str, str]:
    """Return the text of every module of the package by its import name, links followed."""
    found = {}
    for folder in sorted({ROOT / "refengine", *(ROOT / "refengine").iterdir()}):
        files = (
            (ROOT / "refengine").glob("*.py")
            if folder == ROOT / "refengine"
            else folder.resolve().rglob("*.py")
        )
        base = ROOT / "refengine" if folder == ROOT / "refengine" else folder.resolve().parent
        for file in files:
            names = list(file.relative_to(base).with_suffix("").parts)
            if names[-1] == "__init__":
                names.pop()
            found[".".join(["refengine", *names])] = file.read_text(encoding="utf-8")
    return found


def test_imports_follow_the_pipeline() -> None:
    modules = source_tree()
    assert {"refengine", "refengine.backends.base", "refengine.condition.parser"} <= set(modules)
    assert violations(modules) == []


def test_no_module_imports_itself_by_way_of_others() -> None:
    assert cycles(source_tree()) == []


def test_tables_of_layers_go_one_way() -> None:
    order: list[str] = []
    left = dict(ALLOWED)
    while left:
        ready = [name for name, needs in left.items() if needs <= set(order)]
        assert ready, f"these layers need each other: {sorted(left)}"
        order += ready
        for name in ready:
            del left[name]


@pytest.mark.parametrize(
    ("module", "text", "complaint"),
    [
        ("refengine.fields.proc", "from refengine.engine import Engine", "refengine.engine"),
        ("refengine.state.threads", "import refengine.condition.parser", "refengine.condition.parser"),
        ("refengine.condition.check", "def f():\n    from refengine.cli import main", "refengine.cli"),
        ("refengine.engine", "from refengine.backends.ptrace import tracer", "refengine.backends.ptrace"),
        ("refengine.engine", "from refengine import cli", "refengine.cli"),
        (
            "refengine.backends.ptrace.tracer",
            "from refengine.backends.capture import read",
            "backends.capture",
        ),
        ("refengine.errors", "from refengine.report import render", "refengine.report"),
        ("refengine.event.event", "from refengine.state.threads import Thread", "refengine.state.threads"),
        ("refengine.novelty", "", "not in the table"),
        ("refengine.backends.novelty.reader", "", "not in the table"),
    ],
)
def test_a_violation_is_caught(module: str, text: str, complaint: str) -> None:
    found = violations({module: text})
    assert len(found) == 1
    assert complaint in found[0]


def test_the_allowed_exceptions_are_let_through() -> None:
    for_types = (
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from refengine.state.threads import Thread"
    )
    assert violations({"refengine.event.event": for_types}) == []
    assert violations({"refengine.errors": "def f():\n    from refengine.report import render"}) == []


def test_a_cycle_is_caught() -> None:
    modules = {
        "refengine.state.a": "import refengine.state.b",
        "refengine.state.b": "from refengine.state.c import x",
        "refengine.state.c": "from refengine.state.a import y",
        "refengine.state.d": "def f():\n    import refengine.state.d",
    }
    assert cycles(modules) == ["refengine.state.a", "refengine.state.b", "refengine.state.c"]
