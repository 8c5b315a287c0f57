"""`pmatch`: whether a path lies at or below one of many prefixes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refengine.condition.glob import Glob
from refengine.condition.pathtree import PathTree

CASES = [
    (["/etc"], "/etc", True),
    (["/etc"], "/etc/ssh/config", True),
    (["/etc"], "/etcetera", False),
    (["/etc/ssh"], "/etc", False),
    (["/etc/"], "/etc/x", True),
    (["//etc"], "/etc//x", True),
    (["etc"], "/etc/x", True),
    (["/"], "/anything", True),
    ([""], "", True),
    ([], "/etc", False),
    (["/etc"], "", False),
    (["/usr/bin", "/usr"], "/usr/lib", True),
    (["/usr", "/usr/bin"], "/usr/lib", True),
    (["/usr/bin", "/usr/lib"], "/usr/share", False),
    (["/home/*/.ssh"], "/home/ann/.ssh/id", True),
    (["/home/*/.ssh"], "/home/ann/x/.ssh/id", False),  # a pattern stays within its component
    (["/home/*/.ssh"], "/home/.ssh", False),
    (["/home/a?n"], "/home/ann/x", True),
    (["/home/[ab]*"], "/home/bob", True),
    (["/home/[ab]*"], "/home/cat", False),
    (["/home/*/a", "/home/*/b"], "/home/x/b", True),
    (["/home/a*/x", "/home/*b/y"], "/home/ab/y", True),  # every pattern of a folder is tried
    (["/home/ann/x", "/home/*/y"], "/home/ann/y", True),  # also where a name fits at first
    (["/*/x", "/*"], "/a/b", True),
]


@pytest.mark.parametrize(("prefixes", "path", "expected"), CASES)
def test_prefixes_cover_paths(prefixes: list[str], path: str, expected: bool) -> None:
    assert PathTree(prefixes).matches(path) is expected
    assert PathTree(reversed(prefixes)).matches(path) is expected


def test_a_tree_knows_its_paths() -> None:
    tree = PathTree(["/b", "/a"])
    assert tree.paths == ("/b", "/a")
    assert repr(tree) == "PathTree(['/b', '/a'])"


COMPONENTS = st.sampled_from(["a", "b", "ab", "*", "a*", "?", "[ab]"])
PATHS = st.lists(COMPONENTS, max_size=4)


@given(st.lists(PATHS, max_size=5), st.lists(st.sampled_from(["a", "b", "ab", "c"]), max_size=5))
def test_a_tree_says_what_trying_each_prefix_says(prefixes: list[list[str]], path: list[str]) -> None:
    expected = any(
        len(prefix) <= len(path)
        and all(Glob(part).matches(component) for part, component in zip(prefix, path, strict=False))
        for prefix in prefixes
    )
    tree = PathTree("/" + "/".join(prefix) for prefix in prefixes)
    assert tree.matches("/" + "/".join(path)) is expected
