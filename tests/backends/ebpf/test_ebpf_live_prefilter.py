"""Prefilters on the running kernel: what they let pass is what rules match of all that there is.

Two backends watch the same calls, one of them without prefilters. Each rule is about a thread of a name of its own, so
that one prefilter decides all of them, each on every kind of call.

They watch the whole machine, where other tests do the same at the same time: names are random, only what threads of
these names do is evaluated, and it is that of which nothing may be missing. Whether anything else was lost shows nothing.
"""

from __future__ import annotations

import secrets
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from refengine import Engine, load_rules
from refengine.backends.base import Connection
from refengine.backends.registry import connect
from refengine.backends.target import Target
from refengine.event import Event
from refengine.interest import interest_of
from refengine.rulefile.rule import Rule
from refengine.source import Source
from tests.control_groups import control_group
from tests.corpus import corpus
from tests.ebpf import MARGIN, QUIET, require_ebpf
from tests.socket_comparisons import COMPARISONS

pytestmark = [pytest.mark.root, pytest.mark.slow]

NAMES = """
import ctypes, os, socket, tempfile
libc = ctypes.CDLL(None)
def call_myself(name):
    libc.prctl(15, name.encode(), 0, 0, 0)
"""

SOCKETS = """
def attempt(function, *arguments):
    try:
        return function(*arguments)
    except OSError:
        return None

def datagrams(family, to):
    with socket.socket(family, socket.SOCK_DGRAM) as s:
        attempt(s.sendto, b"x", to)
        attempt(s.sendmsg, [b"x"], [], 0, to)
    with socket.socket(family, socket.SOCK_DGRAM) as s:
        attempt(s.connect, to)
        attempt(s.send, b"x")
        attempt(s.sendmsg, [b"x"])
        libc.connect(s.fileno(), bytes(16), 16)
        s.getsockopt(socket.SOL_SOCKET, socket.SO_TYPE)

def stream(family, at, to):
    server = socket.socket(family)
    server.bind(at)
    server.listen()
    at = to if family == socket.AF_UNIX else (to, server.getsockname()[1])
    client = socket.socket(family)
    client.setblocking(False)
    client.connect_ex(at)
    server.setblocking(True)
    connection, _ = server.accept()
    client.setblocking(True)
    attempt(client.connect, at)
    client.send(b"x")
    client.sendmsg([b"x"])
    connection.recv(1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for each in (client, connection, server):
        os.close(os.dup(each.fileno()))
        os.write(each.fileno(), b"x") if each is not server else None
    connection.close()
    client.close()
    server.setblocking(False)
    attempt(server.accept)
    server.close()
    again = socket.socket(family)
    attempt(again.connect, at)
    again.close()

def work(folder):
    stream(socket.AF_INET, ("127.0.0.1", 0), "127.0.0.1")
    stream(socket.AF_INET, ("0.0.0.0", 0), "127.0.0.3")
    datagrams(socket.AF_INET, ("127.0.0.1", 53))
    datagrams(socket.AF_INET, ("127.0.0.2", 40000))
    if socket.has_ipv6 and os.path.exists("/proc/net/if_inet6"):
        stream(socket.AF_INET6, ("::1", 0), "::1")
        stream(socket.AF_INET6, ("::", 0), "::ffff:127.0.0.1")
        datagrams(socket.AF_INET6, ("::1", 53))
        datagrams(socket.AF_INET6, ("::ffff:127.0.0.1", 443))
    path = os.path.join(folder, "s")
    stream(socket.AF_UNIX, path, path)
    os.unlink(path)
    datagrams(socket.AF_UNIX, path)
    netlink = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
    attempt(netlink.sendto, bytes(16), (0, 0))
    netlink.close()
    number = os.open(os.path.join(folder, "f"), os.O_CREAT | os.O_WRONLY)
    os.write(number, b"x")
    os.close(os.dup(number))
    libc.connect(number, bytes(16), 16)
    libc.connect(number, ctypes.c_void_p(1), 16)
    os.close(number)
    libc.connect(1000, bytes(16), 16)
    for each in os.pipe():
        os.close(os.dup(each))
        os.close(each)
"""

CALLS = "connect, accept, accept4, listen, sendto, sendmsg, dup, write, setsockopt, getsockopt"


def rule_text(name: str, condition: str) -> str:
    return f"- rule: {name}\n  desc: d\n  condition: >-\n    {condition}\n  output: '%evt.type %evt.rawres'\n  priority: INFO\n"


@contextmanager
def watching(rules: Sequence[Rule], *, filtered: bool) -> Iterator[Connection]:
    connection = connect("ebpf", Target())
    backend = connection.backend
    backend.open(interest_of(rules, backend.capabilities.decides if filtered else None))
    try:
        # There may be others, of what else runs on the machine.
        assert not [warning for warning in connection.warnings() if "does not take" in warning]
        yield connection
    finally:
        backend.close()


