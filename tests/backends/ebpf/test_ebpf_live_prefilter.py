"""Prefilters on the running kernel: what they let pass is what rules match of all that there is.

Two backends watch the same calls, one of them without prefilters. Each rule is about a thread of a name of its own, so
that one prefilter decides all of them, each on every kind of call.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from refengine import Engine, load_rules
from refengine.backends.base import Connection
from refengine.backends.registry import availability, connect
from refengine.backends.target import Target
from refengine.event import Event
from refengine.interest import interest_of
from refengine.rulefile.rule import Rule
from refengine.source import Source
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
        assert not connection.warnings()
        yield connection
    finally:
        backend.close()


def alerts_of(
    rules: Sequence[Rule], program: str, *others: subprocess.Popen[bytes]
) -> list[tuple[Counter[tuple[str, str]], int]]:
    """Return what rules say of a program, and how many of its events came, with prefilters and without.

    They are watched until it is over, and `others` are.
    """
    with watching(rules, filtered=True) as narrow, watching(rules, filtered=False) as wide:
        child = subprocess.Popen([sys.executable, "-c", program])
        seen = {
            id(each): (each, Engine(rules, "all"), Counter[tuple[str, str]](), [0]) for each in (narrow, wide)
        }
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            is_over = all(process.poll() is not None for process in (child, *others))
            came = False
            for connection, engine, alerts, count in seen.values():
                events = connection.backend.read(0.02)
                assert events is not None
                came = came or bool(events)
                for event in events:
                    connection.observe(event)
                    alerts.update((alert.rule, alert.message) for alert in engine.process(event))
                    if (
                        isinstance(event, Event)
                        and event.thread is not None
                        and event.thread.pid == child.pid
                    ):
                        count[0] += 1
            if is_over and not came:
                break
        assert child.wait() == 0
        assert not any(sum(each.backend.statistics().dropped.values()) for each in (narrow, wide))
        return [(alerts, count[0]) for _, _, alerts, count in seen.values()]


def both_ways(comparisons: Iterable[str], calls: str) -> list[tuple[str, str]]:
    """Return a rule for each comparison and its opposite, with the name of the thread that it is about."""
    rules = []
    for position, comparison in enumerate(comparisons):
        for name, condition in ((f"p{position}", comparison), (f"n{position}", f"not {comparison}")):
            rules.append((name, f"evt.type in ({calls}) and proc.name = {name} and {condition}"))
    return rules


@pytest.fixture(scope="module", autouse=True)
def _available() -> None:
    found = availability("ebpf")
    if not found.available:
        pytest.skip(f"{found.reason}; {found.remedy}")


@pytest.mark.parametrize("comparisons", [COMPARISONS[::2], COMPARISONS[1::2]])
def test_sockets(comparisons: tuple[str, ...]) -> None:
    texts = both_ways(comparisons, CALLS)
    rules = load_rules(Source("sockets.yaml", "".join(rule_text(*each) for each in texts))).enabled("syscall")
    names = [name for name, _ in texts]
    program = (
        f"{NAMES}{SOCKETS}\nwith tempfile.TemporaryDirectory() as folder:\n"
        f"    for name in {names!r}:\n        call_myself(name)\n        work(folder)\n"
    )
    (narrow, few), (wide, many) = alerts_of(rules, program)
    assert wide - narrow == Counter()
    assert few < many / 1.5


ID = "0123456789abcdef" * 4
GROUPS = (
    f"docker/{ID}",
    f"system.slice/docker-{ID}.scope",
    "lxc/a",
    "default/a",
    "host/a",
    f"kubepods/pod1/{ID}/below",
)
CONTAINER_RULES = "".join(
    rule_text(name, f"evt.type = mkdir and proc.name = worker and {condition}")
    for name, condition in (
        ("inside", "container.id != host"),
        ("docker", "container.type = docker and evt.rawres < 0"),
        ("image", "container.image.repository = x"),
    )
)
WORKER = """
import ctypes, os, sys
ctypes.CDLL(None).prctl(15, b"worker", 0, 0, 0)
if len(sys.argv) > 1: sys.stdin.read(1)
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
    top = roots[0]
    made: list[Path] = []
    try:
        for group in GROUPS:
            folder = top
            for name in group.split("/"):
                folder /= name
                if not folder.exists():
                    folder.mkdir()
                    made.append(folder)
        yield [top / group for group in GROUPS]
    except OSError as error:
        pytest.skip(f"control groups cannot be made: {error}")
    finally:
        for folder in reversed(made):
            folder.rmdir()


