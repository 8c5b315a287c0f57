"""Comparisons of what is known of sockets: kind, protocol, addresses and ports of both ends."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import Enum, IntEnum
from typing import Final, TypeAlias, TypeVar

from refengine.backends.ebpf.prefilter.atom import (
    Atom,
    Constants,
    Make,
    all_of,
    any_of,
    fits,
    integers_of,
    texts_of,
)
from refengine.backends.ebpf.prefilter.facts import Facts, Level
from refengine.backends.ebpf.prefilter.sockets import Ends, Form, Kind, Protocol, ends_of
from refengine.backends.ebpf.prefilter.values import NUMBER_OPERATORS, PYTHON_OPERATORS
from refengine.backends.precondition import Block
from refengine.event.sockets import InetAddress
from refengine.state.descriptors import DESCRIPTOR_TYPES

Code = TypeVar("Code", bound=IntEnum)
MakeOf: TypeAlias = "Callable[[str], Make]"
"""Returns the maker of comparisons for events of a type."""

_LETTERS: Final[Mapping[Kind, tuple[str | None, ...]]] = {
    Kind.UNKNOWN: (),
    Kind.IPV4: ("4",),
    Kind.IPV6: ("6",),
    Kind.IP: ("4", "6"),
    Kind.UNIX: ("u",),
    Kind.NETLINK: ("n",),
    Kind.OTHER_SOCKET: ("o",),
    Kind.FOLDER: ("d",),
    Kind.PIPE: ("p",),
    Kind.NO_SOCKET: tuple(sorted(DESCRIPTOR_TYPES.keys() - set("46undpo"))),
    Kind.UNIX_OR_NOTHING: ("u", None),
    Kind.NOTHING: (None,),
}
"""The letters of descriptors that each kind stands for, None for there being none; none at all where anything may be."""

_PROTOCOLS: Final[Mapping[Protocol, tuple[str | None, ...]]] = {
    Protocol.UNKNOWN: (),
    Protocol.TCP: ("tcp",),
    Protocol.UDP: ("udp",),
    Protocol.ICMP: ("icmp",),
    Protocol.RAW: ("raw",),
    Protocol.NO_PROTOCOL: ("<NA>",),
    Protocol.NOTHING: (None,),
}

_SOCKET_FAMILIES: Final[Mapping[str | None, str]] = {"4": "ip", "6": "ip", "u": "unix"}


def _letter(letter: str | None) -> str | None:
    if letter is None:
        return "o"
    return "u" if letter == "U" else letter


def _texts(
    member: str,
    read: Callable[[Ends], Code],
    shown: Mapping[Code, Iterable[str | None]],
) -> MakeOf:
    """Return the maker of comparisons of a text that goes by a member of `Ends`.

    `shown` are the texts that each of its values may stand for, None for an absent one; none is anything.
    """

    def of(event_type: str) -> Make:
        def make(operator: str, constants: Constants) -> Atom | None:
            texts = texts_of(constants)
            if texts is None or fits(operator, b"", texts) is None:
                return None
            outcomes: dict[int, bool | None] = {}
            for value, candidates in shown.items():
                found = {
                    text is not None and bool(fits(operator, text.encode(), texts)) for text in candidates
                }
                outcomes[int(value)] = found.pop() if len(found) == 1 else None
            yes = [value for value, outcome in outcomes.items() if outcome]
            unknown = [value for value, outcome in outcomes.items() if outcome is None]
            return Atom(
                Level.SOCKET,
                any_of(f"e->{member} == {value}" for value in yes),
                lambda facts: outcomes[int(read(ends_of(event_type, facts)))],
                all_of(f"e->{member} != {value}" for value in unknown),
            )

        return make

    return of


class End(Enum):
    """The end that a field speaks of; which one is this machine's, the kernel side does not know."""

    CLIENT = "client"
    SERVER = "server"
    ONE_OF_BOTH = "one of both"
    BOTH = "both"


Check: TypeAlias = "Callable[[InetAddress], bool]"
_Test: TypeAlias = "Callable[[str, Constants], tuple[Callable[[str], str], Check] | None]"
"""Makes a check of one end: the C of it by the name of the end there, and the same in Python."""


def _address_test(operator: str, constants: Constants) -> tuple[Callable[[str], str], Check] | None:
    blocks = [constant for constant in constants if isinstance(constant, Block)]
    if len(blocks) != len(constants) or operator not in ("=", "==", "!=", "in"):
        return None
    differs = operator == "!="

    def expression(end: str) -> str:
        parts = (_in_block(end, block) for block in blocks)
        return any_of(f"!({part})" if differs else part for part in parts)

    def check(end: InetAddress) -> bool:
        return any(_contains(block, end.address) is not differs for block in blocks)

    return expression, check


def _in_block(end: str, block: Block) -> str:
    """Return in C that an address is in a block; IPv4 addresses are in the last of the four words of one."""
    size = len(block.address)
    mask = (((1 << block.prefix) - 1) << (8 * size - block.prefix)).to_bytes(size, "big")
    parts = [f"e->size == {size}"]
    for start in range(0, size, 4):
        wanted = int.from_bytes(mask[start : start + 4], "little")
        value = int.from_bytes(block.address[start : start + 4], "little") & wanted
        word = f"e->{end}[{3 if size == 4 else start // 4}]"
        if wanted:
            parts.append(f"({word} & {wanted:#x}u) == {value:#x}u")
    return all_of(parts)


