"""The reference of what can be wrong with rules: the codes of a load, and the checks of lint."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from builder.markdown import code, page, plain, table
from refengine.authoring.linting.checks import CHECKS
from refengine.errors import Code, Phase

_CHAPTER = "15-errors-and-warnings"
_ROW = re.compile(r"^\| (?P<codes>LOAD_[A-Z_, ]+?) \| (?P<when>[^|]+?) \|", re.MULTILINE)


def codes_page(spec: Path) -> str:
    """Return the page of error and warning codes.

    :raises ValueError: where the chapter does not say when a code is given.
    """
    when = _reasons((spec / f"{_CHAPTER}.md").read_text(encoding="utf-8"))
    return page(
        "Errors and warnings",
        "The codes that loading rules can give, with Falco's names. Errors refuse the rules; warnings do not. "
        f"[Chapter 15](../spec/{_CHAPTER}.md) of the specification has the whole text.",
        "## Errors",
        *(_entry(each, when) for each in Code if each.is_error),
        "## Warnings",
        *(_entry(each, when) for each in Code if not each.is_error),
        "## Phases",
        f"Each fault names the phase that found it: {', '.join(code(str(phase)) for phase in Phase)}. Later phases see "
        "only what earlier ones passed.",
    )


def checks_page() -> str:
    """Return the page of the checks of `refengine lint`."""
    rows = [(code(check.name), str(check.severity), plain(check.about)) for check in CHECKS.values()]
    return page(
        "Checks of lint",
        "What `refengine lint` looks for beyond the [errors and warnings](codes.md) of a load. `--select CHECK` and "
        "`--ignore CHECK` choose among them. [For authors of rules](../authoring.md) says how it is used.",
        table(("check", "gravity", "finds"), rows),
    )


def _reasons(text: str) -> Mapping[str, str]:
    return {name.strip(): row["when"] for row in _ROW.finditer(text) for name in row["codes"].split(",")}


def _entry(each: Code, when: Mapping[str, str]) -> str:
    if str(each) not in when:
        raise ValueError(f"chapter {_CHAPTER} does not say when {each} is given")
    return f"### {code(str(each))}\n\n{plain(each.summary)}. Given when: {when[str(each)]}."
