"""Random conditions that check, with macros, and random events in which much is absent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from hypothesis import strategies as st

from refengine.condition.check import Checker
from refengine.condition.nodes import And, Identifier, MacroUse, Node, Not, Or
from refengine.condition.parser import parse
from refengine.condition.typed import Condition
from refengine.condition.types import TEXT_TYPES, group_of
from refengine.condition.vocabulary import LIST_OPERATORS, MODIFIERS, ORDER_OPERATORS, STRING_OPERATORS
from refengine.event import RecordedEvent
from refengine.fields.reading import Many, read_field
from refengine.report import render
from refengine.source import Text
from refengine.values import Value, ValueType

EVENT_TYPES = ["open", "openat", "execve", "connect", "getpid"]
TEXTS = [
    "",
    "cat",
    "Cat",
    "bash",
    "/etc/passwd",
    "/etc",
    "passwd",
    "é",
    "a b",
    "<NA>",
    "Y2F0",
    "\udcff",
    "\udca9",
]
ADDRESSES = ["10.0.0.1", "192.168.1.9", "::1", "fe80::2"]
BUFFERS = ["", "cat", "ab", "é", "6361"]
NUMBERS = ["0", "1", "2", "80", "443", "-1", "255", "65536"]

BY_OPERATOR = {
    "glob": ["*", "/etc/*", "[a-c]*", "?", "C*", "*\udca9", "\\*", "[!a]??"],
    "iglob": ["*", "/ETC/*", "[A-c]*", "C*", "[!a]??"],
    "regex": [".*", "[a-z]+", "^/etc(/.*)?", "cat|bash", "é", "\\x{fffd}"],
    "pmatch": ["/etc", "/etc/passwd", "/", "/usr", "/*/passwd", "cat", ""],
    "bcontains": ["", "63", "6361"],
    "bstartswith": ["", "63", "c3a9"],
}
BY_TYPE = {
    ValueType.CHARBUF: TEXTS,
    ValueType.BOOL: ["true", "false"],
    ValueType.IPADDR: ADDRESSES,
    ValueType.IPNET: ["10.0.0.0/8", "0.0.0.0/0", "192.168.1.9/32", "::/1", "fe80::/64"],
    ValueType.BYTEBUF: BUFFERS,
    ValueType.PORT: ["0", "1", "80", "443", "65537"],
}
TEXT_FIELDS = ["proc.name", "proc.pname", "fd.name", "user.name", "proc.cmdline"]
FIELDS = {
    "syscall": [
        "evt.type", "evt.type", "evt.num", *TEXT_FIELDS, "proc.aname[2]", "evt.arg.flags", "proc.pid", "user.uid",
        "evt.cpu", "evt.buffer", "evt.is_open_read", "fd.cip", "fd.sip", "fd.ip", "fd.net", "fd.cnet", "fd.port",
        "fd.sport", "fd.types", "fd.types", "thread.cpu", "evt.rawtime", "proc.duration", "proc.aname", "proc.apid",
        "proc.exe_ino.mtime", "evt.rawarg.flags",
    ],
    "k8s_audit": [
        "ka.verb", "ka.user.groups", "ka.req.pod.containers.image", "ka.uri.param[limit]", "evt.num", "jevt.value[/x]",
    ],
}  # fmt: skip
RIGHT_FIELDS = [*TEXT_FIELDS, "evt.num", "fd.sip", "user.uid", "evt.is_open_read", "evt.buffer"]


@dataclass(frozen=True, slots=True)
class Written:
    """An operand as text, with the type of its value."""

    text: str
    type: ValueType
    is_list: bool = False
    many: bool = False
    constants_only: bool = False


def field(text: str, source: str) -> Written:
    """Return the field that `text` names, with its argument."""
    name, _, argument = text.partition("[")
    read = read_field(name, argument.rstrip("]") or None, source)
    return Written(text, read.type, read.is_list, read.many is not Many.ONE, "no_rhs" in read.field.flags)


def quoted(value: str) -> str:
    """Return `value` as a quoted string."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


