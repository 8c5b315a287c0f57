"""The kernel's list of sockets: its answers as recorded, and that of the live machine."""

from __future__ import annotations

import os
import socket

import pytest

from refengine.backends.netlink.sockets import SocketNames, inet_socket, list_sockets, unix_socket

LISTENER = (
    "020a0000bd6d00007f000001000000000000000000000000000000000000000000000000000000000000000068100000000000000000"
    "000001000000800000000000000024291000050008000000000008000f00000000000c00150001000000000000000600160052000000"
)
CLIENT = (
    "02010000d894bd6d7f0000010000000000000000000000007f00000100000000000000000000000000000000"
    "6a100000000000000000000000000000000000000000000025291000050008000000000008000f00000000000c0015000100000000000000"
    "0600160052000000"
)
ABSTRACT = "01010700262910006d100000000000000d000000007265636f726465640000000500060000000000"


def test_a_listener_has_its_address_and_is_a_server() -> None:
    found = inet_socket(bytes.fromhex(LISTENER), "4", 4, "tcp")
    assert found is not None
    inode, descriptor = found
    assert (inode, descriptor.name, descriptor.role) == (1059108, "127.0.0.1:48493", "server")


def test_a_connection_has_both_ends() -> None:
    found = inet_socket(bytes.fromhex(CLIENT), "4", 4, "tcp")
    assert found is not None
    inode, descriptor = found
    assert (inode, descriptor.name) == (1059109, "127.0.0.1:55444->127.0.0.1:48493")
    assert (descriptor.role, descriptor.connected, descriptor.protocol) == ("client", True, "tcp")


def test_an_abstract_name_keeps_its_first_character() -> None:
    found = unix_socket(bytes.fromhex(ABSTRACT))
    assert found is not None
    assert (found[0], found[1].type, found[1].name) == (1059110, "u", "\0recorded")


@pytest.mark.parametrize("length", [0, 3, 15])
def test_an_answer_that_is_cut_short_is_none(length: int) -> None:
    assert inet_socket(bytes.fromhex(CLIENT)[:length], "4", 4, "tcp") is None
    assert unix_socket(bytes.fromhex(ABSTRACT)[:length]) is None


def test_sockets_of_our_own_are_found_by_their_inodes() -> None:
    if not any(True for _ in list_sockets()):
        pytest.skip("the kernel does not list sockets here")
    with socket.socket() as server, socket.socket() as client:
        server.bind(("127.0.0.1", 0))
        server.listen()
        client.connect(server.getsockname())
        found = SocketNames().describe(os.fstat(client.fileno()).st_ino)
        assert found is not None
        here, there = client.getsockname(), client.getpeername()
        assert found.name == f"127.0.0.1:{here[1]}->127.0.0.1:{there[1]}" or found.role == "server"
        assert SocketNames().describe(1) is None
