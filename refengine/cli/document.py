"""Configuration as a tree of text, and the paths into it that `-o KEY=VALUE` uses.

Scalars stay text until a typed getter reads them, so that `yes`, `0755` and dates mean what the key's type says.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TypeAlias

import yaml

from refengine.cli.arguments import meant
from refengine.cli.configuration_keys import KEYS, Key, Kind
from refengine.errors import UsageError

Node: TypeAlias = "str | list[Node] | dict[str, Node]"
Step: TypeAlias = "str | int | None"
"""A key, the index of a list element, or None for a new element at the list's end."""

_STEP = re.compile(r"(?P<key>(?:[^.\[\]\\]|\\.)+)|\[(?P<index>\d*)\]")
_VARIABLE = re.compile(r"(\$?)\$\{([^}]*)\}")
_TRUE = frozenset({"true", "yes", "on", "y"})
_FALSE = frozenset({"false", "no", "off", "n"})


def read_document(path: Path) -> dict[str, Node]:
    """Return the content of a configuration file, `${VARIABLE}` replaced from the environment.

    :raises UsageError: when the file cannot be read or is not a YAML mapping.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot read the configuration {path}: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise UsageError(f"the configuration {path} is not UTF-8 text (byte {error.start})") from None
    node = _parse(text, str(path))
    if node == "":
        return {}
    if not isinstance(node, dict):
        raise UsageError(f"the configuration {path} is not a mapping of keys to values")
    return node


def parse_override(text: str) -> tuple[tuple[Step, ...], Node]:
    """Return the path and the value of one `KEY=VALUE`; a value in JSON or YAML flow form becomes a tree.

    :raises UsageError: when there is no `=`, the key is malformed, or the value's brackets do not match.
    """
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise UsageError(f"-o takes KEY=VALUE, for example json_output=true; got '{text}'")
    steps = parse_path(key.strip())
    value = value.strip()
    if value.startswith(("{", "[")):
        return steps, _parse(value, f"-o {key}")
    return steps, value


def parse_path(text: str) -> tuple[Step, ...]:
    r"""Return the steps of a key such as `rules[].disable.tag`; `\` takes the next character as it is.

    :raises UsageError: when the key is malformed.
    """
    if not text:
        raise UsageError("a configuration key is empty")
    steps: list[Step] = []
    at = 0
    while at < len(text):
        if steps and text[at] == ".":
            at += 1
            needs_key = True
        else:
            needs_key = not steps
        found = _STEP.match(text, at)
        if found is None or (found["key"] is None) == needs_key:
            raise UsageError(f"'{text}' is not a configuration key: it goes wrong at character {at + 1}")
        if found["key"] is not None:
            steps.append(re.sub(r"\\(.)", r"\1", found["key"]))
        else:
            steps.append(int(found["index"]) if found["index"] else None)
        at = found.end()
    if text.endswith(".") and not text.endswith("\\."):
        raise UsageError(f"'{text}' is not a configuration key: nothing follows the last dot")
    return tuple(steps)


def assign(document: dict[str, Node], steps: tuple[Step, ...], value: Node) -> None:
    """Set the value at a path, making the mappings and list elements on the way.

    :raises UsageError: when an index lies beyond the list's end, or the way leads through a plain value.
    """
    name = path_text(steps)
    node: Node = document
    for position, step in enumerate(steps):
        is_last = position == len(steps) - 1
        fresh: Node = value if is_last else ({} if isinstance(steps[position + 1], str) else [])
        if isinstance(step, str):
            if not isinstance(node, dict):
                raise UsageError(f"cannot set {name}: '{step}' stands below something that is not a mapping")
            if is_last or node.get(step, "") == "":
                node[step] = fresh
            node = node[step]
            continue
        if not isinstance(node, list):
            raise UsageError(f"cannot set {name}: what stands before the brackets is not a list")
        index = len(node) if step is None else step
        if index > len(node):
            raise UsageError(f"cannot set {name}: the list has {len(node)} elements")
        if index == len(node):
            node.append(fresh)
        elif is_last:
            node[index] = value
        node = node[index]


def path_text(steps: tuple[Step, ...]) -> str:
    """Return the path as it is written."""
    out = ""
    for step in steps:
        if isinstance(step, str):
            out += f".{step}" if out else step
        else:
            out += "[]" if step is None else f"[{step}]"
    return out


def unknown(document: dict[str, Node]) -> tuple[str, ...]:
    """Return a warning for each key that is unknown, with the nearest known one."""
    warnings = [
        f"unknown configuration key '{path}'{meant(path, KEYS)}"
        for path in _leaves(document)
        if _known(path) is None
    ]
    return tuple(dict.fromkeys(warnings))


def without_effect(document: dict[str, Node]) -> tuple[str, ...]:
    """Return a sentence for each key that is known and has no effect, with the reason."""
    keys = (_known(path) for path in _leaves(document))
    return tuple(
        dict.fromkeys(
            f"configuration key '{key.path}' has no effect here: {key.note}"
            for key in keys
            if key is not None and key.note
        )
    )


def _known(path: str) -> Key | None:
    """Return the key at `path`, or the mapping, list or free-form key that `path` lies in."""
    while path:
        key = KEYS.get(path)
        if key is not None:
            return key
        path = re.sub(r"(\[\]|\.[^.\[]*|^[^.\[]*)$", "", path)
        key = KEYS.get(path)
        if key is not None and key.kind not in {Kind.OBJECT, Kind.ARRAY, Kind.ANY}:
            return None
    return None


def _leaves(node: Node, path: str = "") -> list[str]:
    if path in KEYS:
        return [path]
    if isinstance(node, dict):
        return [
            leaf for key, child in node.items() for leaf in _leaves(child, f"{path}.{key}" if path else key)
        ]
    if isinstance(node, list):
        return [leaf for child in node for leaf in _leaves(child, f"{path}[]")]
    return [path]


def _parse(text: str, name: str) -> Node:
    try:
        loaded = yaml.load(text, yaml.BaseLoader)  # noqa: S506  # makes nothing but text, lists and mappings
    except (yaml.YAMLError, RecursionError) as error:
        raise UsageError(f"{name} is not valid YAML: {' '.join(str(error).split())}") from None
    return _expanded(loaded)


def _expanded(node: object) -> Node:
    if isinstance(node, dict):
        return {_scalar(key): _expanded(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_expanded(item) for item in node]
    return _scalar(node)


def _scalar(node: object) -> str:
    def replaced(found: re.Match[str]) -> str:
        return f"${{{found[2]}}}" if found[1] else os.environ.get(found[2], "")

    return "" if node is None else _VARIABLE.sub(replaced, str(node))


class Document:
    """Typed reading of a configuration tree."""

    def __init__(self, root: Node, name: str = "") -> None:
        self._root = root
        self._name = name

    def _find(self, path: str) -> tuple[Node | None, str]:
        node: Node | None = self._root
        for step in path.split("."):
            if isinstance(node, dict):
                node = node.get(step)
            elif node in (None, ""):
                node = None
            else:
                raise UsageError(f"configuration key '{self._name}{path}' stands below a plain value")
        return (None if node == "" else node), f"{self._name}{path}"

    def text(self, path: str, default: str = "") -> str:
        """Return a string.

        :raises UsageError: as every getter here, when the value does not fit.
        """
        node, name = self._find(path)
        if node is None:
            return default
        if not isinstance(node, str):
            raise _misfit(name, node, Kind.STRING)
        return node

    def boolean(self, path: str, default: bool) -> bool:
        """Return a truth value, in any spelling of YAML."""
        node, name = self._find(path)
        if node is None:
            return default
        word = node.lower() if isinstance(node, str) else ""
        if word not in _TRUE | _FALSE:
            raise _misfit(name, node, Kind.BOOLEAN)
        return word in _TRUE

    def integer(self, path: str, default: int, minimum: int = 0, maximum: int | None = None) -> int:
        """Return a whole number from `minimum` to `maximum`, where there is one."""
        node, name = self._find(path)
        if node is None:
            return default
        if not isinstance(node, str) or not re.fullmatch(r"[+-]?[0-9]{1,18}", node):
            raise _misfit(name, node, Kind.INTEGER)
        if int(node) < minimum:
            raise UsageError(f"configuration key '{name}' must be {minimum} or above, not {node}")
        if maximum is not None and int(node) > maximum:
            raise UsageError(f"configuration key '{name}' must be {maximum} or below, not {node}")
        return int(node)

    def number(self, path: str, default: float) -> float:
        """Return a number that is not below zero."""
        node, name = self._find(path)
        if node is None:
            return default
        try:
            number = float(node) if isinstance(node, str) else -1.0
        except ValueError:
            number = -1.0
        if not 0 <= number < float("inf"):
            raise _misfit(name, node, Kind.NUMBER)
        return number

    def path(self, path: str) -> Path | None:
        """Return the path of a file or folder, None where none is given."""
        text = self.text(path)
        return Path(text) if text else None

    def texts(self, path: str) -> tuple[str, ...]:
        """Return a list of strings; one string stands for a list of it."""
        node, name = self._find(path)
        if node is None:
            return ()
        items = node if isinstance(node, list) else [node]
        if not all(isinstance(item, str) for item in items):
            raise _misfit(name, node, Kind.ARRAY)
        return tuple(item for item in items if isinstance(item, str))

    def sections(self, path: str) -> tuple[Document, ...]:
        """Return the elements of a list, each to be read in turn."""
        node, name = self._find(path)
        if node is None:
            return ()
        if not isinstance(node, list):
            raise _misfit(name, node, Kind.ARRAY)
        return tuple(Document(item, f"{name}[{index}].") for index, item in enumerate(node))

    def below(self, path: str) -> Document:
        """Return what stands at a path, to be read in turn; an empty mapping where nothing does."""
        node, name = self._find(path)
        return Document({} if node is None else node, f"{name}.")

    def items(self, path: str) -> list[Node]:
        """Return the elements of a list as they are; a plain value stands for a list of it."""
        node, _name = self._find(path)
        if node is None:
            return []
        return list(node) if isinstance(node, list) else [node]

    def mapping(self, path: str) -> dict[str, str]:
        """Return a mapping of strings to strings."""
        node, name = self._find(path)
        return {} if node is None else _strings(node, name)

    def whole(self) -> dict[str, str]:
        """Return this section itself as a mapping of strings to strings."""
        return _strings(self._root, self._name.rstrip("."))

    def plain(self) -> str | None:
        """Return this section itself where it is a string."""
        return self._root if isinstance(self._root, str) else None


def _strings(node: Node, name: str) -> dict[str, str]:
    if not isinstance(node, dict):
        raise _misfit(name, node, Kind.OBJECT)
    strings = {key: value for key, value in node.items() if isinstance(value, str)}
    for key in node.keys() - strings.keys():
        raise _misfit(f"{name}.{key}", node[key], Kind.STRING)
    return strings


def _misfit(name: str, node: Node, kind: Kind) -> UsageError:
    shown = f"'{node}'" if isinstance(node, str) else ("a list" if isinstance(node, list) else "a mapping")
    return UsageError(f"configuration key '{name}' must be {kind}, not {shown}")
