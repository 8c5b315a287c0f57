"""What the two ends of an internet socket say of its descriptor, where nobody saw how it came about."""

from __future__ import annotations

from refengine.event.addresses import endpoint_text, tuple_text
from refengine.event.sockets import InetAddress, InetTuple, SocketAddress
from refengine.state.descriptors import CLIENT, SERVER, Descriptor


def describe_internet(
    descriptor: Descriptor, local: SocketAddress | None, peer: SocketAddress | None, *, waits: bool
) -> None:
    """Give the descriptor the name, role and addresses of a socket with these ends.

    `waits` tells that a socket without a peer waits for one: a listener, or any socket for datagrams.
    """
    if not isinstance(local, InetAddress):
        return
    if not isinstance(peer, InetAddress):
        if waits and local.port:
            descriptor.listening, descriptor.role, descriptor.name = local, SERVER, endpoint_text(local)
        return
    # A connection does not say who began it: a well-known local port facing an ephemeral one is the server's.
    is_server = local.port < peer.port
    descriptor.role = SERVER if is_server else CLIENT
    descriptor.tuple = InetTuple(peer, local) if is_server else InetTuple(local, peer)
    descriptor.connected = True
    descriptor.name = tuple_text(descriptor.tuple)
