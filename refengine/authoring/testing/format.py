"""Reading the nodes of a test file: what is missing, misspelt or of the wrong shape is reported with its place."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from refengine.authoring.finding import Finding, Severity
from refengine.errors import Note
from refengine.rulefile.context import place_of
from refengine.rulefile.keys import describe
from refengine.rulefile.yaml import Mapping, Node, Scalar, Sequence
from refengine.source import Place

CHECK = "test-format"


class Form:
    """Gives the parts of test files in the shape that is asked for; faults go to `report`."""

    def __init__(self, report: list[Finding]) -> None:
        self.report = report

    def fault(
        self,
        node: Node | Place,
        message: str,
        suggestion: str | None = None,
        *,
        check: str = CHECK,
        notes: tuple[Note, ...] = (),
    ) -> None:
        """Report a fault."""
        place = node if isinstance(node, Place) else place_of(node)
        self.report.append(Finding(check, Severity.ERROR, message, place, notes, suggestion))

    def mapping(self, node: Node, what: str, keys: Iterable[str]) -> Mapping | None:
        """Return the mapping that `node` is, its keys among `keys` and none of them given twice."""
        if not isinstance(node, Mapping):
            self.fault(node, f"{what} is a mapping, not {describe(node)}")
            return None
        known = tuple(keys)
        seen: set[str] = set()
        for key, _ in node.pairs:
            name = key.value if isinstance(key, Scalar) else ""
            if not isinstance(key, Scalar):
                self.fault(key, f"a key of {what} is a name, not {describe(key)}")
            elif name in seen:
                self.fault(key, f"'{name}' is given twice")
            elif known and name not in known:
                self.fault(
                    key, f"{what} has no '{name}'", nearest(name, known) or f"it may have {', '.join(known)}"
                )
            seen.add(name)
        return node

    def text(self, node: Node, what: str) -> str | None:
        """Return the text that `node` is."""
        if isinstance(node, Scalar) and not node.is_null:
            return node.value
        self.fault(node, f"{what} is a text, not {describe(node)}")
        return None

    def several(self, node: Node, what: str) -> tuple[Node, ...]:
        """Return the items of a list; anything else is a list of itself alone."""
        if isinstance(node, Sequence):
            return node.items
        if isinstance(node, Scalar) and node.is_null:
            self.fault(node, f"{what} is empty")
            return ()
        return (node,)

    def number(self, node: Node, what: str) -> float | None:
        """Return the positive number that `node` writes."""
        text = self.text(node, what)
        try:
            value = float(text or "")
        except ValueError:
            value = 0.0
        if text is not None and not 0 < value < float("inf"):
            self.fault(node, f"{what} is a positive number, not '{text}'")
            return None
        return value if text is not None else None


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the question whether something similar was meant, None where nothing is similar."""
    near = get_close_matches(word, list(known), 1)
    return f"did you mean '{near[0]}'?" if near else None