def test_containers_that_begin_while_watched(groups: list[Path]) -> None:
    rules = load_rules(Source("containers.yaml", CONTAINER_RULES)).enabled("syscall")
    start = (
        f"import os, subprocess, sys\nfor group in {[str(group) for group in groups]!r}:\n"
        "    def enter(group=group):\n        open(group + '/cgroup.procs', 'w').write(str(os.getpid()))\n"
        f"    subprocess.run([sys.executable, '-c', {WORKER!r}], preexec_fn=enter, check=True)\n"
        f"subprocess.run([sys.executable, '-c', {WORKER!r}], check=True)\n"
    )
    (narrow, _), (wide, _) = alerts_of(rules, start)
    assert sum(number for (rule, _), number in wide.items() if rule == "inside") >= 25
    assert narrow == wide


def test_containers_that_were_there_before(groups: list[Path]) -> None:
    rules = load_rules(Source("containers.yaml", CONTAINER_RULES)).enabled("syscall")
    command = [sys.executable, "-c", WORKER, "wait"]
    workers = [subprocess.Popen(command, stdin=subprocess.PIPE) for _ in groups]
    for worker, group in zip(workers, groups, strict=True):
        (group / "cgroup.procs").write_text(str(worker.pid))
    release = f"for pid in {[worker.pid for worker in workers]}: open(f'/proc/{{pid}}/fd/0', 'w').write('x')"
    try:
        (narrow, _), (wide, _) = alerts_of(rules, release, *workers)
    finally:
        for worker in workers:
            worker.kill()
            worker.communicate()
    assert sum(number for (rule, _), number in wide.items() if rule == "inside") == 25
    assert narrow == wide


def test_events_of_the_host_stay_in_the_kernel() -> None:
    rules = load_rules(Source("containers.yaml", CONTAINER_RULES)).enabled("syscall")
    with watching(rules, filtered=True) as connection:
        before = connection.backend.statistics().filtered
        subprocess.run([sys.executable, "-c", WORKER], check=True)
        assert connection.backend.statistics().filtered - before >= 5


PATH_COMPARISONS = (
    "fd.name = {folder}/sub/wanted", "fd.name in ({folder}/wanted, /etc/shadow)", "fd.name startswith {folder}/s",
    "fd.name endswith /wanted", "fd.directory = {folder}/sub", "fd.directory in ({folder}, /)", "fd.filename = wanted",
    "fd.filename != .hidden", "fd.name glob {folder}/*ed", "fd.name pmatch ({folder}/sub, /dev)", "fd.nameraw contains ..",
    "fs.path.name = {folder}/wanted", "evt.arg.name endswith sub/wanted",
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
"""


def test_paths(tmp_path: Path) -> None:
    (tmp_path / "sub" / ("d" * 40)).mkdir(parents=True)
    for folder in (tmp_path, tmp_path / "sub", tmp_path / "sub" / ("d" * 40)):
        (folder / "wanted").write_text("x")
        (folder / ".hidden").write_text("x")
    comparisons = [comparison.format(folder=tmp_path) for comparison in PATH_COMPARISONS]
    texts = both_ways(comparisons, "open, openat, openat2")
    rules = load_rules(Source("paths.yaml", "".join(rule_text(*each) for each in texts))).enabled("syscall")
    program = (
        f"{NAMES}{SOCKETS}{PATHS}\nfor name in {[name for name, _ in texts]!r}:\n"
        f"    call_myself(name)\n    work({str(tmp_path)!r})\n"
    )
    (narrow, few), (wide, many) = alerts_of(rules, program)
    assert wide
    assert wide - narrow == Counter()
    assert few < many
