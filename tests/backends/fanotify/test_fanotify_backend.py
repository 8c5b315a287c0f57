"""The backend on the live machine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from refengine.backends.base import Connection, Interest
from refengine.backends.fanotify.connect import availability
from refengine.backends.registry import connect
from refengine.backends.target import Target
from refengine.errors import BackendError
from refengine.event import Event
from refengine.tables.flags import FLAG_TABLES
from tests.running import ready

FILE = FLAG_TABLES["file_flags"]
FILES = Interest(frozenset({"openat", "mkdir", "rmdir", "unlink", "rename", "symlink"}))


@pytest.fixture(autouse=True)
def _available() -> None:
    found = availability()
    if not found.available:
        pytest.skip(found.reason)


class Watching:
    """A backend that is read in the test's own pace."""

    def __init__(self, target: Target, interest: Interest) -> None:
        self.connection: Connection = connect("fanotify", target)
        self.connection.backend.open(interest)
        self.events: list[Event] = []

    def until(self, enough: Callable[[Sequence[Event]], bool], seconds: float = 60) -> list[Event]:
        """Read until enough has been seen; return all."""
        end = time.monotonic() + seconds
        while not enough(self.events) and time.monotonic() < end:
            for event in self.connection.backend.read(0.1) or ():
                assert isinstance(event, Event)
                self.connection.observe(event)
                self.events.append(event)
        return self.events

    def of(self, path: Path, name: str = "openat", count: int = 1) -> list[Event]:
        """Return the events of a type on a path once there are `count` of them."""

        def found(events: Sequence[Event]) -> list[Event]:
            return [event for event in events if event.name == name and str(path) in event.params]

        return found(self.until(lambda events: len(found(events)) >= count))


@pytest.fixture
def watch() -> Iterator[Callable[[Target, Interest], Watching]]:
    made: list[Watching] = []

    def start(target: Target, interest: Interest = FILES) -> Watching:
        made.append(Watching(target, interest))
        return made[-1]

    yield start
    for one in made:
        one.connection.backend.close()


Start = Callable[..., Watching]


def shell(text: str, folder: Path) -> int:
    process = subprocess.Popen(["/bin/sh", "-c", text], cwd=folder, stdout=subprocess.DEVNULL)
    assert process.wait(60) == 0
    return process.pid


@contextmanager
def staying(text: str, folder: Path) -> Iterator[int]:
    """Have a shell run what stays until its input ends, so that it can be looked at; give its number."""
    with subprocess.Popen(
        ["/bin/sh", "-c", text], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
    ) as process:
        yield process.pid


