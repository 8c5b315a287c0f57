"""Prefilters of calls on sockets: what a rule matches passes, whatever has become of the sockets before."""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from refengine import load_rules
from refengine.backends.ebpf.layout import DESCRIPTOR, BlobKind, FileState, RecordKind
from refengine.backends.ebpf.prefilter.facts import Facts
from refengine.backends.ebpf.prefilter.program import passes
from refengine.backends.ebpf.prefilter.table import atom, decides
from refengine.backends.precondition import Comparison
from refengine.condition.interpret import Interpreter
from refengine.fields.readers import SystemReader
from refengine.interest import interest_of
from refengine.rulefile.rule import Rule
from refengine.source import Source
from tests.corpus import corpus
from tests.kernel_records import Machine, blob, record
from tests.socket_comparisons import COMPARISONS

ADDRESS, PEER_ADDRESS, MESSAGE = 0x7100_0000, 0x7200_0000, 0x7300_0000
CALLS: Final = (
    "connect", "accept", "accept4", "listen", "sendto", "sendmsg", "recvfrom", "recvmsg", "dup", "dup2", "write",
    "bind", "socket", "setsockopt",
)  # fmt: skip
UNDECIDED: Final = ("fd.num = 3", "fd.name_changed = true", "fd.is_server = true", "fd.name contains 10.1")
OF_RESULTS: Final = ("evt.rawres >= 0", "evt.res = EINPROGRESS")

INET: Final = tuple(map(socket.inet_aton, ("0.0.0.0", "127.0.0.1", "10.1.2.3", "192.168.1.1", "8.8.8.8")))
INET6: Final = tuple(
    socket.inet_pton(socket.AF_INET6, text)
    for text in (
        "::",
        "::1",
        "fe80::1",
        "2001:db8::1",
        "::ffff:10.1.2.3",
        "::ffff:127.0.0.1",
        "::ffff:0.0.0.0",
    )
)
PORTS: Final = (0, 22, 53, 443, 40000)


def sockaddr(family: int, address: bytes, port: int) -> bytes:
    """Return a `struct sockaddr` of the internet."""
    head = struct.pack("=H", family) + port.to_bytes(2, "big")
    return head + address + bytes(8) if len(address) == 4 else head + bytes(4) + address + bytes(4)


ADDRESSES: Final = st.one_of(
    st.none(),
    st.builds(sockaddr, st.just(socket.AF_INET), st.sampled_from(INET), st.sampled_from(PORTS)),
    st.builds(sockaddr, st.just(socket.AF_INET6), st.sampled_from(INET6), st.sampled_from(PORTS)),
    st.sampled_from(
        (
            b"\1\0/run/socket\0", b"\1\0\0abstract", b"\1\0", b"\2\0\0", b"", b"\0\0" + bytes(14), b"\x10\0" + bytes(10),
            b"\x0a\0\1\xbb" + bytes(16),
        )
    ),
)  # fmt: skip

_FILE_MODES: Final = (0o100644, 0o040755, 0o010600)


@st.composite
def descriptors(draw: st.DrawFn) -> FileState | None:
    """What the kernel may say of a descriptor."""
    kind = draw(st.sampled_from(("none", "file", "unix", "other", "inet", "inet", "inet", "inet6", "inet6")))
    if kind == "none":
        return None
    inode = draw(st.sampled_from((7, 8)))
    if kind == "file":
        return FileState(
            inode, 1, draw(st.sampled_from(_FILE_MODES)), 0, 0, 0, 0, 0, 0, 0, bytes(16), bytes(16), 0
        )
    mode, protocol, state = (
        0o140777,
        draw(st.sampled_from((6, 6, 17, 17, 1, 58, 132, 0))),
        draw(st.sampled_from((1, 7, 10))),
    )
    type = draw(st.sampled_from((socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW)))
    family = {"unix": 1, "other": draw(st.sampled_from((16, 17, 40))), "inet": 2, "inet6": 10}[kind]
    addresses = INET if kind == "inet" else INET6
    local, peer = (draw(st.sampled_from(addresses)).ljust(16, b"\0") for _ in range(2))
    if family not in (2, 10):
        return FileState(inode, 1, mode, 0, family, type, 0, state, 0, 0, bytes(16), bytes(16), 0)
    ports = draw(st.sampled_from(PORTS)), draw(st.sampled_from(PORTS))
    return FileState(inode, 1, mode, 0, family, type, protocol, state, *ports, local, peer, 0)


