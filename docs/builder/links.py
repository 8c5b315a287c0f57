"""Links between documents of the repository, rewritten to lead to the same things on the site."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from pathlib import PurePosixPath

_CODE = re.compile(
    r"^(?P<fence> {0,3}(?P<marks>`{3,}|~{3,})[^\n]*\n(?:.*\n)*?) {0,3}(?P=marks)[`~]*[ \t]*$"
    r"|(?P<ticks>`+)(?!`).+?(?<!`)(?P=ticks)(?!`)",
    re.MULTILINE,
)
"""Code, in blocks and in lines, where what looks like a link is none."""

_TARGET = re.compile(r"(?<=\]\()(?P<target>[^()\s]+)(?=\))")


def rewritten(text: str, path: PurePosixPath, name: str, target_of: Callable[[PurePosixPath], str]) -> str:
    """Return a document's text with its relative links as page `name` has to have them.

    `path` is the document's place in the repository. `target_of` gives the file of the site, from its root, that shows
    a file or folder of the repository. A place within a page is kept where the target is a page of prose.
    """

    def replaced(match: re.Match[str]) -> str:
        target = match["target"]
        if "://" in target or target.startswith(("#", "mailto:")):
            return target
        where, _, fragment = target.partition("#")
        wanted = PurePosixPath(posixpath.normpath(path.parent / where))
        on_site = target_of(wanted)
        relative = posixpath.relpath(on_site, posixpath.dirname(name) or ".")
        return relative + (f"#{fragment}" if fragment and wanted.suffix == ".md" else "")

    return outside_code(text, lambda prose: _TARGET.sub(replaced, prose))


def outside_code(text: str, change: Callable[[str], str]) -> str:
    """Return a text of Markdown with everything changed that is not code."""
    parts: list[str] = []
    at = 0
    for code in _CODE.finditer(text):
        parts += (change(text[at : code.start()]), code[0])
        at = code.end()
    return "".join([*parts, change(text[at:])])
