from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from refengine.output import program
from refengine.output.channel import ChannelError
from refengine.output.program import ProgramChannel


@pytest.fixture(autouse=True)
def _time_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "_PATIENCE", 60.0)
    monkeypatch.setattr(program, "_FAREWELL", 60.0)


def ended(channel: ProgramChannel) -> int:
    """Return the number of the channel's program once it has ended, without collecting its end."""
    assert channel._process is not None
    os.waitid(os.P_PID, channel._process.pid, os.WEXITED | os.WNOWAIT)
    return channel._process.pid


def test_a_program_that_is_kept_gets_all_lines(tmp_path: Path) -> None:
    out = tmp_path / "out"
    channel = ProgramChannel(f"cat > {out}", keep_alive=True)
    for number in range(100):
        channel.write(f"line {number}")
    channel.close()
    assert out.read_text().splitlines() == [f"line {number}" for number in range(100)]
    assert channel.starts == 1


def test_without_keep_alive_every_line_has_a_program_of_its_own(tmp_path: Path) -> None:
    out = tmp_path / "out"
    channel = ProgramChannel(f"(echo begin; cat) >> {out}")
    channel.write("one")
    channel.write("two")
    assert out.read_text() == "begin\none\nbegin\ntwo\n"
    assert channel.starts == 2


def test_a_program_that_died_is_started_again(tmp_path: Path) -> None:
    out = tmp_path / "out"
    channel = ProgramChannel(f"read line; echo $line >> {out}", keep_alive=True)
    for expected in (["one"], ["one", "two"], ["one", "two", "three"]):
        channel.write(expected[-1])
        ended(channel)
        assert out.read_text().split() == expected
    channel.close()
    assert channel.starts == 3


def test_a_program_whose_end_somebody_else_has_collected_is_no_problem(tmp_path: Path) -> None:
    out = tmp_path / "out"
    channel = ProgramChannel(f"read line; echo $line >> {out}", keep_alive=True)
    channel.write("one")
    assert os.waitpid(ended(channel), 0)[0] > 0
    channel.write("two")
    channel.close()
    assert out.read_text() == "one\ntwo\n"


def test_a_program_that_cannot_run_is_an_error() -> None:
    channel = ProgramChannel("exec /no/such/program 2>/dev/null", keep_alive=True)
    with pytest.raises(ChannelError, match="ends without reading"):
        channel.write("x" * 1_000_000)
    channel.close()


def test_a_program_that_does_not_read_is_an_error_and_a_line_that_it_began_is_completed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(program, "_PATIENCE", 0.05)
    go, out = tmp_path / "go", tmp_path / "out"
    channel = ProgramChannel(f"until [ -e {go} ]; do sleep 0.02; done; cat > {out}", keep_alive=True)
    line = "x" * 200_000
    with pytest.raises(ChannelError, match="does not read"):
        channel.write(line)
    monkeypatch.setattr(program, "_PATIENCE", 60.0)
    go.touch()
    channel.write(line)
    channel.write("end")
    channel.close()
    assert out.read_text() == f"{line}\nend\n"


def test_a_program_that_does_not_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "_FAREWELL", 0.1)
    channel = ProgramChannel("cat >/dev/null; sleep 600", keep_alive=True)
    channel.write("one")
    start = time.monotonic()
    channel.close()
    assert time.monotonic() - start < 60
