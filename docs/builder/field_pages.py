"""The reference of fields, from the catalogue and from what backends say that they can tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from builder.markdown import code, page, plain, table
from refengine.backends.base import Capabilities
from refengine.cli.field_classes import FieldClass, field_classes
from refengine.condition.types import group_of
from refengine.fields.catalogue import Field

INDEX = "reference/fields/index"


def address(field: str) -> str:
    """Return the place of a field on its page."""
    return field.lower().replace(".", "-").replace("_", "-")


def places() -> Mapping[str, tuple[str, str]]:
    """Return the page of every field and the place on it, by the field's name."""
    return {
        field.name: (_page_name(listed), address(field.name))
        for listed in field_classes()
        for field in listed.fields
    }


def field_pages(capabilities: Mapping[str, Capabilities]) -> dict[str, str]:
    """Return the pages by their names: an index, and one page for each group of classes."""
    by_page: dict[str, list[FieldClass]] = {}
    for listed in field_classes():
        by_page.setdefault(_page_name(listed), []).append(listed)
    pages = {name: _class_page(classes, capabilities) for name, classes in by_page.items()}
    pages[INDEX] = _index(by_page)
    return pages


def _page_name(listed: FieldClass) -> str:
    return f"reference/fields/{listed.name.split()[0].replace('.', '-')}"


def _index(by_page: Mapping[str, Sequence[FieldClass]]) -> str:
    rows = []
    for name, classes in by_page.items():
        for listed in classes:
            fields = str(len(listed.fields))
            link = f"[{plain(listed.name)}]({name.rpartition('/')[2]}.md)"
            rows.append((link, ", ".join(map(code, listed.sources)), fields, plain(listed.description)))
    return page(
        "Fields",
        "What conditions and outputs can ask of an event. `refengine --list` prints the same; "
        "`refengine backends` says which of them a backend cannot tell. What an event does not have is "
        "[absent](../../spec/05-absent-values.md): then every comparison is false.",
        table(("class", "event sources", "fields", "about"), rows),
        "An argument stands in brackets, `proc.aname[2]`. What may be compared with a field follows from its type: "
        "[operators](../operators.md), [how constants are written](../../spec/03-values-and-types.md).",
    )


def _class_page(classes: Sequence[FieldClass], capabilities: Mapping[str, Capabilities]) -> str:
    name = classes[0].name.split()[0]
    if len(classes) == 1:
        listed = classes[0]
        return page(
            f"Fields: {plain(name)}",
            f"{plain(listed.description)}. {_sources(listed)}",
            *(_entry(field, 2, capabilities) for field in listed.fields),
        )
    parts = []
    for listed in classes:
        title = "Of every event" if len(listed.sources) > 1 else "Of system calls"
        parts += [f"## {title}", f"{plain(listed.description)}. {_sources(listed)}"]
        parts += [_entry(field, 3, capabilities) for field in listed.fields]
    return page(f"Fields: {plain(name)}", *parts)


def _sources(listed: FieldClass) -> str:
    names = " and ".join(map(code, listed.sources))
    return f"Event source{'s' if len(listed.sources) > 1 else ''}: {names}."


def _entry(field: Field, level: int, capabilities: Mapping[str, Capabilities]) -> str:
    lines = [f"({field.name})=", f"{'#' * level} {code(field.name)}", "", plain(field.description), ""]
    lines.append(f"*{' · '.join(_facts(field))}*")
    notes = [
        f"- {backend}: {plain(text)}"
        for backend, found in capabilities.items()
        for text in (found.absent_fields.get(field.name), found.approximate_fields.get(field.name))
        if text
    ]
    return "\n".join([*lines, "", *notes] if notes else lines)


def _facts(field: Field) -> list[str]:
    facts = [f"{'list of ' if field.is_list else ''}{code(str(field.type))}, {group_of(field.type).name}"]
    if field.argument_required:
        facts.append("needs an argument")
    elif field.argument_allowed:
        facts.append("takes an argument")
    words = {
        "no_rhs": "not in `val()`",
        "no_transformer": "no transformers",
        "filter_only": "in conditions only",
        "print_only": "in outputs only",
        "deprecated": "**outdated**",
        "extension": "an extension, which Falco has not got",
    }
    return facts + [text for flag, text in words.items() if flag in field.flags]
