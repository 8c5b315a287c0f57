"""Public rules on the running kernel: each of these does for real what a rule is there for.

Other tests watch and work at the same time: each of these is to have its own alert, and nothing is said of what others do.
"""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from refengine import Engine, load_rules
from refengine.backends.registry import connect
from refengine.backends.target import Target
from refengine.event import Event
from refengine.event.recorded import RecordedEvent
from refengine.interest import interest_of
from tests.control_groups import control_group
from tests.corpus import corpus
from tests.ebpf import observed, require_ebpf

pytestmark = [pytest.mark.root, pytest.mark.slow, pytest.mark.corpus]

CGROUP = Path("/sys/fs/cgroup/memory")

SOURCE = """
import ctypes, os, signal, socket, subprocess, sys, time
libc = ctypes.CDLL(None, use_errno=True)
what, folder = sys.argv[1], sys.argv[2]
os.chdir(folder)
def run(*command, **options): subprocess.run(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL, **options)
def copy(name, source="/bin/true"):
    path = os.path.join(folder, name)
    with open(source, "rb") as old, open(path, "wb") as new: new.write(old.read())
    os.chmod(path, 0o755)
    return path
def named(name, program):
    run(copy(name, os.path.realpath(sys.executable)), "-c", program, env={**os.environ, "PYTHONHOME": sys.base_prefix})
if what == "sensitive": run("cat", "/etc/shadow")
elif what == "traversal": run("cat", "/etc/../etc/../etc/shadow")
elif what == "trusted": named("nginx", "import time; time.sleep(5.5); open('/etc/shadow')")
elif what == "shell": named("nginx", "import subprocess; subprocess.run(['/bin/sh', '-c', ':'])")
elif what == "system user":
    # A folder that the other user may look into.
    os.chdir("/")
    folder = "/tmp/provoke-%d" % os.getpid(); os.mkdir(folder, 0o755); path = copy("login")
    run(path, user="daemon"); os.unlink(path); os.rmdir(folder)
elif what == "netcat": run(copy("nc"), "-e", "/bin/sh")
elif what == "keys": run("grep", "-r", "BEGIN RSA PRIVATE", folder)
elif what == "log": open("auth.log", "w").close(); os.open("auth.log", os.O_WRONLY | os.O_TRUNC)
elif what == "bulk": run(copy("shred"), "x")
elif what == "symlink": os.symlink("/etc/shadow", "link")
elif what == "hardlink":
    try: os.link("/etc/shadow", "hard")
    except OSError: pass
elif what == "packet": socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
elif what == "redirect":
    server = socket.socket(); server.bind(("127.0.0.1", 0)); server.listen()
    client = socket.create_connection(server.getsockname()); os.dup2(client.fileno(), 0)
elif what == "release": open("release_agent", "w").close()
elif what == "attach":
    child = os.fork()
    if child == 0:
        libc.prctl(1, 9)  # killed when its parent ends, however that is
        while True: signal.pause()
    libc.ptrace(16, child, 0, 0); os.waitpid(child, 0); libc.ptrace(17, child, 0, 0)
    os.kill(child, signal.SIGKILL); os.waitpid(child, 0)
elif what == "antidebug": libc.ptrace(0, 0, 0, 0)
elif what == "aws": run("grep", "aws_access_key_id", "x")
elif what == "shm":
    path = "/dev/shm/program-%d" % os.getpid()
    with open("/bin/true", "rb") as old, open(path, "wb") as new: new.write(old.read())
    os.chmod(path, 0o755); run(path); os.unlink(path)
elif what == "memfd":
    number = os.memfd_create("hidden")
    with open("/bin/true", "rb") as old: os.write(number, old.read())
    path = "/proc/self/fd/%d" % number
    if os.fork() == 0: os.execv(path, ["hidden"])
    os.wait()
elif what == "ssh": named("ssh", "import socket; s = socket.socket(); s.setblocking(0); s.connect_ex(('203.0.113.9', 443))")
elif what == "terminal":
    named("runc", "import pty; pty.spawn(['/bin/sh', '-c', ':'])")
elif what == "upper":
    for name in ("low", "up", "work", "merged"): os.mkdir(name)
    run("mount", "-t", "overlay", "o", "-o", "lowerdir=low,upperdir=up,workdir=work", "merged")
    try:
        with open("/bin/true", "rb") as old, open("merged/new", "wb") as new: new.write(old.read())
        os.chmod("merged/new", 0o755); run("./merged/new")
    finally: run("umount", "merged")
"""

