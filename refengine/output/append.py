"""Additions to the outputs of rules that the configuration asks for (`append_output`, `static_fields`, `-p`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from refengine.fields.catalogue import CATALOGUE
from refengine.output.template import NO_STATIC_FIELDS, STATIC
from refengine.source import Text

SUGGESTED = (
    "container.id",
    "container.name",
    "container.image.repository",
    "container.image.tag",
    "k8s.pod.name",
    "k8s.ns.name",
)
"""The fields that an output is suggested to have, on events of a source that has them."""


@dataclass(frozen=True, slots=True)
class AppendOutput:
    """One addition, and the rules that it is for: those that agree with all that is given.

    `extra_output` is a template to append, `extra_fields` are templates by the names of the fields that they
    fill, and `raw_fields` are fields whose bare values are added under their own names.
    """

    rule: str | None = None
    source: str | None = None
    tags: frozenset[str] = frozenset()
    extra_output: str = ""
    extra_fields: Mapping[str, str] = field(default_factory=dict)
    raw_fields: tuple[str, ...] = ()
    suggested_output: bool = False

    def is_for(self, rule: str, source: str, tags: Iterable[str]) -> bool:
        """Return whether the addition applies to a rule."""
        return self.rule in (None, rule) and self.source in (None, source) and self.tags <= frozenset(tags)


def extended_output(
    output: Text,
    additions: Iterable[AppendOutput],
    source: str,
    static_fields: Mapping[str, str] = NO_STATIC_FIELDS,
) -> Text:
    """Return the output with everything appended that `additions`, all of them for its rule, ask for."""
    texts = [output]
    for addition in additions:
        if addition.extra_output:
            texts.append(Text.of(addition.extra_output, "append_output"))
        if addition.suggested_output:
            texts.extend(Text.of(text, "suggested_output") for text in _suggested(source, static_fields))
    return Text.joined(texts) if len(texts) > 1 else output


def _suggested(source: str, static_fields: Mapping[str, str]) -> list[str]:
    names = [name for name in SUGGESTED if not CATALOGUE[name].sources or source in CATALOGUE[name].sources]
    names.extend(f"{STATIC}{name}" for name in static_fields)
    return [f"{name.replace('.', '_')}=%{name}" for name in names]