def _contains(block: Block, address: bytes) -> bool:
    if len(address) != len(block.address):
        return False
    shift = 8 * len(address) - block.prefix
    return int.from_bytes(address, "big") >> shift == int.from_bytes(block.address, "big") >> shift


def _port_test(operator: str, constants: Constants) -> tuple[Callable[[str], str], Check] | None:
    numbers = integers_of(constants)
    compare = "==" if operator == "in" else NUMBER_OPERATORS.get(operator)
    if numbers is None or compare is None:
        return None
    check = PYTHON_OPERATORS[compare]
    return (
        lambda end: any_of(f"(s64)e->{end}_port {compare} {number}LL" for number in numbers),
        lambda end: any(check(end.port, number) for number in numbers),
    )


def _of_end(end: End, test: _Test) -> MakeOf:
    """Return the maker of comparisons of something of an end."""

    def of(event_type: str) -> Make:
        def make(operator: str, constants: Constants) -> Atom | None:
            made = test(operator, constants)
            if made is None:
                return None
            expression, check = made
            source, destination = f"({expression('source')})", f"({expression('destination')})"
            alike = f"{source} == {destination}"
            known, outcome = "e->form != FORM_UNKNOWN", f"e->form >= FORM_PAIR && {destination}"
            if end is End.SERVER:
                known += f" && (e->form != FORM_EITHER_WAY || {alike})"
                outcome = f"e->form >= FORM_LISTENING && {destination}"
            elif end is End.CLIENT:
                known += f" && (e->form != FORM_EITHER_WAY || {alike})"
                outcome = f"e->form >= FORM_PAIR && {source}"
            elif end is End.ONE_OF_BOTH:
                known += f" && (e->form < FORM_PAIR || {alike})"
            else:
                word = "&&" if operator == "!=" else "||"
                outcome = f"e->form >= FORM_LISTENING && ({source} {word} {destination})"

            def holds(facts: Facts) -> bool | None:
                return _outcome(end, operator, check, ends_of(event_type, facts))

            return Atom(Level.SOCKET, outcome, holds, known)

        return make

    return of


def _outcome(end: End, operator: str, check: Check, ends: Ends) -> bool | None:
    form = ends.form
    if form is Form.UNKNOWN:
        return None
    if form is Form.NONE or (form is Form.LISTENING and end in (End.CLIENT, End.ONE_OF_BOTH)):
        return False
    source, destination = check(ends.source), check(ends.destination)
    if end is End.BOTH:
        return source and destination if operator == "!=" else source or destination
    if source is destination:
        return source
    if end is End.ONE_OF_BOTH or form is Form.EITHER_WAY:
        return None
    return source if end is End.CLIENT else destination


def _connected(event_type: str) -> Make:
    def make(operator: str, constants: Constants) -> Atom | None:
        if operator not in ("=", "==", "!=") or len(constants) != 1 or not isinstance(constants[0], bool):
            return None
        holds = constants[0] is (operator != "!=")
        return Atom(
            Level.SOCKET,
            str(int(holds)),
            lambda facts: holds if ends_of(event_type, facts).connected else None,
            "e->connected",
        )

    return make


_KINDS: Final = {kind: tuple(map(_letter, letters)) for kind, letters in _LETTERS.items()}
_TYPES: Final = {
    kind: tuple(None if letter is None else DESCRIPTOR_TYPES[letter] for letter in letters)
    for kind, letters in _LETTERS.items()
}
_FAMILIES: Final = {kind: tuple(map(_SOCKET_FAMILIES.get, letters)) for kind, letters in _LETTERS.items()}


def _kind(ends: Ends) -> Kind:
    return ends.kind


FIELDS: Final[Mapping[str, MakeOf]] = {
    "fd.typechar": _texts("kind", _kind, _KINDS),
    "fd.type": _texts("kind", _kind, _TYPES),
    "fd.sockfamily": _texts("kind", _kind, _FAMILIES),
    "fd.l4proto": _texts("protocol", lambda ends: ends.protocol, _PROTOCOLS),
    "fd.connected": _connected,
    **{f"fd.{name}": _of_end(End.BOTH, _address_test) for name in ("ip", "net")},
    **{f"fd.{name}": _of_end(End.CLIENT, _address_test) for name in ("cip", "cnet")},
    **{f"fd.{name}": _of_end(End.SERVER, _address_test) for name in ("sip", "snet")},
    **{f"fd.{name}": _of_end(End.ONE_OF_BOTH, _address_test) for name in ("lip", "lnet", "rip", "rnet")},
    "fd.port": _of_end(End.BOTH, _port_test),
    "fd.cport": _of_end(End.CLIENT, _port_test),
    "fd.sport": _of_end(End.SERVER, _port_test),
    **{f"fd.{name}": _of_end(End.ONE_OF_BOTH, _port_test) for name in ("lport", "rport")},
}
"""The fields of calls on sockets that the kernel side compares."""

NAMES_OF_ADDRESSES: Final = frozenset({"fd.cip.name", "fd.sip.name", "fd.lip.name", "fd.rip.name"})
"""Fields that no event has, as nothing looks the names of addresses up."""
