"""Users and groups of the machine that the events come from."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple


class User(NamedTuple):
    """An entry of the user table."""

    uid: int
    gid: int
    name: str
    home: str
    shell: str


class Group(NamedTuple):
    """An entry of the group table."""

    gid: int
    name: str


class Users:
    """The users and groups by their numbers; what is not in the tables is not known."""

    __slots__ = ("_groups", "_users")

    def __init__(self, users: Iterable[User] = (), groups: Iterable[Group] = ()) -> None:
        self._users = {user.uid: user for user in users}
        self._groups = {group.gid: group for group in groups}

    def user(self, uid: int) -> User | None:
        """Return the user with that number, None where there is none."""
        return self._users.get(uid)

    def group(self, gid: int) -> Group | None:
        """Return the group with that number, None where there is none."""
        return self._groups.get(gid)

    def users(self) -> tuple[User, ...]:
        """Return all users that are known."""
        return tuple(self._users.values())

    def groups(self) -> tuple[Group, ...]:
        """Return all groups that are known."""
        return tuple(self._groups.values())

    def add_user(self, user: User) -> None:
        """Take in a user, in the place of one with the same number."""
        self._users[user.uid] = user

    def remove_user(self, uid: int) -> None:
        """Forget a user."""
        self._users.pop(uid, None)

    def add_group(self, group: Group) -> None:
        """Take in a group, in the place of one with the same number."""
        self._groups[group.gid] = group

    def remove_group(self, gid: int) -> None:
        """Forget a group."""
        self._groups.pop(gid, None)


def read_users(etc: Path = Path("/etc")) -> Users:
    """Return the users and groups that the files `passwd` and `group` in `etc` name.

    A file that cannot be read, or a line that is not well formed, contributes nothing; the first of two
    entries with one number counts, as it does for the system's own look-ups.
    """
    users: dict[int, User] = {}
    for name, _, uid, gid, _, home, shell in _rows(etc / "passwd", 7):
        if uid.isdecimal() and gid.isdecimal():
            users.setdefault(int(uid), User(int(uid), int(gid), name, home, shell))
    groups: dict[int, Group] = {}
    for name, _, gid, _ in _rows(etc / "group", 4):
        if gid.isdecimal():
            groups.setdefault(int(gid), Group(int(gid), name))
    return Users(users.values(), groups.values())


def _rows(path: Path, width: int) -> Iterable[list[str]]:
    try:
        text = path.read_bytes().decode("utf-8", "surrogateescape")
    except OSError:
        return
    for line in text.split("\n"):
        row = line.split(":")
        if len(row) == width:
            yield row
