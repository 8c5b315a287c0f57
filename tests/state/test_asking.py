"""The state of a machine that can be asked, and whose events do not tell what becomes of descriptors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from refengine.state.descriptors import Descriptor
from refengine.state.system import SystemState
from refengine.state.threads import Thread
from tests.events import applied, field


class Machine:
    """A machine with one process, 100, started by 1, and whatever is put into `files`."""

    def __init__(self) -> None:
        self.files: dict[int, Descriptor] = {}
        self.directory = "/work"
        self.comms = {1: "init", 100: "shell", 101: "shell"}
        self.asked: list[int] = []

    def thread(self, tid: int, threads: Mapping[int, Thread]) -> Thread | None:
        self.asked.append(tid)
        if tid not in self.comms:
            return None
        pid = 100 if tid == 101 else tid
        return Thread(tid, pid, threads, ptid=0 if tid == 1 else 1, comm=self.comms[tid], vpid=pid, vtid=tid)

    def descriptor(self, pid: int, number: int, known: Descriptor | None = None) -> Descriptor | None:
        return self.files.get(number)

    def descriptor_numbers(self, pid: int) -> Iterable[int]:
        return self.files

    def working_directory(self, pid: int) -> str | None:
        return self.directory


def asking(machine: Machine) -> SystemState:
    return SystemState(machine, track_descriptors=False, hostname="machine")


def test_threads_and_their_line_are_asked_for_once() -> None:
    machine = Machine()
    state = asking(machine)
    event = applied(state, "SYSCALL_GETUID_X", 101)
    assert (field(event, "proc.name"), field(event, "proc.pname"), field(event, "proc.pid")) == (
        "shell",
        "init",
        100,
    )
    applied(state, "SYSCALL_GETUID_X", 100)
    assert sorted(machine.asked) == [1, 100, 101]


def test_what_is_open_now_counts() -> None:
    machine = Machine()
    state = asking(machine)
    machine.files[3] = Descriptor("f", "/etc/hosts")
    assert field(applied(state, "SYSCALL_READ_X", fd=3, res=1), "fd.name") == "/etc/hosts"
    machine.files[3] = Descriptor("f", "/etc/passwd")
    event = applied(state, "SYSCALL_READ_X", fd=3, res=1)
    assert field(event, "fd.name") == "/etc/passwd"
    assert field(event, "proc.fdopencount") == 1
    assert field(event, "fd.types") == ("file",)
    del machine.files[3]
    assert field(applied(state, "SYSCALL_CLOSE_X", fd=3, res=0), "fd.name") == "/etc/passwd"


def test_the_working_directory_is_the_present_one() -> None:
    machine = Machine()
    state = asking(machine)
    applied(state, "SYSCALL_GETUID_X")
    machine.directory = "/elsewhere"
    event = applied(state, "SYSCALL_OPEN_X", fd=3, name="x", flags=1)
    assert (field(event, "fd.name"), field(event, "proc.cwd")) == ("/elsewhere/x", "/elsewhere/")


def test_a_program_that_the_event_does_not_tell_of_is_asked_for() -> None:
    machine = Machine()
    state = asking(machine)
    applied(state, "SYSCALL_GETUID_X")
    machine.comms[100] = "cat"
    assert field(applied(state, "SYSCALL_EXECVE_19_X", res=0), "proc.name") == "cat"


BIRTH = {"res": 0, "tid": 200, "pid": 200, "ptid": 100, "flags": 0, "vtid": 200, "vpid": 200}


def test_of_a_new_process_nobody_is_asked_where_its_maker_is_known() -> None:
    machine = Machine()
    state = asking(machine)
    applied(state, "SYSCALL_CLOSE_X", 100, res=0, fd=3)
    asked = list(machine.asked)
    event = applied(state, "SYSCALL_CLONE_20_X", 200, **BIRTH)
    assert machine.asked == asked
    assert (field(event, "proc.name"), field(event, "proc.ppid")) == ("shell", 100)
    assert field(event, "proc.aname", "2") == "init"


def test_a_new_process_of_an_unknown_one_is_asked_for() -> None:
    machine = Machine()
    machine.comms[200] = "child"
    applied(asking(machine), "SYSCALL_CLONE_20_X", 200, **BIRTH)
    assert machine.asked[0] == 200
