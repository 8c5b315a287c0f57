"""The quickstart rules: each alerts on what it describes, and keeps quiet on what is near it."""

from __future__ import annotations

from importlib.resources import files

import pytest

from refengine import Engine, RecordedEvent, Source, load_rules
from refengine.values import Value

OPENED: dict[str, Value] = {"evt.type": "openat", "fd.typechar": "f", "fd.num": 3, "proc.name": "vi"}
WRITTEN: dict[str, Value] = {**OPENED, "evt.is_open_write": True, "evt.arg.flags": "O_TRUNC|O_WRONLY"}
READ: dict[str, Value] = {**OPENED, "evt.is_open_read": True}
CHMOD: dict[str, Value] = {"evt.type": "fchmodat"}
STARTED: dict[str, Value] = {"evt.type": "execve", "evt.res": "SUCCESS"}
CONNECTED: dict[str, Value] = {"evt.type": "connect", "proc.name": "curl"}


@pytest.fixture(scope="module")
def engine() -> Engine:
    path = files("refengine.rules") / "quickstart.yaml"
    rules = load_rules(Source("quickstart.yaml", path.read_text("utf-8")))
    assert rules.warnings == ()
    return Engine(rules, matching="all")


def alerts(engine: Engine, values: dict[str, Value]) -> list[str]:
    return [alert.rule for alert in engine.process(RecordedEvent(values))]


@pytest.mark.parametrize(
    ("rule", "values"),
    [
        ("Write below etc", {**WRITTEN, "fd.name": "/etc/passwd"}),
        ("Write below etc", {**WRITTEN, "fd.name": "/etc/passwd", "proc.name": "ldconfig"}),
        ("Secrets read", {**READ, "fd.name": "/etc/shadow"}),
        ("Secrets read", {**READ, "fd.name": "/root/.ssh/id_ed25519"}),
        ("Secrets read", {**READ, "fd.name": "/home/ann/.ssh/id_ed25519"}),
        (
            "File made executable in a temporary folder",
            {**CHMOD, "fs.path.name": "/tmp/x", "evt.arg.mode": "S_IXUSR|S_IRUSR"},
        ),
        (
            "File made executable in a temporary folder",
            {**CHMOD, "evt.type": "fchmod", "fs.path.name": "/dev/shm/x", "evt.arg.mode": "S_IXUSR"},
        ),
        (
            "Set-user-id bit set",
            {**CHMOD, "fs.path.name": "/usr/bin/x", "evt.arg.mode": "S_IXUSR|S_ISUID"},
        ),
        ("Logs or history removed", {"evt.type": "unlink", "fs.path.name": "/root/.bash_history"}),
        ("Logs or history removed", {"evt.type": "unlinkat", "fs.path.name": "/var/log/auth.log"}),
        ("Logs or history removed", {**WRITTEN, "fs.path.name": "/var/log/auth.log"}),
        ("Program run from a temporary folder", {**STARTED, "proc.exepath": "/var/tmp/x"}),
        (
            "Shell started by a server",
            {**STARTED, "proc.name": "sh", "proc.aname": ("sh", "nginx", "systemd")},
        ),
        ("Shell started by a server", {**STARTED, "proc.name": "bash", "proc.aname": ("node",)}),
        (
            "Credentials on a command line",
            {**STARTED, "proc.name": "curl", "proc.cmdline": "curl -H AUTHORIZATION: Bearer x http://a/"},
        ),
        ("Connection to the metadata service", {**CONNECTED, "fd.sip": bytes([169, 254, 169, 254])}),
    ],
)
def test_a_rule_alerts(engine: Engine, rule: str, values: dict[str, Value]) -> None:
    assert alerts(engine, values) == [rule]


@pytest.mark.parametrize(
    "values",
    [
        {**WRITTEN, "fd.name": "/etcetera"},
        {**WRITTEN, "fd.name": "/etc/passwd", "fd.num": -13},
        {**WRITTEN, "fd.name": "/etc/ld.so.cache~", "proc.name": "ldconfig"},
        {**READ, "fd.name": "/etc/passwd"},
        {**READ, "fd.name": "/etc/shadow", "proc.name": "su"},
        {**READ, "fd.name": "/home/ann/.sshrc"},
        {**CHMOD, "fs.path.name": "/tmp/x", "evt.arg.mode": "S_IRUSR"},
        {**CHMOD, "evt.arg.mode": "S_IXUSR|S_ISUID"},
        {**CHMOD, "fs.path.name": "/opt/x", "evt.arg.mode": "S_IXUSR"},
        {"evt.type": "unlink", "fs.path.name": "/root/history"},
        {**STARTED, "proc.exepath": "/usr/bin/x"},
        {**STARTED, "proc.name": "sh", "proc.aname": ("bash", "sshd")},
        {**STARTED, "proc.name": "curl", "proc.cmdline": "curl http://a/"},
        {**CONNECTED, "fd.sip": bytes([10, 0, 0, 1])},
    ],
)
def test_the_ordinary_raises_no_alert(engine: Engine, values: dict[str, Value]) -> None:
    assert alerts(engine, values) == []
