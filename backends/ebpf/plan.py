"""What to attach to: the interest of the rules, turned into system calls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from refengine.backends.base import Interest
from refengine.backends.syscalls.call import Call, Decoder
from refengine.backends.syscalls.decode import DECODERS
from refengine.event import ParamValue
from refengine.tables.event_types import BY_ENUM, EventType
from refengine.tables.syscalls import SYSCALLS, Syscall

BIRTHS: Final = frozenset({"clone", "clone3", "fork", "vfork"})
EXECUTIONS: Final = frozenset({"execve", "execveat"})
_NEVER_EXIT: Final = frozenset({"exit", "exit_group", "rt_sigreturn"})
_OPENS: Final = frozenset({"open", "openat", "openat2"})
_PLAIN_OPENS: Final = frozenset({"open", "openat"})
_GENERIC: Final = BY_ENUM["GENERIC_X"]
_IDENTITY: Final = frozenset(
    {"fd.dev", "fd.dev.major", "fd.dev.minor", "fd.ino", "evt.args", "evt.info", "evt.is_open_create"}
    | {f"{field}.{name}" for field in ("evt.arg", "evt.rawarg") for name in ("dev", "ino", "flags")}
)
_ENVIRONMENT: Final = frozenset({"proc.env", "proc.aenv", "evt.args", "evt.info"})


@dataclass(frozen=True, slots=True)
class Watched:
    """A system call that is attached to: the type of its event, the value of `evt.type`, the decoder of its parameters.

    `opens` is true for calls that may make the file that they open, `opens_plainly` for those of them of which the
    parameters are no more than arguments and path, `executes` for executions, of which only failures have their event
    from the call's exit; `directory` where rules ask for the working directory.
    """

    name: str
    type: EventType
    event_name: str
    decode: Decoder
    opens: bool
    opens_plainly: bool
    executes: bool
    directory: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that the backend has to know of the interest.

    `calls` are the system calls by number; `environment` asks for the environment of programs, `threads` for
    the births and ends of threads beside those of processes, `births` for the returns of the calls that make
    them, on both sides, `identify` for device, inode and making of opened files.
    """

    calls: Mapping[int, Watched]
    environment: bool
    threads: bool
    births: bool
    identify: bool


def make_plan(interest: Interest) -> Plan:
    """Return what has to be attached to for `interest`."""
    identify = not _IDENTITY.isdisjoint(interest.fields)
    calls = {}
    for call in SYSCALLS:
        if call.number is None or call.name in _NEVER_EXIT or call.name in BIRTHS:
            continue
        if not (interest.wants(call.name) or interest.wants(call.exit.name)):
            continue
        decode = _decoder(call)
        if decode is not None:
            event_name = _event_name(call)
            calls[call.number] = Watched(
                call.name,
                call.exit,
                event_name,
                decode,
                opens=call.name in _OPENS,
                opens_plainly=call.name in _PLAIN_OPENS and not identify,
                executes=call.name in EXECUTIONS,
                directory="proc.cwd" in interest.reads(event_name),
            )
    births = any(interest.wants(name) for name in BIRTHS)
    return Plan(
        calls,
        environment=any(
            field in _ENVIRONMENT or field.startswith(("evt.arg", "evt.rawarg")) for field in interest.fields
        ),
        threads=interest.wants("procexit") or births or "proc.nthreads" in interest.fields,
        births=births,
        identify=identify,
    )


def _decoder(call: Syscall) -> Decoder | None:
    if call.exit is _GENERIC:
        return _generic(call)
    if call.name in EXECUTIONS:
        return _failed_execution
    return DECODERS.get(call.name)


def _event_name(call: Syscall) -> str:
    """Return the value of `evt.type`; what has no event type of its own goes by the call's name."""
    return call.name if call.exit is _GENERIC else call.exit.name


def _generic(call: Syscall) -> Decoder:
    params: list[ParamValue | None] = [call.code, call.number]
    return lambda _: params


def _failed_execution(call: Call) -> list[ParamValue | None]:
    raise AssertionError("the events of executions are made apart")