PROVOCATIONS: Mapping[str, str] = {
    "sensitive": "Read sensitive file untrusted",
    "traversal": "Directory traversal monitored file read",
    "trusted": "Read sensitive file trusted after startup",
    "shell": "Run shell untrusted",
    "system user": "System user interactive",
    "keys": "Search Private Keys or Passwords",
    "log": "Clear Log Activities",
    "bulk": "Remove Bulk Data from Disk",
    "symlink": "Create Symlink Over Sensitive Files",
    "hardlink": "Create Hardlink Over Sensitive Files",
    "attach": "PTRACE attached to process",
    "antidebug": "PTRACE anti-debug attempt",
    "aws": "Find AWS Credentials",
    "shm": "Execution from /dev/shm",
    "memfd": "Fileless execution via memfd_create",
    "ssh": "Disallowed SSH Connection Non Standard Port",
}
"""What the program above does, and the rule that has to alert."""

IN_A_CONTAINER: Mapping[str, str] = {
    "netcat": "Netcat Remote Code Execution in Container",
    "packet": "Packet socket created in container",
    "redirect": "Redirect STDOUT/STDIN to Network Connection in Container",
    "release": "Detect release_agent File Container Escapes",
    "terminal": "Terminal shell in container",
    "upper": "Drop and execute new binary in container",
}
"""The same inside of a control group that is named like a container's."""


def has_route() -> bool:
    """Return whether a connection to an address outside can at least be tried."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        return probe.connect_ex(("203.0.113.9", 443)) == 0


def line(event: Event | RecordedEvent) -> set[int]:
    """Return the numbers of the process of an event and of all that it descends from."""
    thread = event.thread if isinstance(event, Event) else None
    return set() if thread is None else {thread.pid, *(ancestor.pid for ancestor in thread.ancestors())}


@pytest.fixture
def container() -> Iterator[Path]:
    """Return the control group of what looks like a container."""
    if not (CGROUP / "cgroup.procs").exists():
        pytest.skip("there is no hierarchy of the memory controller")
    with control_group(CGROUP, f"docker/{secrets.token_hex(32)}") as group:
        yield group


def test_provocations_raise_the_alerts_of_public_rules(container: Path, tmp_path: Path) -> None:
    require_ebpf()
    rules = load_rules(corpus("rules/falco_rules.yaml")).enabled("syscall")
    engine = Engine(rules, "all")
    connection = connect("ebpf", Target())
    backend = connection.backend
    backend.open(interest_of(rules, backend.capabilities.decides))
    processes: list[subprocess.Popen[bytes]] = []
    provoked: dict[int, str] = {}
    try:
        wanted = {**PROVOCATIONS, **IN_A_CONTAINER}
        if not has_route():
            del wanted["ssh"]
        for what in wanted:
            folder = tmp_path / what.replace(" ", "-")
            folder.mkdir()
            command = [sys.executable, "-c", SOURCE, what, str(folder)]
            if what in IN_A_CONTAINER:
                command = ["sh", "-c", f'echo $$ > {container}/cgroup.procs && exec "$@"', "sh", *command]
            processes.append(subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL))
            provoked[processes[-1].pid] = what
        missing = dict(wanted)
        for event in observed(connection, lambda: all(each.poll() is not None for each in processes), 200):
            rules_met = {alert.rule for alert in engine.process(event)}
            for what in {provoked[pid] for pid in line(event) & provoked.keys()} if rules_met else ():
                if missing.get(what) in rules_met:
                    del missing[what]
    finally:
        backend.close()
        for process in processes:
            process.kill()
            process.wait()
        for folder in tmp_path.glob("*/merged"):
            if os.path.ismount(folder):
                subprocess.run(["umount", folder], check=False)
        shutil.rmtree(tmp_path, ignore_errors=True)
    assert not missing