@dataclass(frozen=True, slots=True)
class Done:
    """A call, and what the kernel says of its descriptor."""

    name: str
    result: int
    number: int
    opened: FileState | None
    address: bytes | None
    unix: bytes | None = None

    @property
    def about(self) -> int:
        return self.result if self.name.startswith("accept") else self.number

    def record(self) -> bytes:
        blobs = []
        length = 0 if self.address is None else len(self.address)
        pointer = 0 if self.address is None else ADDRESS
        if self.opened is not None and self.about >= 0:
            blobs.append(blob(BlobKind.DESCRIPTOR, DESCRIPTOR.pack(*self.opened), self.about))
            if self.opened.family == socket.AF_UNIX and self.unix is not None:
                blobs.append(blob(BlobKind.UNIX_LOCAL, self.unix, self.about))
        if self.address:
            blobs.append(blob(BlobKind.MEMORY, self.address, ADDRESS))
        args: tuple[int, ...] = (self.number, pointer, length)
        if self.name == "sendto":
            args = (self.number, 0, 0, 0, pointer, length)
        elif self.name == "recvfrom":
            args = (self.number, 0, 0, 0, pointer, PEER_ADDRESS)
            blobs.append(blob(BlobKind.MEMORY, length.to_bytes(4, "little"), PEER_ADDRESS))
        elif self.name in ("sendmsg", "recvmsg"):
            args = (self.number, MESSAGE)
            blobs.append(
                blob(BlobKind.MEMORY, struct.pack("=QI4xQQQQQ", pointer, length, 0, 0, 0, 0, 0), MESSAGE)
            )
        elif self.name == "socket":
            args = (socket.AF_INET, socket.SOCK_DGRAM, 0)
        return record(RecordKind.SYSCALL_EXIT, name=self.name, result=self.result, args=args, blobs=blobs)

    def facts(self) -> Facts:
        opened = self.opened if self.about >= 0 else None
        return Facts(self.result, b"cat", opened=opened, address=self.address, args=(self.number, 0, 0))


def calls(names: tuple[str, ...] = CALLS) -> st.SearchStrategy[Done]:
    """Return calls on sockets, of which three numbers are in use."""
    return st.builds(
        Done,
        st.sampled_from(names),
        st.sampled_from((0, 3, 4, 5, 5, 5, -115, -111, -11)),
        st.sampled_from((3, 4, 5)),
        descriptors(),
        ADDRESSES,
        st.sampled_from((None, b"/run/x\0", b"\0abstract")),
    )


def rule_with(condition: str) -> Rule:
    text = f"- rule: A\n  desc: d\n  condition: >-\n    evt.type in ({', '.join(CALLS)}) and ({condition})\n  output: o\n  priority: INFO\n"
    (rule,) = load_rules(Source("rules.yaml", text)).rules
    return rule


def conditions() -> st.SearchStrategy[str]:
    """Return conditions of the comparisons, joined and negated in any way."""
    return st.recursive(
        st.sampled_from(COMPARISONS + OF_RESULTS + UNDECIDED),
        lambda inner: st.one_of(
            inner.map(lambda text: f"not ({text})"),
            st.tuples(inner, inner).map(lambda pair: f"({pair[0]}) and ({pair[1]})"),
            st.tuples(inner, inner).map(lambda pair: f"({pair[0]}) or ({pair[1]})"),
        ),
        max_leaves=6,
    )


@settings(max_examples=400)
@given(conditions(), st.lists(calls(), min_size=1, max_size=5))
def test_what_matches_passes(condition: str, history: list[Done]) -> None:
    rule = rule_with(condition)
    preconditions = interest_of([rule], decides).preconditions
    machine, interpreter = Machine(), Interpreter(SystemReader())
    for done in history:
        event = machine.event(done.record())
        if interpreter.holds(rule.condition, event):
            assert passes(done.name, preconditions.get(done.name, True), done.facts())


@pytest.mark.parametrize("condition", COMPARISONS)
@settings(max_examples=150)
@given(history=st.lists(calls(), min_size=1, max_size=5))
def test_each_comparison_is_as_the_interpreter_has_it_where_it_is_known(
    condition: str, history: list[Done]
) -> None:
    rule = rule_with(condition)
    preconditions = interest_of([rule], decides).preconditions
    machine, interpreter = Machine(), Interpreter(SystemReader())
    for done in history:
        event = machine.event(done.record())
        found = preconditions.get(done.name)
        if isinstance(found, Comparison):
            decided = atom(done.name, found)
            assert decided is not None
            outcome = decided.holds(done.facts())
            assert outcome is None or outcome is interpreter.holds(rule.condition, event)


@pytest.mark.corpus
@pytest.mark.parametrize(
    "file", ["falco_rules.yaml", "falco-incubating_rules.yaml", "falco-sandbox_rules.yaml"]
)
def test_public_rules_pass_what_they_match(file: str) -> None:
    rules = [rule for rule in load_rules(corpus(f"rules/{file}")).rules if rule.event_types & set(CALLS)]
    preconditions = interest_of(rules, decides).preconditions

    @given(st.lists(calls(), min_size=1, max_size=4))
    def check(history: list[Done]) -> None:
        machine, interpreter = Machine(), Interpreter(SystemReader())
        for done in history:
            event = machine.event(done.record())
            wanted = (rule for rule in rules if done.name in rule.event_types)
            if any(interpreter.holds(rule.condition, event) for rule in wanted):
                assert passes(done.name, preconditions.get(done.name, True), done.facts())

    check()
