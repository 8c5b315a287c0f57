"""What to stop at: the interest of the rules, turned into system call numbers and their decoders."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from refengine.backends.base import Interest
from refengine.backends.ptrace.details import Details, make_details, reads_argument
from refengine.backends.ptrace.filter import ArgumentTest
from refengine.backends.ptrace.opens import ACCESS_MODES, OPENS, Foresight, access_modes
from refengine.backends.syscalls.call import Call, Decoder
from refengine.backends.syscalls.decode import DECODERS
from refengine.event import ParamValue
from refengine.tables.event_types import BY_ENUM, EventType
from refengine.tables.syscalls import BY_NAME, SYSCALLS, Syscall

PROCESS_EXIT: Final = BY_ENUM["PROCEXIT_1_E"]
SIGNAL_DELIVERY: Final = BY_ENUM["SIGNALDELIVER_E"]
_GENERIC: Final = BY_ENUM["GENERIC_X"]

CLONES: Final = frozenset({"clone", "clone3", "fork", "vfork"})
EXECUTIONS: Final = frozenset({"execve", "execveat"})
_NEVER_EXIT: Final = frozenset({"exit", "exit_group", "rt_sigreturn"})
"""Calls that do not return in the ordinary way, so that there is no exit to report."""

OBSERVABLE: Final = frozenset(
    name for call in SYSCALLS if call.number is not None for name in (call.name, call.exit.name)
) - _NEVER_EXIT | {PROCESS_EXIT.name, SIGNAL_DELIVERY.name}
"""Every value of `evt.type` whose events can be made."""

_FLAGS_ARGUMENT: Final = {"open": 1, "openat": 2}
"""The argument of an open that has its flags."""

_PR_SET_NAME: Final = 15
_STATE: Final[Mapping[str, ArgumentTest | None]] = {
    "setuid": None,
    "setgid": None,
    "setreuid": None,
    "setregid": None,
    "setresuid": None,
    "setresgid": None,
    "setsid": None,
    "setpgid": None,
    "capset": None,
    "chroot": None,
    "prctl": ArgumentTest(0, frozenset({_PR_SET_NAME})),
}
"""Calls that change what fields say of a thread. They are traced even where no rule names them, being rare."""

_IDENTITY_FIELDS: Final = frozenset({"fd.dev", "fd.dev.major", "fd.dev.minor", "fd.ino"})
_CREATION_FIELDS: Final = frozenset({"evt.is_open_create"})


class Watched(NamedTuple):
    """A system call that is traced: the type of its event, the decoder of its parameters, and which calls count."""

    name: str
    type: EventType
    decode: Decoder
    test: ArgumentTest | None = None


class Plan(NamedTuple):
    """Everything that the tracer has to know of the interest.

    `calls` are the traced system calls by number, `foresights` tell of opens at their entry whether they matter.
    `identify` asks for device and inode of opened files, `creations` for whether an open made the file, `cpu` for
    the processor, `details` for parameters of executions and births; they cost something and are left out where
    nothing depends on them. `exits` and `signals` ask for a
    stop at a thread's end and for the delivery of signals as events.
    """

    calls: Mapping[int, Watched]
    foresights: Mapping[int, Foresight]
    identify: bool
    creations: frozenset[int]
    cpu: bool
    details: Details
    exits: bool
    signals: bool


def _generic(call: Syscall) -> Decoder:
    params: list[ParamValue | None] = [call.code, call.number]

    def decode(_: Call) -> list[ParamValue | None]:
        return params

    return decode


def _decoder(call: Syscall) -> Decoder | None:
    """Return the decoder of a call, None for those whose events are made by `lifecycle`."""
    if call.exit is _GENERIC:
        return _generic(call)
    return DECODERS.get(call.name)


def _life(_: Call) -> list[ParamValue | None]:
    raise AssertionError("the tracer makes these events itself")


def _wanted(interest: Interest, call: Syscall) -> bool:
    if call.name == call.exit.name and interest.preconditions.get(call.name) is False:
        return False
    return interest.wants(call.name) or interest.wants(call.exit.name)


def _test(interest: Interest, name: str) -> ArgumentTest | None:
    """Return which calls of a wanted kind count, None for all: of opens, those with certain access modes."""
    precondition = interest.preconditions.get(name, True)
    if name not in _FLAGS_ARGUMENT or precondition is True:
        return None
    modes = access_modes(precondition)
    return (
        None if len(modes) == ACCESS_MODES + 1 else ArgumentTest(_FLAGS_ARGUMENT[name], modes, ACCESS_MODES)
    )


def _reads(interest: Interest, fields: frozenset[str]) -> bool:
    """Tell whether rules read one of the fields; without rules everything is read."""
    if interest.event_types is None and not interest.fields:
        return True
    return not fields.isdisjoint(interest.fields)


def _read_of_opens(interest: Interest, fields: frozenset[str], *arguments: str) -> bool:
    """Tell whether rules read one of the fields, or one of the arguments of an open."""
    return _reads(interest, fields) or any(reads_argument(interest, name, *arguments) for name in OPENS)


def make_plan(interest: Interest) -> Plan:
    """Return what has to be traced for `interest`."""
    calls = {}
    foresights = {}
    for call in SYSCALLS:
        if call.number is None or call.name in _NEVER_EXIT:
            continue
        wanted = _wanted(interest, call)
        if not wanted and call.name not in _STATE:
            continue
        decode = _life if call.name in CLONES | EXECUTIONS else _decoder(call)
        if decode is not None:
            test = _test(interest, call.name) if wanted else _STATE[call.name]
            calls[call.number] = Watched(call.name, call.exit, decode, test)
            precondition = interest.preconditions.get(call.name, True)
            if call.name in OPENS and precondition is not True:
                foresights[call.number] = Foresight(precondition)
    creations: frozenset[int] = frozenset()
    if _read_of_opens(interest, _CREATION_FIELDS, "flags"):
        numbers = (BY_NAME[name].number for name in OPENS)
        creations = frozenset(number for number in numbers if number in calls)
    return Plan(
        calls,
        foresights,
        # By the inode, too, it is noticed that a descriptor's number stands for another file, opened unseen.
        identify=bool(foresights) or _read_of_opens(interest, _IDENTITY_FIELDS, "dev", "ino"),
        creations=creations,
        cpu=_reads(interest, frozenset({"evt.cpu"})),
        details=make_details(interest),
        exits=interest.wants("procexit"),
        signals=interest.wants("signaldeliver"),
    )
