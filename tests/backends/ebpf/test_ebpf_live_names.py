"""Names that a hostile program gives: each is told, and in every output it is one line that no terminal obeys."""

from __future__ import annotations

import http.server
import json
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from benchmarks.monitor import PATIENCE
from tests.ebpf import alerts_of, require_ebpf, watching
from tests.running import ready

pytestmark = [pytest.mark.root, pytest.mark.slow]

RULE = """
- rule: Named
  desc: d
  condition: evt.type in ({calls}) and proc.name = {token}
  output: "%evt.res|%{field}"
  priority: INFO
"""

HOSTILE = """
import ctypes, mmap, os, sys
libc = ctypes.CDLL(None, use_errno=True)
PAGE = mmap.PAGESIZE
# Three pages, of which the middle one is there only.
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t] + [ctypes.c_int] * 3 + [ctypes.c_long]
first = libc.mmap(None, 3 * PAGE, 3, 0x22, -1, 0)
libc.munmap(ctypes.c_void_p(first), PAGE)
libc.munmap(ctypes.c_void_p(first + 2 * PAGE), PAGE)
present, end = first + PAGE, first + 2 * PAGE
def at_end(data):
    "Put bytes so that the last one is the last of the page, and return where they begin."
    ctypes.memmove(end - len(data), data, len(data))
    return ctypes.c_void_p(end - len(data))
def call_myself(name):
    libc.prctl(15, name.encode(), 0, 0, 0)
def openat(name):
    return libc.syscall(257, -100, name, 0, 0)
"""

NAMES: Sequence[bytes] = (
    b"/x\nFeb  1 00:00:00 forged", b"/x\r\n00:00:00.000000000: Critical forged", b"/\x1b[2J\x1b]0;title\x07", b"/\x9b31m",
    b"/\xc2\x9b31m", b"/\xff\xfe\xfd", b"/\xed\xa0\x80", b"/\xf0\x9f\x92", b"/\"quote' \\ back`$(x)`", b"/%proc.name %evt.time %s",
    b"/\x7f\x08\x08\x08", b"/tab\tbell\a\v\f", b"/\xe2\x80\xae\xe2\x80\xa8", b"/\x01\x1f\x80\x9f", b"/} , {", b"/before\0after",
)  # fmt: skip
"""Absolute names; what Python cannot decode, what ends lines, what terminals obey, and what formats have a use for."""


@pytest.fixture
def token() -> str:
    return f"n-{secrets.token_hex(6)}"


def told(token: str, body: str, field: str, calls: str = "openat") -> list[str]:
    program = f"{HOSTILE}call_myself({token!r})\n{body}"
    with watching(RULE.format(token=token, field=field, calls=calls)) as watched:
        return [alert.message for alert in alerts_of(watched, [sys.executable, "-c", program])]


def test_names_that_are_not_there_are_absent(token: str) -> None:
    body = """
openat(None)
openat(ctypes.c_void_p(1))
openat(ctypes.c_void_p(end))
openat(ctypes.c_void_p(first))
openat(ctypes.c_void_p(1 << 63))
openat(ctypes.c_void_p(2**64 - 1))
openat(at_end(b"/cut off"))
openat(at_end(b"/dev/null\\0"))
openat(at_end(b"\\0"))
"""
    lost = ["EFAULT|<NA>"] * 7
    assert told(token, body, "evt.arg.name") == [*lost, "SUCCESS|/dev/null", "ENOENT|"]


def test_long_names_are_told_by_their_beginning(token: str) -> None:
    body = """
for length in (1023, 1024, 4094, 4095, 4096, 4097, 5000, 100000):
    openat(b"/" + b"a" * (length - 1))
openat(b"/d" * 2000)
openat(b"/." * 2000)
"""
    alerts = told(token, body, "evt.rawarg.name")
    lengths = [1023, 1024, 4094, 4095, 4095, 4095, 4095, 4095, 4000, 4000]
    assert [len(alert.partition("|")[2]) for alert in alerts] == lengths
    assert {alert.partition("|")[0] for alert in alerts} == {"ENAMETOOLONG", "ENOENT", "SUCCESS"}