@dataclass
class Told:
    """What was told of threads of some names: the alerts of rules, and how many events of their types of each name."""

    alerts: Counter[tuple[str, str]] = field(default_factory=Counter)
    events: Counter[str] = field(default_factory=Counter)


ATTEMPTS = 4
"""How often a program is run while events are lost, of which those of others are the most: that shows nothing."""


def told_of(
    rules: Sequence[Rule], names: Collection[str], program: str, *others: subprocess.Popen[bytes]
) -> tuple[Told, Told]:
    """Return what is told with prefilters, and what without, until a program is over and `others` are."""
    for _ in range(ATTEMPTS):
        told, lost = told_once(rules, names, program, *others)
        if not lost or others:
            break
    return told


def told_once(
    rules: Sequence[Rule], names: Collection[str], program: str, *others: subprocess.Popen[bytes]
) -> tuple[tuple[Told, Told], int]:
    """Return the same, and how many events were lost."""
    with watching(rules, filtered=True) as narrow, watching(rules, filtered=False) as wide:
        child = subprocess.Popen([sys.executable, "-c", program])
        told = (Told(), Told())
        types = {name for rule in rules for name in rule.event_types}
        engines = [(narrow, Engine(rules, "all"), told[0]), (wide, Engine(rules, "all"), told[1])]
        end = 0
        deadline = time.monotonic() + 200
        while engines:
            assert time.monotonic() < deadline
            if not end and all(process.poll() is not None for process in (child, *others)):
                end = time.time_ns() + MARGIN
            for each in tuple(engines):
                connection, engine, found = each
                events = connection.backend.read(QUIET if end else 0.02)
                assert events is not None
                for event in events:
                    connection.observe(event)
                    if isinstance(event, Event) and event.thread is not None and event.thread.comm in names:
                        found.events[event.thread.comm] += event.name in types
                        found.alerts.update((alert.rule, alert.message) for alert in engine.process(event))
                if end and (not events or events[-1].time > end):
                    engines.remove(each)
        assert child.wait() == 0
        lost = sum(sum(each.backend.statistics().dropped.values()) for each in (narrow, wide))
        return told, lost


def both_ways(comparisons: Iterable[str], calls: str) -> list[tuple[str, str]]:
    """Return a rule for each comparison and its opposite, with the name of the thread that it is about."""
    token = secrets.token_hex(4)
    rules = []
    for position, comparison in enumerate(comparisons):
        for name, condition in (
            (f"p{position}-{token}", comparison),
            (f"n{position}-{token}", f"not {comparison}"),
        ):
            assert len(name) < 16
            rules.append((name, f"evt.type in ({calls}) and proc.name = {name} and {condition}"))
    return rules


@pytest.fixture(scope="module", autouse=True)
def _available() -> None:
    require_ebpf()


@pytest.mark.parametrize("comparisons", [COMPARISONS[::2], COMPARISONS[1::2]])
def test_sockets(comparisons: tuple[str, ...]) -> None:
    texts = both_ways(comparisons, CALLS)
    rules = load_rules(Source("sockets.yaml", "".join(rule_text(*each) for each in texts))).enabled("syscall")
    names = [name for name, _ in texts]
    program = (
        f"{NAMES}{SOCKETS}\nwith tempfile.TemporaryDirectory() as folder:\n"
        f"    for name in {names!r}:\n        call_myself(name)\n        work(folder)\n"
        "    call_myself('over')\n"
    )
    narrow, wide = told_of(rules, names, program)
    assert_all_is_told(wide, names)
    assert wide.alerts - narrow.alerts == Counter()
    assert narrow.events.total() < wide.events.total() / 1.5


def assert_all_is_told(told: Told, names: Sequence[str]) -> None:
    """Assert that no event is missing: threads of all names have done the same."""
    assert {told.events[name] for name in names} == {told.events[names[0]]}
    assert told.events[names[0]]


def container_rules(name: str) -> Sequence[Rule]:
    """Return rules on threads of a name and what runs in containers."""
    conditions = (
        ("inside", "container.id != host"),
        ("docker", "container.type = docker and evt.rawres < 0"),
        ("image", "container.image.repository = x"),
    )
    text = "".join(
        rule_text(rule, f"evt.type = mkdir and proc.name = {name} and {condition}")
        for rule, condition in conditions
    )
    return load_rules(Source("containers.yaml", text)).enabled("syscall")


@pytest.fixture
def name() -> str:
    return f"worker-{secrets.token_hex(4)}"


