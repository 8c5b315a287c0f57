"""Opens that are let go at their entry: never one that a rule matches."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from refengine.backends.base import Interest
from refengine.backends.precondition import Comparison, Precondition
from refengine.backends.ptrace import binding
from refengine.backends.ptrace.filter import ArgumentTest
from refengine.backends.ptrace.opens import Foresight, access_modes, decides
from refengine.backends.ptrace.plan import make_plan
from refengine.backends.registry import connect
from refengine.backends.syscalls import kernel_bits as kb
from refengine.backends.target import Target
from refengine.engine import Engine
from refengine.event.paths import UNKNOWN_DIRECTORY
from refengine.interest import interest_of
from tests.backends.ptrace.conftest import Watch
from tests.engine.rules import loaded, rule
from tests.events import applied, machine

FLAGS = [
    os.O_RDONLY,
    os.O_WRONLY | os.O_CREAT | os.O_TRUNC,
    os.O_RDWR | os.O_APPEND,
    os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC,
    os.O_PATH,
    3,
]
PATHS = [
    "/etc/shadow",
    "/etc/../etc//shadow",
    "/",
    "/etc/",
    "shadow",
    "../etc/shadow",
    "./a b",
    "",
    "/etc/\nshadow",
    "/tmp/\udcff",
    "/" + "x" * 1100,
    "/home/me/.bash_history",
]
COMPARISONS = [
    "fd.name = /etc/shadow",
    "fd.name != /etc/shadow",
    "fd.name in (/etc/shadow, /home/me/shadow)",
    "fd.name startswith /etc/",
    "fd.name endswith shadow",
    "fd.name contains /etc",
    "fd.name icontains SHADOW",
    "fd.name glob '/*/shadow'",
    "fd.name regex '/etc/.*'",
    "fd.name pmatch (/etc, /home/*/.ssh)",
    "fd.name = <NA>",
    "fd.nameraw contains ../",
    "fd.nameraw startswith shadow",
    "fd.directory = /etc",
    "fd.directory = /",
    "fd.directory in (/home/me, /home)",
    "fd.filename = shadow",
    "fd.filename != shadow",
    "fd.typechar = f",
    "fd.typechar = d",
    "fd.typechar in (o, x)",
    "fd.type = file",
    "fd.type in (directory, ipv4)",
    "fd.num >= 0",
    "fd.num = -1",
    "fd.num != 5",
    "fd.num < 3",
    "fd.num in (-1, 4)",
    "evt.rawres > 0",
    "evt.rawres in (-2, -13)",
    "evt.rawres < -100",
    "evt.res = SUCCESS",
    "evt.res = ENOENT",
    "evt.res startswith E",
    "evt.res = -524",
    "evt.failed = true",
    "evt.is_open_read = true",
    "evt.is_open_write = true",
    "evt.is_open_write != true",
    "proc.name = cat",
    "proc.name in (cat, sh)",
    "proc.name startswith c",
    "fs.path.name startswith /etc",
    "fs.path.name glob '*/.*_history'",
    "user.uid = 1000",
    "proc.cmdline contains cat",
]

conditions = st.recursive(
    st.sampled_from(COMPARISONS),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(lambda parts: f"({' '.join(parts)})"),
        inner.map(lambda text: f"not ({text})"),
    ),
    max_leaves=8,
)


@given(
    condition=conditions,
    kind=st.sampled_from(["open", "openat", "openat2"]),
    flags=st.sampled_from(FLAGS),
    path=st.sampled_from(PATHS),
    directory=st.sampled_from([-100, 7]),
    comm=st.sampled_from(["cat", "sh", "", "other"]),
    is_known=st.booleans(),
    result=st.sampled_from([0, 3, 5, -errno.EPERM, -errno.ENOENT, -errno.EACCES, -524]),
)
@settings(max_examples=400)
def test_what_a_rule_matches_is_never_let_go(
    condition: str,
    kind: str,
    flags: int,
    path: str,
    directory: int,
    comm: str,
    is_known: bool,
    result: int,
) -> None:
    rules = loaded(rule("r", f"evt.type = {kind} and ({condition})")).rules
    precondition = interest_of(rules, decides).preconditions.get(kind, True)
    enum = {"open": "SYSCALL_OPEN_X", "openat": "SYSCALL_OPENAT_2_X", "openat2": "SYSCALL_OPENAT2_X"}[kind]
    params: dict[str, int] = {} if kind == "open" else {"dirfd": directory}
    event = applied(
        machine((100, 1, comm)), enum, fd=result, name=path, flags=kb.open_flags(flags), mode=0, **params
    )
    if not Engine(rules).process(event):
        return
    in_cwd = kind == "open" or directory == -100
    base: str | None = "/home/me/" if in_cwd else UNKNOWN_DIRECTORY
    if path.startswith("/"):
        base, in_cwd = "", False
    elif not is_known:
        base = None
    data = os.fsencode(path)
    assert Foresight(precondition).may_match(flags, data, base, in_cwd, comm if is_known else None)
    assert flags & os.O_ACCMODE in access_modes(precondition)


def foresight(condition: str) -> Foresight:
    rules = loaded(rule("r", f"evt.type = openat and ({condition})")).rules
    return Foresight(interest_of(rules, decides).preconditions["openat"])


@pytest.mark.parametrize(
    ("condition", "flags", "path"),
    [
        ("fd.name startswith /etc/", os.O_RDONLY, b"/usr/lib/x"),
        ("fd.name startswith /etc/", os.O_RDONLY, b"/etc/../usr/x"),
        ("fd.name pmatch (/etc, /home/*/.ssh)", os.O_RDONLY, b"/home/me/ssh"),
        ("fd.name startswith /etc/", os.O_RDONLY, b"include/stdio.h"),
        ("evt.is_open_write = true and fd.num >= 0", os.O_RDONLY, b"/etc/passwd"),
        ("fd.typechar = f and fd.num >= 0", os.O_RDONLY | os.O_DIRECTORY, b"/etc"),
        ("fd.num >= 0 and evt.failed = true", os.O_RDONLY, b"/etc"),
        ("evt.res = SUCCESS and fd.num = -1", os.O_RDONLY, b"/etc"),
        ("fd.filename = shadow", os.O_RDONLY, b"/etc/passwd"),
        ("proc.name = cat", os.O_RDONLY, b"/etc/passwd"),
        ("not fd.name startswith /etc/", os.O_RDONLY, b"/etc/passwd"),
    ],
)
def test_what_cannot_match_is_let_go(condition: str, flags: int, path: bytes) -> None:
    absolute = path.startswith(b"/")
    base = "" if absolute else "/home/me/"
    assert not foresight(condition).may_match(flags, path, base, not absolute, "sh")


def test_what_is_not_known_passes() -> None:
    assert foresight("fd.name startswith /etc/").may_match(0, b"shadow", None, True, None)
    assert foresight("proc.name = cat").may_match(0, b"/etc/shadow", "", False, None)
    assert foresight("fs.path.name startswith /etc/ and fd.num >= 0").may_match(0, b"x", "/usr/", False, None)


def test_the_filter_takes_what_the_access_mode_decides() -> None:
    def test_of(condition: str, name: str) -> ArgumentTest | None:
        types = "evt.type in (open, openat, openat2)"
        plan = make_plan(interest_of(loaded(rule("r", f"{types} and {condition}")).rules, decides))
        return next(call.test for call in plan.calls.values() if call.name == name)

    writing = frozenset({os.O_WRONLY, os.O_RDWR})
    condition = "evt.is_open_write = true and fd.name startswith /etc"
    assert test_of(condition, "openat") == ArgumentTest(2, writing, os.O_ACCMODE)
    assert test_of(condition, "open") == ArgumentTest(1, writing, os.O_ACCMODE)
    assert test_of(condition, "openat2") is None  # its flags are in memory
    assert test_of("fd.name startswith /etc", "openat") is None


def test_calls_that_nothing_can_match_are_not_traced() -> None:
    rules = loaded(rule("r", "evt.type in (openat, mkdir) and not evt.type = openat")).rules
    names = {call.name for call in make_plan(interest_of(rules, decides)).calls.values()}
    assert "mkdir" in names
    assert "openat" not in names


def below(folder: str) -> Precondition:
    return Comparison("fd.name", "startswith", (folder,), compares=lambda value: value.startswith(folder))


@pytest.mark.parametrize("use_filter", [True, False])
def test_only_opens_that_may_match_are_events(
    watch: Watch, python_program: Callable[[str], list[str]], use_filter: bool
) -> None:
    text = "import os\nfor name in ['/nowhere/a', '/wanted/b'] * 50:\n try: os.open(name, 0)\n except OSError: pass"
    interest = Interest(frozenset({"openat"}), frozenset(), {"openat": below("/wanted/")})
    run = watch(python_program(text), interest=interest, use_filter=use_filter)
    opened = run.named("openat")
    assert {event.param("name") for event in opened} == {"/wanted/b"}
    assert len(opened) == 50
    assert run.statistics.filtered >= 50
    assert run.statistics.seen >= run.statistics.delivered + 50


def test_kernels_that_do_not_tell_what_a_call_is_made_with(
    watch: Watch, python_program: Callable[[str], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(binding, "PTRACE_GET_SYSCALL_INFO", 0x42FF)
    interest = Interest(
        frozenset({"openat"}), frozenset({"evt.is_open_create"}), {"openat": below("/wanted/")}
    )
    run = watch(
        python_program("import os\ntry: os.open('/wanted/b', 0)\nexcept OSError: pass"), interest=interest
    )
    assert [event.param("name") for event in run.named("openat")] == ["/wanted/b"]
    assert run.statistics.filtered > 0


RULES = (
    rule("write", "evt.type in (open, openat, openat2) and evt.is_open_write = true and fd.num >= 0 "
         "and fd.name pmatch (FOLDER) and not proc.name = touch", "write %fd.name %proc.name")
    + rule("read", "evt.type in (open, openat) and evt.is_open_read = true and fd.typechar = f "
           "and fd.directory = /etc and not fd.filename in (passwd, ld.so.cache)", "read %fd.name %proc.name")
    + rule("dots", "evt.type = openat and fd.nameraw contains '../' and fd.name endswith .txt",
           "dots %fd.nameraw %fd.name")
    + rule("failed", "evt.type in (open, openat) and evt.failed = true and fd.name glob '*/absent*'",
           "failed %fd.name %evt.res")
    + rule("folder", "evt.type = openat and fd.typechar = d and proc.name in (ls, find)", "folder %fd.name")
)  # fmt: skip

SCRIPT = """
cd "$1" || exit 1
mkdir -p sub/deep; echo text > sub/deep/a.txt; touch touched
cat sub/deep/../deep/a.txt sub//deep/a.txt ./sub/./deep/a.txt absent.txt ../absent > /dev/null 2>&1
for name in hostname passwd group absent; do cat /etc/$name; done > copy.txt 2> /dev/null
ln -s sub/deep link; cat link/a.txt > out.txt; cd link; cat a.txt ../../out.txt > ../more.txt
ls .. > /dev/null; find "$1" -name '*.txt' > found.txt
(cd /; cat etc/hostname) > /dev/null; true
"""


def test_alerts_are_the_same_with_and_without(tmp_path: Path) -> None:
    runs = []
    for name in ("with", "without"):
        folder = tmp_path / name
        folder.mkdir()
        messages, filtered = alerts(
            RULES.replace("FOLDER", os.fspath(tmp_path)),
            ["sh", "-c", SCRIPT, "sh", os.fspath(folder)],
            foresee=name == "with",
        )
        runs.append(([message.replace(os.fspath(folder), "FOLDER") for message in messages], filtered))
    (with_alerts, filtered), (without_alerts, unfiltered) = runs
    assert with_alerts == without_alerts
    assert {text.split()[0] for text in with_alerts} == {"write", "read", "dots", "failed", "folder"}
    assert filtered > unfiltered


REUSE = """
import os, sys
for name in ("wanted", "other"):
    number = os.open(os.path.join(sys.argv[1], name), os.O_WRONLY | os.O_CREAT)
    if name == "other": os.fchmod(number, 0o640)
    os.close(number)
