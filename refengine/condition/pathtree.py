"""`pmatch`: whether a path lies at or below one of many others, by a tree of path components."""

from __future__ import annotations

from collections.abc import Iterable

from refengine.condition.glob import Glob

_WILD = frozenset("?*[")


class _Node:
    __slots__ = ("globs", "is_end", "names")

    def __init__(self) -> None:
        self.names: dict[str, _Node] = {}
        self.globs: dict[str, tuple[Glob, _Node]] = {}
        self.is_end = False


class PathTree:
    """The prefixes that a path is held against; a component with any of `?*[` is a pattern.

    A pattern stays within its component. The empty path is a prefix of everything.
    """

    __slots__ = ("_root", "paths")

    def __init__(self, paths: Iterable[str]) -> None:
        self.paths = tuple(paths)
        self._root = _Node()
        for path in self.paths:
            self._add(path)

    def _add(self, path: str) -> None:
        node = self._root
        for component in _components(path):
            if node.is_end:
                return  # a shorter prefix covers this one
            if _WILD.isdisjoint(component):
                node = node.names.setdefault(component, _Node())
            else:
                node = node.globs.setdefault(component, (Glob(component), _Node()))[1]
        node.is_end = True
        node.names.clear()
        node.globs.clear()

    def matches(self, path: str) -> bool:
        """Return whether one of the prefixes covers `path`."""
        nodes = [self._root]
        for component in _components(path):
            following: list[_Node] = []
            for node in nodes:
                if node.is_end:
                    return True
                named = node.names.get(component)
                if named is not None:
                    following.append(named)
                following.extend(below for glob, below in node.globs.values() if glob.matches(component))
            if not following:
                return False
            nodes = following
        return any(node.is_end for node in nodes)

    def __repr__(self) -> str:
        return f"PathTree({list(self.paths)!r})"


def _components(path: str) -> list[str]:
    return [component for component in path.split("/") if component]
