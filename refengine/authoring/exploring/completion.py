"""What could be typed next in a condition: fields, operators that fit, values that there are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from refengine.authoring.exploring.columns import Columns
from refengine.authoring.exploring.marks import Expected, Kind, Mark, Situation, marks
from refengine.authoring.exploring.scope import Scope
from refengine.condition.escapes import quoted_if_needed
from refengine.condition.operand_parser import parse_operand
from refengine.condition.operands import OperandError, type_operand
from refengine.condition.typed import Transform
from refengine.condition.types import LIST_OPERATORS, group_of
from refengine.condition.vocabulary import MODIFIERS, OPERATORS
from refengine.errors import ConditionError
from refengine.fields.catalogue import CATALOGUE, SYSCALL, Field
from refengine.fields.reading import EVENT_NAMES, FieldRead
from refengine.output.render import text_writer
from refengine.source import Text
from refengine.tables.event_types import EVENT_TYPES
from refengine.tables.flags import FLAG_TABLES
from refengine.values import ValueType

SMALL = 60_000
"""Events up to which a field that nobody asked for yet is read for its values."""

MOST_VALUES = 200
"""Values of a field that are offered at most, the most frequent."""

_LONGEST = 80


@dataclass(frozen=True, slots=True)
class Completion:
    """A text that could stand from `start` to the cursor, and what it is in a few words."""

    text: str
    start: int
    about: str = ""


OPERATOR_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "=": "is equal to",
        "==": "is equal to",
        "!=": "is not equal to",
        "<": "is less than",
        "<=": "is at most",
        ">": "is greater than",
        ">=": "is at least",
        "exists": "has a value",
        "in": "is one of (…)",
        "intersects": "has one of (…)",
        "pmatch": "is below one of the paths (…)",
        "contains": "has this text in it",
        "icontains": "has this text in it, in any case",
        "startswith": "begins with",
        "endswith": "ends with",
        "glob": "looks like: * and ?",
        "iglob": "looks like: * and ?, in any case",
        "regex": "matches the expression",
        "bcontains": "has these bytes (hexadecimal) in it",
        "bstartswith": "begins with these bytes (hexadecimal)",
    }
)
"""What operators say, in a few words."""

TRANSFORMER_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "tolower": "text in lower case",
        "toupper": "text in upper case",
        "b64": "what base64 stands for",
        "basename": "the last part of a path",
        "len": "the length of a text or list",
        "join": "(separator, list) as one text",
        "concat": "texts one after another",
        "getopt": "(words, options) as the options given",
    }
)
"""What transformers give, in a few words."""

_VALUES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "evt.dir": (">", "<"),
        "evt.source": ("syscall", "k8s_audit"),
        "fd.typechar": tuple("fd46upeslitnbUrmPo"),
        "fd.l4proto": ("tcp", "udp", "icmp", "raw"),
        "ka.verb": ("create", "get", "list", "watch", "update", "patch", "delete", "deletecollection"),
    }
)
"""Values of fields that have few."""


def completions(text: str, start: int, columns: Columns, scope: Scope) -> Iterator[Completion]:
    """Yield what could stand at the end of `text`, whose condition begins at `start`."""
    found, now = marks(text, start)
    last = found[-1] if found else None
    begin = len(text)
    if last is not None and last.end == len(text) and _is_open(last):
        begin, now = last.start, last.met
    offered = _offered(now, text[begin:], columns, scope)
    prefix = text[begin:].lower()
    for word, about in offered:
        if word.lower().startswith(prefix) and word != text[begin:]:
            yield Completion(word, begin, about)


def field_words(prefix: str, sources: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield the fields of `sources` whose names begin with `prefix`, each with what it is."""
    sources = tuple(sources) or (SYSCALL,)
    for field in CATALOGUE.values():
        if field.sources and not field.sources.intersection(sources):
            continue
        if "table_only" in field.flags or field.is_deprecated or not field.name.startswith(prefix):
            continue
        yield f"{field.name}[" if field.argument_required else field.name, about_field(field)


def about_field(field: Field) -> str:
    """Return the type of a field and its description, in one line."""
    many = "list of " if field.is_list else ""
    return f"{many}{field.type}: {field.description}"


def _is_open(mark: Mark) -> bool:
    """Return whether the word that the cursor touches may go on."""
    return mark.kind is not Kind.BRACKET and not (
        mark.kind is Kind.OTHER and mark.met.expected is Expected.ITEM
    )