MADE = 5
"""How many folders each of these tries to make."""

WORKER = """
import ctypes, os, sys
ctypes.CDLL(None).prctl(15, sys.argv[1].encode(), 0, 0, 0)
if len(sys.argv) > 2: sys.stdin.read(1)
for _ in range(3):
    try: os.mkdir("/proc/none")
    except OSError: pass
if os.fork() == 0:
    for _ in range(2):
        try: os.mkdir("/proc/none")
        except OSError: pass
    os._exit(0)
os.wait()
"""


@pytest.fixture(scope="module", params=["memory", "unified"])
def groups(request: pytest.FixtureRequest) -> Iterator[list[Path]]:
    """Control groups named as runtimes name them, and one that is not."""
    wanted = "memory" if request.param == "memory" else "cgroup2"
    rows = [row.split() for row in Path("/proc/mounts").read_text().splitlines()]
    roots = [
        Path(row[1]) for row in rows if row[2].startswith("cgroup") and wanted in (row[2], *row[3].split(","))
    ]
    if not roots:
        pytest.skip(f"no hierarchy of control groups: {request.param}")
    id, name = secrets.token_hex(32), secrets.token_hex(8)
    paths = (
        f"docker/{id}",
        f"system.slice/docker-{id}.scope",
        f"lxc/{name}",
        f"default/{name}",
        f"host/{name}",
        f"kubepods/pod{name}/{id}/below",
    )
    with ExitStack() as stack:
        try:
            made = [stack.enter_context(control_group(roots[0], path)) for path in paths]
        except OSError as error:
            pytest.skip(f"control groups cannot be made: {error}")
        yield made


INSIDE = 5
"""How many of the groups are a container's: all but that of the host."""


def test_containers_that_begin_while_watched(groups: list[Path], name: str) -> None:
    start = (
        f"import os, subprocess, sys\nfor group in {[str(group) for group in groups]!r}:\n"
        "    def enter(group=group):\n        open(group + '/cgroup.procs', 'w').write(str(os.getpid()))\n"
        f"    subprocess.run([sys.executable, '-c', {WORKER!r}, {name!r}], preexec_fn=enter, check=True)\n"
        f"subprocess.run([sys.executable, '-c', {WORKER!r}, {name!r}], check=True)\n"
    )
    narrow, wide = told_of(container_rules(name), [name], start)
    assert wide.events[name] == (len(groups) + 1) * MADE
    assert inside(wide) == INSIDE * MADE
    assert narrow.alerts == wide.alerts


def test_containers_that_were_there_before(groups: list[Path], name: str) -> None:
    command = [sys.executable, "-c", WORKER, name, "wait"]
    workers = [subprocess.Popen(command, stdin=subprocess.PIPE) for _ in groups]
    for worker, group in zip(workers, groups, strict=True):
        (group / "cgroup.procs").write_text(str(worker.pid))
    release = f"for pid in {[worker.pid for worker in workers]}: open(f'/proc/{{pid}}/fd/0', 'w').write('x')"
    try:
        narrow, wide = told_of(container_rules(name), [name], release, *workers)
    finally:
        for worker in workers:
            worker.kill()
            worker.communicate()
    assert wide.events[name] == len(groups) * MADE
    assert inside(wide) == INSIDE * MADE
    assert narrow.alerts == wide.alerts


def inside(told: Told) -> int:
    return sum(number for (rule, _), number in told.alerts.items() if rule == "inside")


def test_events_of_the_host_stay_in_the_kernel(name: str) -> None:
    with watching(container_rules(name), filtered=True) as connection:
        before = connection.backend.statistics().filtered
        subprocess.run([sys.executable, "-c", WORKER, name], check=True)
        assert connection.backend.statistics().filtered - before >= MADE


