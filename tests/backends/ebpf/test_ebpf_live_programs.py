"""Programs that are started in ways that few are: each is told as what it is, whatever was asked of the kernel."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.ebpf import alerts_of, watching

pytestmark = [pytest.mark.root, pytest.mark.slow]

RULE = """
- rule: Started
  desc: d
  condition: evt.type in (execve, execveat) and {condition}
  output: "{output}"
  priority: INFO
"""
BEFORE = """
import ctypes, os, signal, sys, threading
libc = ctypes.CDLL(None, use_errno=True)
def execve(path, arguments, environment=()):
    "Execute without any of what Python would check before."
    strings = lambda texts: (ctypes.c_char_p * (len(texts) + 1))(*texts, None)
    libc.execve(path, strings(arguments) if arguments is not None else None, strings(environment))
def in_child(do):
    child = os.fork()
    if not child:
        do()
        os._exit(0)
    os.waitpid(child, 0)
"""


@pytest.fixture
def token() -> str:
    return f"p-{secrets.token_hex(5)}"


@pytest.fixture
def told(token: str, tmp_path: Path) -> Callable[..., list[str]]:
    """Return a function that runs a Python program and returns the outputs of alerts on executions meanwhile."""

    def run(body: str, output: str, condition: str) -> list[str]:
        rule = RULE.format(output=output, condition=condition)
        command = [sys.executable, "-c", BEFORE + f"token = {token!r}\n" + body]
        with watching(rule) as watched:
            return [alert.message for alert in alerts_of(watched, command, cwd=tmp_path)]

    return run


def test_a_megabyte_of_arguments_and_of_environment(told: Callable[..., list[str]], token: str) -> None:
    body = """
big = b"a" * 130000
in_child(lambda: execve(b"/bin/true", [b"true", token.encode(), *[big] * 8], [b"FIRST=" + token.encode(), *[b"B=" + big] * 8]))
in_child(lambda: execve(b"/bin/true", [token.encode() * 5000, b"x"], [b"A=" + token.encode() * 5000]))
"""
    first, second = told(
        body,
        "%proc.exepath|%proc.exe|%proc.args|%proc.env",
        f"proc.env contains {token} and proc.name = true",
    )
    exepath, exe, args, env = first.split("|")
    assert (exepath, exe) == (os.path.realpath("/bin/true"), "true")
    assert args.startswith(f"{token} aaaa")
    assert args.rstrip("a") == f"{token} "
    assert 4000 < len(args) < 4096
    assert env.startswith(f"FIRST={token} B=aaaa")
    _, exe, args, env = second.split("|")
    assert exe == (token * 5000)[:4096]
    assert args == ""
    assert env == ("A=" + token * 5000)[:4096]


def test_no_arguments_at_all(told: Callable[..., list[str]], token: str) -> None:
    body = """
in_child(lambda: execve(b"/bin/true", [], [b"T=" + token.encode()]))
in_child(lambda: execve(b"/bin/true", None, [b"T=" + token.encode()]))
in_child(lambda: execve(b"/bin/true", [b"", b"", b"x"], [b"T=" + token.encode()]))
"""
    alerts = told(body, "%evt.res|%proc.exe|%proc.name|%proc.args", f"proc.env contains {token}")
    assert [alert for alert in alerts if "||true|" in alert] == [
        "SUCCESS||true|",
        "SUCCESS||true|",
        "SUCCESS||true| x",
    ]


def test_files_that_are_gone_or_were_never_there(
    told: Callable[..., list[str]], token: str, tmp_path: Path
) -> None:
    body = """
import shutil
shutil.copy("/bin/true", token)
number = os.open(token, os.O_RDONLY)
os.unlink(token)
in_child(lambda: os.execve(number, [token], {}))
memory = os.memfd_create(token)
os.write(memory, open("/bin/true", "rb").read())
in_child(lambda: os.execve(memory, [token], {}))
os.write(memory, b"")
in_child(lambda: os.execve(f"/proc/self/fd/{memory}", [token], {}))
"""
    alerts = told(body, "%proc.exepath|%proc.is_exe_from_memfd", f"proc.exe = {token}")
    assert alerts == [f"{tmp_path}/{token}|false", f"/memfd:{token}|true", f"/memfd:{token}|true"]


def test_an_execution_by_another_thread_is_its_process_s(
    told: Callable[..., list[str]], token: str, tmp_path: Path
) -> None:
    body = """
