"""Users and interfaces."""

from __future__ import annotations

from pathlib import Path

from refengine.event.sockets import InetAddress, InetTuple
from refengine.state.interfaces import Interface, Interfaces
from refengine.state.users import read_users


def test_users_and_groups_from_files(tmp_path: Path) -> None:
    (tmp_path / "passwd").write_text(
        "root:x:0:0:root:/root:/bin/sh\ntoor:x:0:0::/:/bin/no\nbroken\nx:x:y:0:::\n"
    )
    (tmp_path / "group").write_text("root:x:0:\nstaff:x:50:ann,bob\n")
    users = read_users(tmp_path)
    root, staff = users.user(0), users.group(50)
    assert root is not None
    assert (root.name, root.home, root.shell) == ("root", "/root", "/bin/sh")
    assert staff is not None
    assert staff.name == "staff"
    assert users.user(1) is None
    assert read_users(tmp_path / "missing").user(0) is None


def test_local_addresses() -> None:
    own, link = bytes((10, 0, 0, 5)), bytes.fromhex("fe80000000000000") + b"\0" * 7 + b"\1"
    interfaces = Interfaces(
        [
            Interface("lo", bytes((127, 0, 0, 1)), bytes((255, 0, 0, 0))),
            Interface("e", own, b"\xff\xff\xff\0"),
            Interface("e", link),
        ]
    )
    assert interfaces.is_local(own)
    assert not interfaces.is_local(bytes((10, 0, 0, 6)))
    assert interfaces.is_local(link[:15] + b"\2")
    assert not interfaces.is_local(b"\x20\1" + b"\0" * 14)

    def source_towards(peer: bytes) -> bytes:
        any_end = InetAddress(bytes(4), 1)
        return interfaces.completed(InetTuple(any_end, InetAddress(peer, 2))).source.address

    assert source_towards(bytes((127, 0, 0, 1))) == bytes((127, 0, 0, 1))
    assert source_towards(bytes((10, 0, 0, 9))) == own
    assert source_towards(bytes((8, 8, 8, 8))) == own
    assert Interfaces().completed(
        InetTuple(InetAddress(bytes(4), 1), InetAddress(own, 2))
    ).source.address == bytes(4)
