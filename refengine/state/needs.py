"""Which events the state has to see so that fields have their right values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

LIFE = frozenset({"execve", "execveat", "procexit"})
"""Without these no field of a process can be trusted: programs are replaced, and numbers are used again."""

_IDENTITY: Mapping[str, frozenset[str]] = {
    "user.": frozenset({"setuid", "setresuid", "setreuid"}),
    "group.": frozenset({"setgid", "setresgid", "setregid"}),
    "thread.cap_": frozenset({"capset", "setuid", "setresuid", "setreuid"}),
    "proc.sid": frozenset({"setsid"}),
    "proc.sname": frozenset({"setsid"}),
    "proc.tty": frozenset({"setsid"}),
    "proc.pgid": frozenset({"setpgid", "setsid"}),
    "proc.vpgid": frozenset({"setpgid", "setsid"}),
    "proc.is_": frozenset({"setpgid", "setsid"}),
    "proc.nthreads": frozenset({"clone", "clone3"}),
    "proc.nchilds": frozenset({"clone", "clone3"}),
}
"""Events by the beginnings of the names of the fields that they change."""

_DIRECTORY = frozenset({"chdir", "fchdir", "chroot", "clone", "clone3", "fork", "vfork"})
_PATHS = ("fd.", "fs.path", "evt.arg", "evt.info", "evt.abspath", "proc.cwd")
_DESCRIPTORS = frozenset(
    {
        "open",
        "openat",
        "openat2",
        "creat",
        "open_by_handle_at",
        "close",
        "close_range",
        "dup",
        "dup2",
        "dup3",
        "fcntl",
        "pipe",
        "pipe2",
        "socket",
        "bind",
        "connect",
        "accept",
        "accept4",
        "socketpair",
        "eventfd",
        "eventfd2",
        "signalfd",
        "signalfd4",
        "timerfd_create",
        "inotify_init",
        "inotify_init1",
        "bpf",
        "userfaultfd",
        "io_uring_setup",
        "epoll_create",
        "epoll_create1",
        "memfd_create",
        "pidfd_open",
        "pidfd_getfd",
        "clone",
        "clone3",
        "fork",
        "vfork",
    }
)
_OF_DESCRIPTORS = ("fd.", "fdlist.", "fs.path", "evt.arg", "evt.info", "evt.category", "proc.std", "proc.fd")


def state_events(fields: Iterable[str], *, track_descriptors: bool) -> frozenset[str]:
    """Return the event types, by name, that keep the state right for `fields`, to be seen beside those that rules want.

    With `track_descriptors` false, descriptors and working directories are asked of the probe (see
    `SystemState`), and the events that change them are not needed.
    """
    fields = tuple(fields)
    needed = set(LIFE)
    for prefix, events in _IDENTITY.items():
        if any(name.startswith(prefix) for name in fields):
            needed |= events
    if track_descriptors:
        if any(name.startswith(_PATHS) for name in fields):
            needed |= _DIRECTORY
        if any(name.startswith(_OF_DESCRIPTORS) for name in fields):
            needed |= _DESCRIPTORS
    return frozenset(needed)
