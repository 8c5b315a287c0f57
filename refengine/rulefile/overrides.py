"""`override`: which keys of an item change the earlier item of the same name, and how."""

from __future__ import annotations

from dataclasses import dataclass, field
from difflib import get_close_matches

from refengine.errors import Code
from refengine.rulefile.keys import KeyReader, describe
from refengine.rulefile.yaml import Mapping, Scalar, Sequence

OPERATIONS = ("append", "replace")


@dataclass(frozen=True, slots=True)
class Overrides:
    """The keys to append and those to replace, in the order of the file, with where each is asked for."""

    append: dict[str, Scalar] = field(default_factory=dict)
    replace: dict[str, Scalar] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.append or self.replace)

    def check_given(self, keys: KeyReader, overridable: tuple[str, ...]) -> None:
        """Report the keys that are to be overridden but not given, and those given but not overridden."""
        for operation, chosen in (("append", self.append), ("replace", self.replace)):
            for key, node in chosen.items():
                where = keys.context.child("overrides", key, node)
                if key not in keys:
                    keys.error(f"'{key}: {operation}' is asked for, but the rule gives no '{key}'", where)
                elif operation == "replace" and key in self.append:
                    keys.error(f"'{key}' cannot be appended to and replaced at once", where)
        for key in overridable:
            if key in keys and key not in self.append and key not in self.replace:
                keys.error(
                    f"'{key}' has no entry under 'override', so nothing says what to do with it",
                    keys.within(key, keys.mapping.by_key[key]),
                    suggestion=f"add '{key}: replace' under 'override', or take '{key}' out",
                )


def read_overrides(keys: KeyReader, appendable: tuple[str, ...], replaceable: tuple[str, ...]) -> Overrides:
    """Return what the item's `override` asks for."""
    overrides = Overrides()
    node = keys.mapping.by_key.get("override")
    if node is None:
        return overrides
    where = keys.context.child("overrides", "", node)
    if isinstance(node, Scalar):
        if not node.is_null:
            keys.warn(
                Code.UNKNOWN_KEY,
                f"'override' must be a mapping such as 'condition: append', not {describe(node)};"
                " it is ignored",
                where,
            )
        return overrides
    if isinstance(node, Sequence):
        if node.items:
            keys.error(
                "'override' must be a mapping such as 'condition: append', not a list",
                where,
                code=Code.VALIDATE,
            )
        return overrides
    _read_entries(keys, node, overrides, appendable, replaceable)
    return overrides


def _read_entries(
    keys: KeyReader,
    node: Mapping,
    overrides: Overrides,
    appendable: tuple[str, ...],
    replaceable: tuple[str, ...],
) -> None:
    where = keys.context.child("overrides", "", node)
    known = tuple(dict.fromkeys((*appendable, *replaceable)))
    for key, value in node.pairs:
        if not isinstance(key, Scalar) or not isinstance(value, Scalar):
            bad = value if isinstance(key, Scalar) else key
            keys.error(
                f"an entry of 'override' must be a key and 'append' or 'replace', not {describe(bad)}",
                where.child("overrides", "", bad),
                code=Code.VALIDATE,
            )
            continue
        here = where.child("overrides", key.value, key)
        allowed = [
            operation
            for operation, able in zip(OPERATIONS, (appendable, replaceable), strict=True)
            if key.value in able
        ]
        if not allowed:
            near = get_close_matches(key.value, known, 1)
            keys.error(
                f"'{key.value}' cannot be overridden; what can: {', '.join(known)}",
                here,
                suggestion=f"did you mean '{near[0]}'?" if near else None,
            )
        elif value.value not in OPERATIONS:
            keys.error(
                f"'{key.value}' may be overridden by {' or '.join(allowed)}, not by '{value.value}'",
                where.child("value for", key.value, value),
            )
        elif value.value not in allowed:
            keys.error(
                f"'{key.value}' cannot be appended to",
                here,
                suggestion=f"write '{key.value}: replace'",
            )
        elif value.value == "append":
            overrides.append.setdefault(key.value, key)
        else:
            overrides.replace.setdefault(key.value, key)
