"""Short ways to load rules for the tests of this folder."""

from __future__ import annotations

import textwrap

from refengine.condition.printer import print_condition
from refengine.errors import Diagnostic
from refengine.rulefile.loader import LoadResult, load
from refengine.rulefile.options import DEFAULTS, LoadOptions
from refengine.rulefile.rule import Rule
from refengine.source import Source


def loaded(*texts: str, options: LoadOptions = DEFAULTS) -> LoadResult:
    """Load files of these texts, called `1.yaml`, `2.yaml` and so on."""
    sources = [Source(f"{number}.yaml", textwrap.dedent(text)) for number, text in enumerate(texts, 1)]
    return load(sources, options)


def valid(*texts: str, options: LoadOptions = DEFAULTS) -> LoadResult:
    """Load files that must have no errors."""
    result = loaded(*texts, options=options)
    assert [str(error) for error in result.errors] == []
    return result


def only(result: LoadResult) -> Rule:
    """Return the one rule of a load."""
    assert len(result.rules) == 1
    return result.rules[0]


def compiled(*texts: str) -> str:
    """Return the condition of the one rule of these files, with lists and macros put in."""
    return print_condition(only(valid(*texts)).tree)


def codes(result: LoadResult) -> list[str]:
    """Return the codes of all that was found."""
    return [str(found.code) for found in result.diagnostics]


def shown(found: Diagnostic) -> str:
    """Return where a diagnostic points: line, column and the text there."""
    assert found.place is not None
    start, span = found.place.start, found.place.span
    return f"{start.line}:{start.column} {found.place.source.text[span.start : span.end]}"


def rule(condition: str = "evt.type = open", name: str = "r", **keys: str) -> str:
    """Return the text of a rule; `keys` are added to those that it must have, or replace them."""
    lines = {"desc": "d", "output": "o", "priority": "INFO", "warn_evttypes": "false"}
    lines["condition"] = condition
    lines |= {key.replace("__", "-"): value for key, value in keys.items()}
    return f"- rule: {name}\n" + "".join(f"  {key}: {value}\n" for key, value in lines.items())
