"""Sockets: binding, connections, and what datagrams tell of their ends."""

from __future__ import annotations

from refengine.event.sockets import InetAddress, InetTuple, UnixTuple
from refengine.state.descriptors import Descriptor
from refengine.state.interfaces import Interface, Interfaces
from refengine.state.system import SystemState
from refengine.state.transitions.sockets import settle_connections
from tests.events import applied, candidates, field, machine

LOCAL, PEER = bytes((10, 0, 0, 5)), bytes((93, 184, 216, 34))
ANY = bytes(4)


def networked() -> SystemState:
    state = machine()
    state.interfaces = Interfaces(
        [
            Interface("lo", bytes((127, 0, 0, 1)), bytes((255, 0, 0, 0))),
            Interface("eth0", LOCAL, bytes((255, 255, 255, 0))),
            Interface("lo", bytes(15) + b"\1"),
        ]
    )
    return state


def pair(source: bytes, sport: int, destination: bytes, dport: int) -> InetTuple:
    return InetTuple(InetAddress(source, sport), InetAddress(destination, dport))


def test_a_client_connects() -> None:
    state = networked()
    event = applied(state, "SOCKET_SOCKET_X", fd=3, domain=2, type=1, proto=0)
    assert (field(event, "fd.l4proto"), field(event, "fd.name")) == ("<NA>", "")
    event = applied(state, "SOCKET_CONNECT_X", res=0, tuple=pair(LOCAL, 40000, PEER, 443), fd=3)
    assert field(event, "fd.name") == "10.0.0.5:40000->93.184.216.34:443"
    assert (field(event, "fd.cip"), field(event, "fd.sip")) == (LOCAL, PEER)
    assert (field(event, "fd.cport"), field(event, "fd.sport")) == (40000, 443)
    assert (field(event, "fd.lip"), field(event, "fd.rip")) == (LOCAL, PEER)
    assert (field(event, "fd.lport"), field(event, "fd.rport")) == (40000, 443)
    assert field(event, "fd.l4proto") == "tcp"
    assert field(event, "fd.is_server") is False
    assert field(event, "fd.connected") is True
    assert field(event, "fd.name_changed") is True
    assert candidates(event, "fd.ip") == [LOCAL, PEER]
    assert candidates(event, "fd.port") == [40000, 443]
    assert field(event, "evt.arg", "fd") == "<4t>10.0.0.5:40000->93.184.216.34:443"
    event = applied(state, "SYSCALL_WRITE_X", res=5, fd=3, data=b"hello", size=5)
    assert field(event, "fd.name_changed") is False


def test_a_connection_in_progress_counts_and_a_refused_one_does_not() -> None:
    state = networked()
    applied(state, "SOCKET_SOCKET_X", fd=3, domain=2, type=1, proto=6)
    event = applied(state, "SOCKET_CONNECT_X", res=-111, tuple=pair(LOCAL, 40000, PEER, 443), fd=3)
    assert (field(event, "fd.connected"), field(event, "fd.name")) == (False, "")
    event = applied(state, "SOCKET_CONNECT_X", res=-115, tuple=pair(LOCAL, 40000, PEER, 443), fd=3)
    assert field(event, "fd.connected") is True
    assert field(event, "evt.res") == "EINPROGRESS"


def test_a_server_listens_and_accepts() -> None:
    state = networked()
    applied(state, "SOCKET_SOCKET_X", fd=3, domain=2, type=1, proto=6)
    event = applied(state, "SOCKET_BIND_X", res=0, addr=InetAddress(ANY, 80), fd=3)
    assert (field(event, "fd.name"), field(event, "fd.sport"), field(event, "fd.cport")) == (
        "0.0.0.0:80",
        80,
        None,
    )
    assert field(event, "fd.is_server") is True
    assert candidates(event, "fd.port") == [80]
    event = applied(state, "SOCKET_ACCEPT4_6_X", fd=4, tuple=pair(PEER, 50000, LOCAL, 80))
    assert field(event, "fd.num") == 4
    assert field(event, "fd.name") == "93.184.216.34:50000->10.0.0.5:80"
    assert (field(event, "fd.cip"), field(event, "fd.sip")) == (PEER, LOCAL)
    assert (field(event, "fd.lip"), field(event, "fd.rport")) == (LOCAL, 50000)
    assert field(event, "fd.is_server") is True


