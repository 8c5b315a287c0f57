"""Selection: which rules are enabled, whatever their files say."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from refengine.rulefile.rule import Rule


class Selection(NamedTuple):
    """Enable or disable the rules whose name fits `rule`, where `*` is any text, or that have the tag `tag`.

    With both given, either is enough.
    """

    enable: bool
    rule: str | None = None
    tag: str | None = None

    def fits(self, rule: Rule) -> bool:
        """Return whether it speaks of `rule`."""
        if self.tag is not None and self.tag in rule.tags:
            return True
        if self.rule is None:
            return False
        pattern = ".*".join(re.escape(part) for part in self.rule.split("*"))
        return re.fullmatch(pattern, rule.name, re.DOTALL) is not None


def select(rules: Sequence[Rule], selections: Iterable[Selection]) -> tuple[Rule, ...]:
    """Return the rules as the selections leave them; each overrules the ones before it."""
    selected = list(rules)
    for selection in selections:
        selected = [
            replace(rule, enabled=selection.enable) if selection.fits(rule) else rule for rule in selected
        ]
    return tuple(selected)


def from_flags(
    only_tags: Iterable[str] = (), without_tags: Iterable[str] = (), without_names: Iterable[str] = ()
) -> tuple[Selection, ...]:
    """Return the selections that the flags of older releases stand for.

    `-t TAG` runs only rules with one of the tags, `-T TAG` none with one of them, and `-D TEXT` none whose
    name contains the text.
    """
    only = tuple(only_tags)
    chosen = [Selection(False, rule="*")] if only else []
    chosen += [Selection(True, tag=tag) for tag in only]
    chosen += [Selection(False, tag=tag) for tag in without_tags]
    chosen += [Selection(False, rule=f"*{text}*") for text in without_names]
    return tuple(chosen)
