from __future__ import annotations

import os
import re
import socket
from pathlib import Path

import pytest

from refengine.output.channel import ChannelError
from refengine.output.syslog import SyslogChannel
from refengine.priority import Priority


def log_at(path: Path) -> socket.socket:
    log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    log.bind(str(path))
    log.settimeout(60)
    return log


def test_a_line_has_its_priority_time_and_sender(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with log_at(path) as log:
        channel = SyslogChannel(path)
        channel.write("Shell opened", Priority.CRITICAL)
        said = log.recv(1000).decode()
        channel.close()
    assert re.fullmatch(
        rf"<10>[A-Z][a-z]{{2}} [ \d]\d \d\d:\d\d:\d\d refengine\[{os.getpid()}\]: Shell opened", said
    )


def test_a_log_that_is_not_there_is_an_error_until_it_is(tmp_path: Path) -> None:
    path = tmp_path / "log"
    channel = SyslogChannel(path)
    with pytest.raises(ChannelError, match="No such file"):
        channel.write("lost", Priority.ERROR)
    with log_at(path) as log:
        channel.write("found", Priority.ERROR)
        assert log.recv(1000).endswith(b"found")
    with pytest.raises(ChannelError, match="Connection refused"):
        channel.write("lost", Priority.ERROR)
    path.unlink()
    with log_at(path) as log:
        channel.write("found again", Priority.ERROR)
        assert log.recv(1000).endswith(b"found again")
    channel.close()


def test_a_log_that_does_not_read_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("refengine.output.syslog._PATIENCE", 0.05)
    path = tmp_path / "log"
    with log_at(path):
        channel = SyslogChannel(path)

        def fill() -> None:
            for _ in range(10_000):
                channel.write("x" * 1000, Priority.ERROR)

        with pytest.raises(ChannelError, match="timed out"):
            fill()
        channel.close()


def test_a_line_that_is_too_long_is_cut(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with log_at(path) as log:
        channel = SyslogChannel(path)
        channel.write("x" * 10_000_000, Priority.ERROR)
        assert log.recv(10_000_000).endswith(b"xxx")
        channel.close()