def _offered(now: Situation, prefix: str, columns: Columns, scope: Scope) -> Iterator[tuple[str, str]]:
    sources = dict.fromkeys(columns.sources)
    if now.expected is Expected.OPERAND:
        yield from (() if "." in prefix else _names(scope))
        yield from field_words(prefix, sources)
    elif now.expected is Expected.ARGUMENT:
        yield from ((f"{name}(", about) for name, about in TRANSFORMER_WORDS.items())
        yield from field_words(prefix, sources)
    elif now.expected is Expected.OPERATOR:
        yield from _operators(_operand(now.left, sources))
    elif now.expected is Expected.OPENING:
        yield "(", "a list of values"
    elif now.expected is Expected.JOINT:
        yield "and", "both hold"
        yield "or", "either holds"
    else:
        yield from _values(now, columns, scope)


def _names(scope: Scope) -> Iterator[tuple[str, str]]:
    for name, condition in scope.macros.items():
        yield name, f"macro: {condition[:_LONGEST]}"
    yield "not", "the opposite"
    for name, about in TRANSFORMER_WORDS.items():
        yield f"{name}(", about


def _operand(written: str, sources: Iterable[str]) -> FieldRead | Transform | None:
    for source in (*sources, SYSCALL):
        try:
            operand = parse_operand(Text.of(written), 0)
            if operand is not None:
                return type_operand(operand, source)
        except (ConditionError, OperandError):
            continue
    return None


def _operators(left: FieldRead | Transform | None) -> Iterator[tuple[str, str]]:
    fitting = frozenset(OPERATORS)
    if left is not None:
        fitting = group_of(left.type).operators | {"exists"}
        if left.is_list:
            fitting = LIST_OPERATORS | {"exists"}
    for operator, about in OPERATOR_WORDS.items():
        if operator in fitting:
            yield operator, about


def _values(now: Situation, columns: Columns, scope: Scope) -> Iterator[tuple[str, str]]:
    left = _operand(now.left, dict.fromkeys(columns.sources))
    given: set[str] = set()
    for value, about in _known_values(left, columns):
        if value not in given:
            given.add(value)
            yield value, about
    if now.expected is Expected.ITEM:
        for name, items in scope.lists.items():
            yield name, f"list: {', '.join(items)[:_LONGEST]}"
    elif left is not None and not left.is_list:
        yield from ((word, "of the items of (…)") for word in MODIFIERS)
        yield "val(", "the value of another field"


def _known_values(left: FieldRead | Transform | None, columns: Columns) -> Iterator[tuple[str, str]]:
    if not isinstance(left, FieldRead):
        return
    yield from _seen_values(left, columns)
    if left.type is ValueType.BOOL:
        yield from (("true", ""), ("false", ""))
    elif left.key in ("evt.type", "syscall.type"):
        yield from ((name, "event type") for name in sorted(EVENT_NAMES))
    else:
        yield from ((value, "") for value in _VALUES.get(left.key, ()))
        yield from (
            (flag, "flag") for flag in _FLAGS.get(left.key.rpartition(".")[2], ()) if _is_parameter(left)
        )


def _is_parameter(field: FieldRead) -> bool:
    return field.field.name in ("evt.arg", "evt.rawarg")


def _seen_values(field: FieldRead, columns: Columns) -> Iterator[tuple[str, str]]:
    """Yield the values that events have, as they are written in conditions, the most frequent first."""
    if not len(columns) or not (columns.has(field) or len(columns) <= SMALL):
        return
    write = text_writer(field.type, field.field.format)
    for value, count in columns.tally(field).most_common(MOST_VALUES):
        for one in value if isinstance(value, tuple) else (value,):
            if one is None or isinstance(one, bytes):
                continue
            text = write(one)
            if text.isprintable():
                yield quoted_if_needed(text), f"in {count} event{'' if count == 1 else 's'}"


def _flags() -> dict[str, tuple[str, ...]]:
    found: dict[str, dict[str, None]] = {}
    for row in EVENT_TYPES:
        for parameter in row.params:
            if parameter.flag_table is not None:
                found.setdefault(parameter.name, {}).update(dict.fromkeys(FLAG_TABLES[parameter.flag_table]))
    return {name: tuple(flags) for name, flags in found.items()}


_FLAGS: Mapping[str, tuple[str, ...]] = MappingProxyType(_flags())
"""The names of flags by the parameter that has them."""