os.chdir("/")
def do():
    libc.prctl(15, b"the-leader", 0, 0, 0)
    def other():
        libc.prctl(15, b"the-other", 0, 0, 0)
        execve(b"/bin/sh", [b"sh", b"-c", b"/bin/true " + token.encode() + b"; exit 0"])
    threads = [threading.Thread(target=other if number == 3 else signal.pause, daemon=True) for number in range(5)]
    for thread in threads:
        thread.start()
    signal.pause()
in_child(do)
"""
    alerts = told(
        body,
        "%proc.name|%proc.pname|%proc.cwd|%thread.ismain|%proc.args",
        f"proc.args contains {token} and proc.name in (sh, true)",
    )
    assert alerts == [
        f"sh|{Path(sys.executable).name[:15]}|/|true|-c /bin/true {token}; exit 0",
        f"true|sh|/|true|{token}",
    ]


def test_scripts_are_the_programs_that_run_them(
    told: Callable[..., list[str]], token: str, tmp_path: Path
) -> None:
    (tmp_path / "script").write_text("#!/bin/sh -e\nexit 0\n")
    (tmp_path / "of-script").write_text(f"#!{tmp_path}/script with it\n")
    for name in ("script", "of-script"):
        (tmp_path / name).chmod(0o755)
    body = """
in_child(lambda: execve(b"./script", [b"ignored", token.encode()]))
in_child(lambda: execve(b"./of-script", [b"ignored", token.encode()]))
"""
    alerts = told(
        body,
        "%proc.name|%proc.exe|%proc.args|%proc.exepath|%evt.arg.filename",
        f"proc.args contains {token} and proc.name in (script, of-script)",
    )
    shell = os.path.realpath("/bin/sh")
    assert alerts == [
        f"script|/bin/sh|-e ./script {token}|{shell}|{tmp_path}/script",
        f"of-script|/bin/sh|-e {tmp_path}/script with it ./of-script {token}|{shell}|{tmp_path}/of-script",
    ]


def test_executions_that_fail_tell_what_was_meant_and_who_asked(
    told: Callable[..., list[str]], token: str, tmp_path: Path
) -> None:
    """As Falco has it: the event's parameters are of the program that was meant, the process is the one before."""
    (tmp_path / "no-right").write_text("#!/bin/sh\n")
    (tmp_path / "no-format").write_text("nothing that the kernel knows\n")
    (tmp_path / "no-format").chmod(0o755)
    (tmp_path / "no-shell").write_text("#!/no/such/shell\n")
    (tmp_path / "no-shell").chmod(0o755)
    (tmp_path / "folder").mkdir()
    body = """
libc.prctl(15, token.encode(), 0, 0, 0)
def fail(path, arguments):
    execve(path, arguments, [b"K=v"])
fail(b"missing", [b"first", b"second", b"", b"last"])
fail(b"./no-right", [b"x\\n\\x1b[2J"])
fail(b"./no-format", [])
fail(b"./no-shell", [b"a"] * 40)
fail(b"folder", [b"a" * 5000, b"b"])
fail(None, [b"x"])
fail(ctypes.c_char_p(1), [b"x"])
fail(b"/bin/true", [b"y" * 200000])
libc.execve(b"/bin/true", ctypes.c_void_p(1), None)
libc.execve(b"/bin/true", (ctypes.c_void_p * 3)(ctypes.cast(ctypes.c_char_p(b"good"), ctypes.c_void_p), 1, None), None)
libc.syscall(322, -1, b"at", (ctypes.c_char_p * 3)(b"of", b"it", None), None, 0)
"""
    alerts = told(
        body,
        "%evt.type %evt.res|%evt.arg.filename|%evt.arg.exe|%evt.arg.args|%proc.exepath",
        f"evt.failed = true and proc.name = {token}",
    )
    python = os.path.realpath(sys.executable)
    assert alerts == [
        f"execve ENOENT|{tmp_path}/missing|first|second..last.|{python}",
        f"execve EACCES|{tmp_path}/no-right|x\n\x1b[2J|NULL|{python}",
        f"execve ENOEXEC|{tmp_path}/no-format|<NA>|NULL|{python}",
        f"execve ENOENT|{tmp_path}/no-shell|a|{'a.' * 7}|{python}",
        f"execve EACCES|{tmp_path}/folder|{'a' * 4095}|b.|{python}",
        f"execve EFAULT|<NA>|x|NULL|{python}",
        f"execve EFAULT|<NA>|x|NULL|{python}",
        f"execve E2BIG|/bin/true|{'y' * 4095}|NULL|{python}",
        f"execve EFAULT|/bin/true|<NA>|NULL|{python}",
        f"execve EFAULT|/bin/true|good|NULL|{python}",
        f"execveat EBADF|<NA>|of|it.|{python}",
    ]