def test_a_folder_is_watched_with_all_that_is_below_it(watch: Start, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    watching = watch(Target(watched=(tmp_path,)))
    shell("echo x > sub/a", tmp_path)
    (event,) = watching.of(tmp_path / "sub" / "a")
    assert event.param("flags") == FILE["O_WRONLY"] | FILE["O_F_CREATED"]


def test_new_and_moved_folders_are_followed(watch: Start, tmp_path: Path) -> None:
    watching = watch(Target(watched=(tmp_path,)))
    shell("mkdir new", tmp_path)
    watching.of(tmp_path / "new", "mkdir")
    shell("echo x > new/a; mv new other", tmp_path)
    watching.of(tmp_path / "other", "rename")
    shell("echo x > other/b; rm -r other", tmp_path)
    watching.of(tmp_path / "other", "rmdir")
    names = [(event.name, event.param("name") or event.param("path")) for event in watching.events]
    assert ("openat", f"{tmp_path}/new/a") in names
    assert ("openat", f"{tmp_path}/other/b") in names
    assert ("unlink", f"{tmp_path}/other/a") in names


def test_a_single_file_is_watched_whoever_puts_another_in_its_place(watch: Start, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("x")
    watching = watch(Target(watched=(file,)))
    shell("cat file; echo y > beside; mv beside file; cat file", tmp_path)
    assert len(watching.of(file, count=2)) == 2
    assert watching.of(file, "rename")
    assert not [event for event in watching.events if event.param("name") == f"{tmp_path}/beside"]


def test_links_and_removals_are_told_of(watch: Start, tmp_path: Path) -> None:
    watching = watch(Target(watched=(tmp_path,)))
    shell("ln -s /etc/passwd link", tmp_path)
    (made,) = watching.of(tmp_path / "link", "symlink")
    assert made.param("target") == "/etc/passwd"
    shell("rm link", tmp_path)
    assert watching.of(tmp_path / "link", "unlink")


def test_a_path_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BackendError, match="No such file"):
        connect("fanotify", Target(watched=(tmp_path / "none" / "such",))).backend.open(FILES)


def test_a_command_is_not_for_this_backend() -> None:
    with pytest.raises(BackendError, match="--watch"):
        connect("fanotify", Target(command=("true",)))


def test_closing_twice_does_no_harm_and_reading_ends(watch: Start, tmp_path: Path) -> None:
    backend = watch(Target(watched=(tmp_path,))).connection.backend
    backend.close()
    backend.close()
    assert backend.read(0.1) is None


@pytest.mark.root
def test_the_machine_is_watched_and_who_did_it_is_known(watch: Start, tmp_path: Path) -> None:
    watching = watch(Target(), Interest(None))
    with staying("echo x > a; cat a -; exit", tmp_path) as pid:
        written, read = watching.of(tmp_path / "a", count=2)
    assert written.tid == pid
    assert written.thread is not None
    assert read.thread is not None
    assert (written.thread.comm, read.thread.comm) == ("sh", "cat")
    assert read.thread.ptid == pid
    assert (written.param("flags"), read.param("flags")) == (
        FILE["O_WRONLY"] | FILE["O_F_CREATED"],
        FILE["O_RDONLY"],
    )


@pytest.mark.root
def test_what_we_do_ourselves_is_left_out(watch: Start, tmp_path: Path) -> None:
    watching = watch(Target())
    (tmp_path / "own").write_text("x")
    shell("echo x > other", tmp_path)
    assert watching.of(tmp_path / "other")
    assert not watching.of(tmp_path / "own", count=0)
    assert watching.connection.backend.statistics().filtered


@pytest.mark.root
def test_programs_are_told_of_with_their_arguments_and_parents(watch: Start, tmp_path: Path) -> None:
    watching = watch(Target(), Interest(frozenset({"execve"})))
    with staying("sleep 0.1; exec cat -", tmp_path) as pid:

        def cats(events: Sequence[Event]) -> list[Event]:
            own = [event for event in events if event.name == "execve" and event.tid == pid]
            return [event for event in own if event.param("args") == b"-\0"]

        (event,) = cats(watching.until(lambda events: bool(cats(events))))
    assert event.thread is not None
    assert (event.thread.comm, event.thread.args) == ("cat", ("-",))
    assert event.thread.cwd == f"{tmp_path}/"
    assert event.thread.ptid == os.getpid()


@pytest.mark.root
@pytest.mark.slow
def test_overflows_of_the_queue_are_counted(watch: Start, tmp_path: Path) -> None:
    limit = int(Path("/proc/sys/fs/fanotify/max_queued_events").read_text())
    if limit > 50_000:
        pytest.skip("the queue is too long to be filled in a test")
    watching = watch(Target(watched=(tmp_path,)))
    text = (
        "import os\nfor i in range(int(os.sys.argv[1])): os.close(os.open(str(i), os.O_WRONLY | os.O_CREAT))"
    )
    subprocess.run([sys.executable, "-S", "-c", text, str(limit + 500)], cwd=tmp_path, check=True)
    watching.until(lambda _: bool(watching.connection.backend.statistics().dropped), 30)
    assert list(watching.connection.backend.statistics().dropped.values()) == [1]


@pytest.mark.root
def test_opens_that_are_held_show_all_their_flags(watch: Start, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("x")
    watching = watch(Target(watched=(tmp_path,), held=(file,)))
    backend = watching.connection.backend
    expected = [
        (FILE["O_WRONLY"] | FILE["O_CREAT"] | FILE["O_APPEND"], 0o666),
        (FILE["O_WRONLY"] | FILE["O_CREAT"] | FILE["O_TRUNC"], 0o666),
    ]
    while True:
        late = backend._holding.late  # type: ignore[attr-defined]
        shell("echo y >> file; : > file", tmp_path)
        found = [(event.param("flags"), event.param("mode")) for event in watching.of(file, count=2)]
        if found == expected:
            break
        # No open is held for longer than a moment, and on a busy machine that may pass before it was looked at.
        watching.events.clear()
        watching.until(lambda _, late=late: backend._holding.late > late)  # type: ignore[misc, attr-defined]
        assert backend._holding.late > late, found  # type: ignore[attr-defined]
        watching.events.clear()


@pytest.mark.root
@pytest.mark.parametrize("number", [signal.SIGSTOP, signal.SIGKILL])
def test_nobody_waits_for_a_holder_that_is_stopped_or_killed(
    watch: Start, tmp_path: Path, number: signal.Signals
) -> None:
    file = tmp_path / "file"
    file.write_text("x")
    watching = watch(Target(watched=(tmp_path,), held=(file,)))
    holder = watching.connection.backend._holding  # type: ignore[attr-defined]
    os.kill(holder.pid, number)
    reader = subprocess.Popen(["cat", str(file)], stdout=subprocess.DEVNULL)
    watching.until(lambda _: reader.poll() is not None)
    assert reader.poll() == 0
    assert watching.of(file)


@pytest.fixture
def program(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """Give the program watching a folder and holding the opens of a file in it, and the file."""
    file = tmp_path / "file"
    file.write_text("x")
    rules = tmp_path / "rules.yaml"
    rules.write_text("- {rule: r, desc: d, condition: evt.type = openat, output: o, priority: INFO}\n")
    with ready(
        "--backend", "fanotify", "-r", rules, "-M", "600", "--exact-opens", file, "--watch", tmp_path
    ) as process:
        assert len(children(process.pid)) >= 2
        yield process, file


@pytest.mark.root
@pytest.mark.slow
def test_nobody_waits_when_the_watching_program_is_stopped(
    program: tuple[subprocess.Popen[str], Path],
) -> None:
    process, file = program
    os.kill(process.pid, signal.SIGSTOP)
    subprocess.run(["cat", str(file)], check=True, stdout=subprocess.DEVNULL, timeout=60)


@pytest.mark.root
@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_nobody_is_left_behind(program: tuple[subprocess.Popen[str], Path], number: signal.Signals) -> None:
    process, file = program
    left = children(process.pid)
    os.kill(process.pid, number)
    process.wait(60)
    until = time.monotonic() + 60
    while any(map(is_running, left)) and time.monotonic() < until:
        time.sleep(0.05)
    assert not any(map(is_running, left))
    subprocess.run(["cat", str(file)], check=True, stdout=subprocess.DEVNULL, timeout=60)


def children(pid: int) -> list[int]:
    """Return the numbers of the processes that a process has started and that run."""
    numbers = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]
    return [number for number in numbers if (columns := status(number)) and int(columns[1]) == pid]


def is_running(pid: int) -> bool:
    """Return whether there is such a process, and it has not ended."""
    columns = status(pid)
    return columns is not None and columns[0] != "Z"


def status(pid: int) -> list[str] | None:
    """Return the state of a process, its parent and so on."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