class Generator:
    """Writes conditions for events of one source, and makes such events."""

    def __init__(self, random: Random, source: str = "syscall") -> None:
        self._random = random
        self._source = source

    def condition(self, macros: int = 0, depth: int = 4) -> str:
        """Return the text of a condition over the macros `m0`, `m1`, ... up to `macros`."""
        kind = self._random.random()
        if depth == 0 or kind < 0.3:
            if macros and self._random.random() < 0.4:
                return f"m{self._random.randrange(macros)}"
            return self._test()
        if kind < 0.5:
            inner = self.condition(macros, depth - 1)
            return self._random.choice([f"not {inner}", f"not ({inner})", f"(not {inner})"])
        word = self._random.choice([" and ", " or "])
        return f"({word.join(self.condition(macros, depth - 1) for _ in range(self._random.randint(2, 4)))})"

    def program(self) -> list[Condition]:
        """Return typed conditions that share macros, which use one another."""
        bodies: list[tuple[Node, Text]] = []
        for number in range(self._random.randint(0, 3)):
            bodies.append(_resolved(self.condition(number, 2), bodies))
        checker = Checker(self._source)
        out = []
        for _ in range(self._random.randint(1, 4)):
            checked = checker.check(*_resolved(self.condition(len(bodies)), bodies))
            assert checked.condition is not None, "\n".join(map(render, checked.diagnostics))
            out.append(checked.condition)
        return out

    def event(self) -> RecordedEvent:
        """Return an event in which each field is as likely absent as present."""
        names = sorted({*FIELDS[self._source]})
        values = {name: self._value(name) for name in names if self._random.random() < 0.5}
        return RecordedEvent(values, source=self._source)

    def _operand(self) -> Written:
        if self._source != "syscall" or self._random.random() < 0.6:
            return field(self._random.choice(FIELDS[self._source]), self._source)
        inner = self._random.choice(TEXT_FIELDS)
        if self._random.random() < 0.5:
            name = self._random.choice(["tolower", "toupper", "b64", "basename"])
            around = self._random.choice(["{}", "tolower({})", 'concat({},"-",proc.pname)'])
            return Written(f"{name}({around.format(inner)})", ValueType.CHARBUF)
        listed = f"(proc.name, {quoted(self._random.choice(TEXTS))}, {inner})"
        return self._random.choice(
            [
                Written(f"len({inner})", ValueType.UINT64),
                Written("len(fd.types)", ValueType.UINT64, constants_only=True),
                Written("len(evt.buffer)", ValueType.UINT64),
                Written("b64(evt.buffer)", ValueType.BYTEBUF),
                Written(f'join("/",{listed})', ValueType.CHARBUF),
                Written(f'getopt(("-c", proc.name, "-ab", {inner}, "-x"),"ab:c:")', ValueType.CHARBUF, True),
                Written(f'getopt(("-c", {inner}, "-b"),"b:c:")[c]', ValueType.CHARBUF),
            ]
        )

    def _test(self) -> str:
        left = self._operand()
        if self._random.random() < 0.15:
            return f"{left.text} exists"
        allowed = group_of(left.type).operators
        if left.is_list and self._source == "syscall":
            allowed = frozenset({"in", "intersects"})
        elif left.text == "evt.type":
            allowed = allowed - frozenset(ORDER_OPERATORS)  # no number is the name of an event
        operator = self._random.choice(sorted(allowed))
        plain = not left.is_list and operator in STRING_OPERATORS
        if plain and operator in group_of(left.type).with_modifier and self._random.random() < 0.3:
            return f"{left.text} {operator} {self._random.choice(MODIFIERS)} {self._list(left, operator)}"
        comparable = self._source == "syscall" and not left.constants_only and not left.many
        deciding = left.text == "evt.type" and operator in ("=", "==", "!=", "in")
        if (
            comparable
            and not deciding
            and operator not in ("regex", "pmatch")
            and self._random.random() < 0.3
        ):
            right = self._right(left)
            if right is not None:
                return f"{left.text} {operator} {right}"
        if operator in LIST_OPERATORS:
            return f"{left.text} {operator} {self._list(left, operator)}"
        value = self._random.choice(_constants(left, operator))
        return f"{left.text} {operator} {value if operator in ORDER_OPERATORS else quoted(value)}"

    def _list(self, left: Written, operator: str) -> str:
        pool = _constants(left, operator)
        return f"({', '.join(quoted(self._random.choice(pool)) for _ in range(self._random.randint(0, 4)))})"

    def _right(self, left: Written) -> str | None:
        if left.is_list:
            return f'getopt(("-c", {self._random.choice(TEXT_FIELDS)}),"c:")'
        name = self._random.choice(RIGHT_FIELDS)
        right = field(name, self._source)
        if right.type is left.type:
            return f"val({name})"
        if left.type is ValueType.UINT64 and right.type is ValueType.CHARBUF:
            return f"len({name})"
        return None

    def _value(self, name: str) -> Value:
        written = field(name, self._source)
        if written.is_list or written.many:
            return tuple(self._single(name, written.type) for _ in range(self._random.randint(0, 3)))
        return self._single(name, written.type)

    def _single(self, name: str, type: ValueType) -> Value:
        if name == "evt.type":
            return self._random.choice([*EVENT_TYPES, "close"])
        pool: Sequence[Value] = [0, 1, 2, 80, 443, 255]
        if type in TEXT_TYPES:
            pool = [*TEXTS, "/etc/passwd/x", "catcat", "x\nétc"]
        elif type is ValueType.BOOL:
            pool = [False, True]
        elif type in (ValueType.IPADDR, ValueType.IPNET):
            pool = [*ADDRESSES, "10.9.8.7"]
        elif type is ValueType.BYTEBUF:
            pool = [*(text.encode() for text in BUFFERS), b"\xff\0cat", b"Y2F0"]
        elif type is ValueType.DOUBLE:
            pool = [0.0, 0.5, 1.0, 80.0, -1.0]
        return self._random.choice(pool)


def generators(source: str = "syscall") -> st.SearchStrategy[Generator]:
    """Draw generators. Their choices are not Hypothesis's own, which would be too slow by far."""
    return st.integers(0, 1 << 32).map(lambda seed: Generator(Random(seed), source))


def _constants(left: Written, operator: str) -> list[str]:
    if left.text == "evt.type":
        return EVENT_TYPES
    if operator in BY_OPERATOR:
        return BY_OPERATOR[operator]
    if operator in ORDER_OPERATORS:
        return ["0", "1", "443", "-1"] if left.type is not ValueType.PORT else ["0", "80"]
    return BY_TYPE.get(left.type, NUMBERS)


def _resolved(text: str, bodies: list[tuple[Node, Text]]) -> tuple[Node, Text]:
    whole = Text.of(text)

    def put_in(node: Node) -> Node:
        if isinstance(node, Identifier):
            body, of = bodies[int(node.name[1:])]
            return MacroUse(node.name, body, of, node.span)
        if isinstance(node, And | Or):
            return type(node)(tuple(map(put_in, node.children)), node.span)
        if isinstance(node, Not):
            return Not(put_in(node.child), node.span)
        return node

    return put_in(parse(whole)), whole