def test_an_unreadable_name_reaches_the_rules_whatever_they_ask_of_it(token: str) -> None:
    """The prefilter decides by names, and lets one pass that cannot be read."""
    rules = f"""
- rule: Not it
  desc: d
  condition: evt.type in (open, openat) and proc.name = {token} and not fd.name startswith /etc and evt.arg.name != /dev/null
  output: "not /etc"
  priority: INFO
- rule: It
  desc: d
  condition: evt.type in (open, openat) and proc.name = {token} and fd.name startswith /etc
  output: "/etc"
  priority: INFO
"""
    body = "openat(ctypes.c_void_p(1))\nopenat(at_end(b'/etc/sh'))\nopenat(b'/etc/passwd')\n"
    program = f"{HOSTILE}call_myself({token!r})\n{body}"
    with watching(rules) as watched:
        messages = [alert.message for alert in alerts_of(watched, [sys.executable, "-c", program])]
    assert messages == ["not /etc", "not /etc", "/etc"]


WITH_NAMES = """
names = {names!r}
for name in names:
    openat(name)
call_myself("over")
"""


class Receiver(http.server.BaseHTTPRequestHandler):
    """Takes alerts by HTTP and keeps their bodies in the server's `bodies`."""

    def do_POST(self) -> None:
        self.server.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))  # type: ignore[attr-defined]
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""


@contextmanager
def receiving() -> Iterator[tuple[str, list[bytes]]]:
    """Have a server for alerts by HTTP; give its address, and the list of what it has taken."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as server:
        bodies: list[bytes] = []
        server.bodies = bodies  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/", bodies
        finally:
            server.shutdown()
            thread.join()


def lines_in(file: Path) -> int:
    """Return how many lines a file has, none where it is not there yet."""
    return file.read_bytes().count(b"\n") if file.exists() else 0


@pytest.fixture(params=["false", "true"], ids=["text", "json"])
def rendered(request: pytest.FixtureRequest, tmp_path: Path, token: str) -> dict[str, bytes]:
    """Return what each output has got of the alerts on hostile names, as one file of lines each."""
    require_ebpf()
    rules = tmp_path / "rules.yaml"
    rules.write_text(
        RULE.format(token=token, field="evt.arg.name|%fd.name|%fs.path.name|%evt.args", calls="openat")
    )
    program = HOSTILE + f"call_myself({token!r})\n" + WITH_NAMES.format(names=[*NAMES, b"/last"])
    with receiving() as (address, bodies), (tmp_path / "stdout").open("w") as out:
        settings = {
            "json_output": request.param,
            "file_output.enabled": "true",
            "file_output.filename": str(tmp_path / "file"),
            "program_output.enabled": "true",
            "program_output.keep_alive": "true",
            "program_output.program": f"cat >> {tmp_path}/program",
            "http_output.enabled": "true",
            "http_output.url": address,
            "syslog_output.enabled": "false",
        }
        options = [part for name, value in settings.items() for part in ("-o", f"{name}={value}")]
        with ready("--backend", "ebpf", "-U", "-r", rules, *options, stdout=out) as monitor:
            subprocess.run([sys.executable, "-c", program], check=True, timeout=PATIENCE)
            limit = time.monotonic() + PATIENCE
            files = [tmp_path / name for name in ("stdout", "file", "program")]
            while min(len(bodies), *map(lines_in, files)) < len(NAMES) + 1:
                assert monitor.poll() is None
                assert time.monotonic() < limit
                time.sleep(0.05)
            monitor.send_signal(signal.SIGINT)
            assert monitor.wait(PATIENCE) == 0
    return {
        "stdout": (tmp_path / "stdout").read_bytes().partition(b"Events detected: ")[0],
        "file": (tmp_path / "file").read_bytes(),
        "program": (tmp_path / "program").read_bytes(),
        "http": b"".join(body + b"\n" for body in bodies),
    }


def test_every_output_has_one_line_for_each_alert_that_no_terminal_obeys(rendered: dict[str, bytes]) -> None:
    for output in rendered.values():
        lines = output.split(b"\n")
        assert lines.pop() == b""
        assert len(lines) == len(NAMES) + 1
        for line in lines:
            text = line.decode("utf-8")
            assert not any(character < " " or "\x7f" <= character < "\xa0" for character in text), text
            if text.startswith("{"):
                alert = json.loads(text)
                assert (alert["rule"], alert["priority"]) == ("Named", "Informational")
            else:
                assert text.split(": ")[1].startswith("Informational ENOENT|/")
    assert len(set(rendered.values())) == 1