def test_binding_to_any_port_leaves_the_role_open() -> None:
    state = networked()
    applied(state, "SOCKET_SOCKET_X", fd=3, domain=2, type=2, proto=0)
    event = applied(state, "SOCKET_BIND_X", res=0, addr=InetAddress(LOCAL, 0), fd=3)
    assert (field(event, "fd.name"), field(event, "fd.sip"), field(event, "fd.l4proto")) == (
        "10.0.0.5:0",
        None,
        "<NA>",
    )


def test_a_datagram_tells_the_ends() -> None:
    state = networked()
    applied(state, "SOCKET_SOCKET_X", fd=3, domain=2, type=2, proto=0)
    event = applied(state, "SOCKET_SENDTO_X", res=4, data=b"ping", fd=3, size=4, tuple=pair(ANY, 0, PEER, 53))
    assert field(event, "fd.name") == "10.0.0.5:0->93.184.216.34:53"
    assert (field(event, "fd.name_changed"), field(event, "fd.l4proto")) == (True, "udp")
    event = applied(state, "SOCKET_RECVFROM_X", res=4, data=b"pong", fd=3, tuple=pair(PEER, 53, LOCAL, 40000))
    assert field(event, "fd.name") == "10.0.0.5:40000->93.184.216.34:53"
    assert field(event, "fd.sport") == 53
    event = applied(state, "SOCKET_SENDTO_X", res=4, data=b"ping", fd=3, size=4)
    assert field(event, "fd.name_changed") is False


def test_a_datagram_server_is_a_server() -> None:
    state = networked()
    applied(state, "SOCKET_SOCKET_X", fd=3, domain=2, type=2, proto=17)
    applied(state, "SOCKET_BIND_X", res=0, addr=InetAddress(ANY, 53), fd=3)
    event = applied(state, "SOCKET_RECVFROM_X", res=4, data=b"ping", fd=3, tuple=pair(PEER, 40000, LOCAL, 53))
    assert field(event, "fd.name") == "93.184.216.34:40000->10.0.0.5:53"
    assert (field(event, "fd.cip"), field(event, "fd.is_server")) == (PEER, True)


def test_local_sockets() -> None:
    state = networked()
    applied(state, "SOCKET_SOCKET_X", fd=3, domain=1, type=1, proto=0)
    event = applied(state, "SOCKET_CONNECT_X", res=0, tuple=UnixTuple(0xAB, 0xCD, "/run/x.sock"), fd=3)
    assert (field(event, "fd.name"), field(event, "fd.sockfamily")) == ("ab->cd /run/x.sock", "unix")
    assert field(event, "fd.cip") is None
    assert candidates(event, "fd.ip") is None
    event = applied(state, "SOCKET_SOCKETPAIR_X", res=0, fd1=5, fd2=6, source=1, peer=2)
    assert (field(event, "fd.num"), field(event, "fd.typechar"), field(event, "fd.name")) == (6, "u", "")


def test_a_socket_that_was_never_seen_to_be_made_is_one_for_datagrams() -> None:
    event = applied(
        networked(), "SOCKET_SENDTO_X", res=4, data=b"ping", fd=3, tuple=pair(LOCAL, 40000, PEER, 53)
    )
    assert (field(event, "fd.name"), field(event, "fd.l4proto")) == (
        "10.0.0.5:40000->93.184.216.34:53",
        "udp",
    )


def test_addresses_of_ipv4_inside_ipv6_are_ipv4() -> None:
    mapped = bytes(10) + b"\xff\xff"
    state = networked()
    applied(state, "SOCKET_SOCKET_X", fd=3, domain=10, type=1, proto=0)
    event = applied(
        state, "SOCKET_CONNECT_X", res=0, tuple=pair(mapped + LOCAL, 40000, mapped + PEER, 443), fd=3
    )
    assert (field(event, "fd.type"), field(event, "fd.sip")) == ("ipv4", PEER)


def test_connections_from_before_get_their_direction_from_ports_that_are_listened_on() -> None:
    state = networked()
    table = state.threads[100].descriptors
    table.put(3, Descriptor("4", listening=InetAddress(ANY, 80), role="server"))
    table.put(4, Descriptor("4", tuple=pair(LOCAL, 80, PEER, 50000)))
    table.put(5, Descriptor("4", tuple=pair(LOCAL, 40000, PEER, 443)))
    settle_connections(state.threads)
    assert (table[4].role, table[4].name) == ("server", "93.184.216.34:50000->10.0.0.5:80")
    assert table[5].role == "client"
