"""Messages of the process events connector, as a kernel wrote them."""

from __future__ import annotations

import pytest

from refengine.backends.netlink.process_events import (
    COMM,
    EXEC,
    EXIT,
    FORK,
    GID,
    SID,
    UID,
    ProcessEvent,
    decode,
)

RECORDED = {
    "4c00000003000000ec370200000000000100000001000000ec37020000000000280000000100000001000000f594d98c65050000"
    "d5030000d503000014040000140400000000000000000000": ProcessEvent(
        FORK, 1, 5933712905461, 981, 981, (1044, 1044)
    ),
    "4c00000003000000ed370200000000000100000001000000ed37020000000000280000000200000001000000c8e6dd8c65050000"
    "140400001404000000000000000000000000000000000000": ProcessEvent(EXEC, 1, 5933713188552, 1044, 1044),
    "4c00000003000000f1370200000000000100000001000000f137020000000000280000000002000001000000febb738e65050000"
    "140400001404000072656e616d6564000000000000000000": ProcessEvent(
        COMM, 1, 5933739785214, 1044, 1044, (), "renamed"
    ),
    "4c00000003000000d8910200000000000100000001000000d8910200000000002800000000000080000000001ffd798e65050000"
    "1a0400001404000000000000ffffffff0000000000000000": ProcessEvent(
        EXIT, 0, 5933740195103, 1050, 1044, (0, 0xFFFFFFFF, 0, 0)
    ),
    "4c00000003000000f4370200000000000100000001000000f43702000000000028000000800000000100000007f9ab8e65050000"
    "140400001404000000000000000000000000000000000000": ProcessEvent(SID, 1, 5933743470855, 1044, 1044),
    "4c00000003000000f5370200000000000100000001000000f53702000000000028000000400000000100000000bdb48e65050000"
    "140400001404000005000000060000000000000000000000": ProcessEvent(
        GID, 1, 5933744045312, 1044, 1044, (5, 6)
    ),
    "4c00000003000000f6370200000000000100000001000000f6370200000000002800000004000000010000008bf0b48e65050000"
    "140400001404000005000000060000000000000000000000": ProcessEvent(
        UID, 1, 5933744058507, 1044, 1044, (5, 6)
    ),
}
THREAD = (
    "4c00000003000000f2370200000000000100000001000000f2370200000000002800000001000000010000001a37758e65050000"
    "d5030000d50300001a040000140400000000000000000000"
)


@pytest.mark.parametrize(("message", "event"), RECORDED.items())
def test_a_message_says_what_happened_to_which_process(message: str, event: ProcessEvent) -> None:
    ((number, found),) = decode(bytes.fromhex(message))
    assert found == event
    assert number == int.from_bytes(bytes.fromhex(message)[24:28], "little")


def test_a_thread_is_made_by_its_own_process_whatever_the_kernel_names() -> None:
    ((_, event),) = decode(bytes.fromhex(THREAD))
    assert (event.tid, event.pid, event.numbers) == (1044, 1044, (1050, 1044))


def test_several_messages_in_one_datagram_are_all_decoded() -> None:
    data = b"".join(bytes.fromhex(message) for message in RECORDED)
    assert [event for _, event in decode(data)] == list(RECORDED.values())


def test_a_kind_that_is_not_known_still_counts() -> None:
    data = bytearray(bytes.fromhex(THREAD))
    data[36:40] = (0x40000000).to_bytes(4, "little")
    ((number, event),) = decode(bytes(data))
    assert (event.pid, number) == (0, 145394)


@pytest.mark.parametrize("length", range(0, 76, 5))
def test_a_message_that_is_cut_short_gives_nothing(length: int) -> None:
    assert list(decode(bytes.fromhex(THREAD)[:length])) == []