PATH_COMPARISONS = (
    "fd.name = {folder}/sub/wanted", "fd.name in ({folder}/wanted, /etc/shadow)", "fd.name startswith {folder}/s",
    "fd.name endswith /wanted", "fd.directory = {folder}/sub", "fd.directory in ({folder}, /)", "fd.filename = wanted",
    "fd.filename != .hidden", "fd.name glob {folder}/*ed", "fd.name pmatch ({folder}/sub, /dev)", "fd.nameraw contains ..",
    "fs.path.name = {folder}/wanted", "evt.arg.name endswith sub/wanted", "fd.name contains b/want",
    "fd.name contains /.", "fd.filename contains wante", "evt.arg.flags contains O_CREAT",
    "evt.arg.flags contains O_TRUNC", "fd.name contains {folder}/s",
)  # fmt: skip
PATHS = """
import sys
def work(folder):
    top = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    leaf = os.path.basename(folder)
    for here in (folder, folder + "/sub", folder + "/sub/" + "d" * 40, "/"):
        os.chdir(here)
        for name in ("wanted", "./wanted", "sub/wanted", "../wanted", "sub/../wanted", ".hidden", "./.hidden", "absent",
                     "sub/.hidden", "..", ".", "//dev/null", "/dev/null", "/dev/./null", folder[1:] + "/wanted",
                     folder + "/wanted", folder + "/sub/wanted", folder + "//wanted", folder + "/sub/../wanted",
                     f"../{leaf}/wanted", folder + "/" + "x" * 250, "sub/" + "y" * 300):
            for place in (None, top):
                number = attempt(lambda: os.open(name, os.O_RDONLY, dir_fd=place))
                if number is not None:
                    os.close(number)
    number = os.open(folder + "/wanted", os.O_WRONLY | os.O_CREAT)
    os.close(number)
    os.close(os.open(folder + "/sub/wanted", os.O_WRONLY | os.O_TRUNC))
"""
LINK_COMPARISONS = (
    "evt.arg.oldpath = {folder}/wanted", "evt.arg.oldpath in ({folder}/sub/wanted, /etc/shadow)",
    "evt.arg.oldpath endswith /wanted", "evt.arg.oldpath startswith {folder}/s", "evt.arg.oldpath contains b/want",
    "evt.arg.target = {folder}/wanted", "evt.arg.target in ({folder}/sub/wanted, /etc/shadow)",
    "evt.arg.target startswith {folder}/sub", "evt.arg.newpath = {folder}/new", "evt.arg.linkpath = {folder}/new",
)  # fmt: skip
LINKS = """
def work(folder):
    top = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    new = folder + "/new"
    for here in (folder, folder + "/sub", "/"):
        os.chdir(here)
        for name in ("wanted", "./wanted", "sub/wanted", "../wanted", "absent", folder + "/wanted", folder + "/sub/wanted",
                     folder + "//wanted", folder[1:] + "/wanted", "/etc/shadow/x"):
            attempt(os.symlink, name, new)
            attempt(os.unlink, new)
            attempt(lambda: os.symlink(name, "new", dir_fd=top))
            attempt(os.unlink, new)
            attempt(os.link, name, new)
            attempt(os.unlink, new)
            attempt(lambda: os.link(name, "new", src_dir_fd=top, dst_dir_fd=top))
            attempt(os.unlink, new)
            if attempt(os.rename, name, new) is None and os.path.lexists(new):
                os.rename(new, name)
            attempt(lambda: os.rename(name, new, src_dir_fd=top))
            if os.path.lexists(new):
                os.rename(new, name, dst_dir_fd=top)
    os.close(top)
"""


@pytest.mark.corpus
@pytest.mark.parametrize("file", ["falco_rules", "falco-incubating_rules", "falco-sandbox_rules"])
def test_the_kernel_takes_the_prefilters_of_public_rules(file: str) -> None:
    rules = load_rules(corpus(f"rules/{file}.yaml")).enabled("syscall")
    connection = connect("ebpf", Target())
    backend = connection.backend
    backend.open(interest_of(rules, backend.capabilities.decides))
    try:
        assert [warning for warning in connection.warnings() if "does not take" in warning] == []
    finally:
        backend.close()


@pytest.mark.parametrize(
    ("each_comparison", "calls", "work"),
    [
        (PATH_COMPARISONS, "open, openat, openat2", PATHS),
        (LINK_COMPARISONS, "rename, renameat, renameat2, link, linkat, symlink, symlinkat", LINKS),
    ],
    ids=["opens", "links"],
)
def test_paths(tmp_path: Path, each_comparison: tuple[str, ...], calls: str, work: str) -> None:
    (tmp_path / "sub" / ("d" * 40)).mkdir(parents=True)
    for folder in (tmp_path, tmp_path / "sub", tmp_path / "sub" / ("d" * 40)):
        (folder / "wanted").write_text("x")
        (folder / ".hidden").write_text("x")
    comparisons = [comparison.format(folder=tmp_path) for comparison in each_comparison]
    texts = both_ways(comparisons, calls)
    rules = load_rules(Source("paths.yaml", "".join(rule_text(*each) for each in texts))).enabled("syscall")
    names = [name for name, _ in texts]
    program = (
        f"{NAMES}{SOCKETS}{work}\nfor name in {names!r}:\n"
        f"    call_myself(name)\n    work({str(tmp_path)!r})\n"
        "call_myself('over')\n"
    )
    narrow, wide = told_of(rules, names, program)
    assert_all_is_told(wide, names)
    assert wide.alerts
    assert wide.alerts - narrow.alerts == Counter()
    assert narrow.events.total() < wide.events.total()