"""


@pytest.mark.parametrize("foresee", [True, False])
def test_a_number_that_stands_for_another_file_by_an_open_that_was_let_go(
    tmp_path: Path, python_program: Callable[[str], list[str]], foresee: bool
) -> None:
    rules = rule("open", "evt.type = openat and fd.name endswith /wanted", "%fd.name") + rule(
        "mode", "evt.type = fchmod and fs.path.name exists", "%fs.path.name"
    )
    messages, _ = alerts(rules, [*python_program(REUSE), os.fspath(tmp_path)], foresee=foresee)
    assert messages == [f"{tmp_path}/{name}" for name in ("wanted", "other")]


def alerts(text: str, command: Sequence[str], *, foresee: bool) -> tuple[list[str], int]:
    """Return the messages of the alerts on a command, and how many calls were let go."""
    rules = loaded(text).rules
    engine = Engine(rules, "all")
    connection = connect("ptrace", Target(command=tuple(command)))
    backend = connection.backend
    backend.open(interest_of(rules, backend.capabilities.decides if foresee else None))
    messages = []
    try:
        while (events := backend.read(5.0)) is not None:
            for event in events:
                connection.observe(event)
                messages += [alert.message for alert in engine.process(event)]
    finally:
        backend.close()
    return messages, backend.statistics().filtered
