"""Tests inside rules files, in comments that begin with `#:`, so that every other engine passes over them.

    - rule: Write below etc
      condition: ...
    #: - event: {evt.type: openat, fd.name: /etc/passwd}
    #:   alerts: Write below etc

The marks stand at the very beginning of their lines. What stands behind them is one list of cases for the whole file.
"""

from __future__ import annotations

import re

from refengine.authoring.finding import Finding, FindingsError, Severity
from refengine.authoring.testing.format import CHECK
from refengine.rulefile.yaml import Node, Scalar, Sequence, read_documents
from refengine.source import Place, Source, Span

MARK = "#:"
_LINE = re.compile(r"^[ \t]*#:.*$", re.MULTILINE)


def marked(source: Source) -> Source | None:
    """Return a text with only what the marked comments say, at the very same offsets; None where there are none.

    Lines inside block scalars are text of the rules, not comments.

    :raises RulesError: where the file is no YAML.
    :raises FindingsError: for a mark that does not begin its line.
    """
    found = list(_LINE.finditer(source.text))
    if not found:
        return None
    scalars = [(node.span.start, node.span.end) for root in read_documents(source) for node in _blocks(root)]
    out = list(re.sub(r"[^\n]", " ", source.text))
    lines, indented = 0, []
    for match in found:
        at = source.text.index(MARK, match.start())
        if any(start <= at < end for start, end in scalars):
            continue
        lines += 1
        out[at + len(MARK) : match.end()] = source.text[at + len(MARK) : match.end()]
        if at > match.start():
            indented.append(Place(source, Span(at, match.end())))
    if indented:
        message = f"a test in a comment has its '{MARK}' at the beginning of the line"
        raise FindingsError(Finding(CHECK, Severity.ERROR, message, place) for place in indented)
    return Source(source.name, "".join(out)) if lines else None


def _blocks(root: Node) -> list[Scalar]:
    pending, found = [root], []
    while pending:
        node = pending.pop()
        if isinstance(node, Scalar):
            if node.style is not None:
                found.append(node)
        elif isinstance(node, Sequence):
            pending.extend(node.items)
        else:
            pending.extend(part for pair in node.pairs for part in pair)
    return found
