"""Sockets of every family, and what is sent through them."""

from __future__ import annotations

from tests.backends.scenarios.scenario import FAILURE, Scenario

V4 = "server = socket.socket(); server.bind(('127.0.0.1', 0)); server.listen()\n"
V6 = "server = socket.socket(socket.AF_INET6); server.bind(('::1', 0)); server.listen()\n"
CONNECT = "client = socket.socket(server.family); client.connect(server.getsockname()[:2])\n"

NETWORK = (
    Scenario(
        "connect over IPv4",
        V4 + CONNECT,
        "evt.type = connect and fd.sip = 127.0.0.1 and fd.l4proto = tcp",
        ("fd.type", "fd.sip", "fd.l4proto", "evt.res"),
        (("ipv4", "127.0.0.1", "tcp", "SUCCESS"),),
        "python",
    ),
    Scenario(
        "connect over IPv6",
        V6 + CONNECT,
        "evt.type = connect and fd.sip = ::1",
        ("fd.type", "fd.sip", "fd.l4proto"),
        (("ipv6", "::1", "tcp"),),
        "python",
    ),
    Scenario(
        "connect to nobody",
        "s = socket.socket()\ntry: s.connect(('127.0.0.1', 1))\nexcept OSError: pass",
        "evt.type = connect and evt.failed = true",
        ("evt.res",),
        (("ECONNREFUSED",),),
        "python",
        frozenset({FAILURE}),
    ),
    Scenario(
        "connect to a local socket",
        "server = socket.socket(socket.AF_UNIX); server.bind('{folder}/s'); server.listen(); client = socket.socket(socket.AF_UNIX); client.connect('{folder}/s')",
        "evt.type = connect and fd.type = unix and fd.name contains {folder}/s",
        ("fd.type", "evt.res"),
        (("unix", "SUCCESS"),),
        "python",
    ),
    Scenario(
        "connect to an abstract socket",
        "server = socket.socket(socket.AF_UNIX); server.bind('\\0{folder}'); server.listen(); client = socket.socket(socket.AF_UNIX); client.connect('\\0{folder}')",
        "evt.type = connect and fd.type = unix",
        ("fd.type", "evt.res"),
        (("unix", "SUCCESS"),),
        "python",
    ),
    Scenario(
        "accept over IPv4",
        V4 + CONNECT + "server.accept()",
        "evt.type in (accept, accept4) and fd.type = ipv4",
        ("fd.type", "fd.cip", "fd.is_server"),
        (("ipv4", "127.0.0.1", "true"),),
        "python",
    ),
    Scenario(
        "accept over IPv6",
        V6 + CONNECT + "server.accept()",
        "evt.type in (accept, accept4) and fd.type = ipv6",
        ("fd.type", "fd.cip"),
        (("ipv6", "::1"),),
        "python",
    ),
    Scenario(
        "bind to a port",
        V4,
        "evt.type = bind and fd.type = ipv4",
        ("fd.type", "evt.res"),
        (("ipv4", "SUCCESS"),),
        "python",
    ),
    Scenario(
        "listen",
        V4,
        "evt.type = listen and fd.type = ipv4",
        ("fd.type", "evt.res"),
        (("ipv4", "SUCCESS"),),
        "python",
    ),
    Scenario(
        "a datagram",
        "a = socket.socket(type=socket.SOCK_DGRAM); a.bind(('127.0.0.1', 0)); b = socket.socket(type=socket.SOCK_DGRAM); b.sendto(b'hello', a.getsockname())",
        "evt.type = sendto and fd.l4proto = udp",
        ("fd.l4proto", "fd.sip", "evt.rawres"),
        (("udp", "127.0.0.1", "5"),),
        "python",
    ),
    Scenario(
        "a message",
        V4 + CONNECT + "client.sendmsg([b'hel', b'lo'])",
        "evt.type = sendmsg and fd.sip = 127.0.0.1",
        ("fd.l4proto", "evt.rawres"),
        (("tcp", "5"),),
        "python",
    ),
    Scenario(
        "receive",
        V4 + CONNECT + "peer, _ = server.accept(); client.send(b'hello'); peer.recv(5)",
        "evt.type = recvfrom and fd.cip = 127.0.0.1",
        ("fd.l4proto", "evt.rawres"),
        (("tcp", "5"),),
        "python",
    ),
    Scenario(
        "receive a message",
        V4 + CONNECT + "peer, _ = server.accept(); client.send(b'hello'); peer.recvmsg(5)",
        "evt.type = recvmsg and fd.cip = 127.0.0.1",
        ("fd.l4proto", "evt.rawres"),
        (("tcp", "5"),),
        "python",
    ),
    Scenario(
        "a socket",
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM)",
        "evt.type = socket and evt.arg.domain = AF_INET",
        ("evt.arg.domain", "evt.res"),
        (("AF_INET", "SUCCESS"),),
        "python",
    ),
    Scenario(
        "a pair of sockets",
        "socket.socketpair()",
        "evt.type = socketpair",
        ("evt.res",),
        (("SUCCESS",),),
        "python",
    ),
    Scenario(
        "a socket as standard input",
        V4 + CONNECT + "os.dup2(client.fileno(), 0)",
        "evt.type in (dup, dup2, dup3) and fd.type = ipv4",
        ("fd.type", "fd.sip"),
        (("ipv4", "127.0.0.1"),),
        "python",
    ),
    Scenario(
        "a standard stream that is a socket",
        "a, b = socket.socketpair(); os.dup2(a.fileno(), 0); os.execv('/bin/sleep', ['sleep', '2'])",
        "evt.type in (execve, execveat) and proc.name = sleep and proc.stdin.type = unix",
        ("proc.stdin.type",),
        (("unix",),),
        "python",
    ),
)
"""The scenarios of this kind."""
