from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from refengine.output import program
from refengine.output.channel import ChannelError, LineRefusedError
from refengine.output.program import ProgramChannel
from refengine.output.queue import OutputQueue
from refengine.priority import Priority


@pytest.fixture(autouse=True)
def _time_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "_PATIENCE", 60.0)
    monkeypatch.setattr(program, "_FAREWELL", 60.0)


def ended(channel: ProgramChannel) -> int:
    """Return the number of the channel's program once it has ended, without collecting its end."""
    assert channel._process is not None
    os.waitid(os.P_PID, channel._process.pid, os.WEXITED | os.WNOWAIT)
    return channel._process.pid


@pytest.fixture
def _without_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ProgramChannel, "_try", lambda _channel: None)


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


@pytest.mark.usefixtures("_without_trial")
def test_a_program_that_died_is_started_again(tmp_path: Path) -> None:
    out = tmp_path / "out"
    channel = ProgramChannel(f"read line; echo $line >> {out}", keep_alive=True)
    for expected in (["one"], ["one", "two"], ["one", "two", "three"]):
        channel.write(expected[-1])
        ended(channel)
        assert out.read_text().split() == expected
    channel.close()
    assert channel.starts == 3


@pytest.mark.usefixtures("_without_trial")
def test_a_program_whose_end_somebody_else_has_collected_is_no_problem(tmp_path: Path) -> None:
    out = tmp_path / "out"
    channel = ProgramChannel(f"read line; echo $line >> {out}", keep_alive=True)
    channel.write("one")
    assert os.waitpid(ended(channel), 0)[0] > 0
    channel.write("two")
    channel.close()
    assert out.read_text() == "one\ntwo\n"


def test_a_program_that_ends_before_it_has_read_is_an_error() -> None:
    channel = ProgramChannel("exit 3", keep_alive=True)
    with pytest.raises(ChannelError, match="ends without reading"):
        channel.write("x" * 1_000_000)
    channel.close()


def test_a_program_that_ends_over_its_first_line_is_started_again(tmp_path: Path) -> None:
    out = tmp_path / "out"
    channel = ProgramChannel(f"read line; echo $line >> {out}", keep_alive=True)
    for _ in range(3):
        channel.write("one")
    channel.close()
    assert out.read_text() == "one\n" * 3


@pytest.mark.parametrize("length", [1, 1_000_000])
@pytest.mark.parametrize("keep_alive", [True, False])
def test_a_line_for_a_program_that_does_not_exist_is_refused(
    keep_alive: bool, length: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(program, "_TRIAL", 60.0)
    channel = ProgramChannel("/no/such/program 2>/dev/null", keep_alive=keep_alive)
    for _ in range(2):
        with pytest.raises(LineRefusedError) as caught:
            channel.write("x" * length)
        assert str(caught.value) == (
            "the program '/no/such/program 2>/dev/null' does not start: there is no such program (exit status 127)"
        )
    channel.close()


@pytest.mark.parametrize("keep_alive", [True, False])
def test_a_line_for_a_file_that_is_no_program_is_refused(
    keep_alive: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(program, "_TRIAL", 60.0)
    (tmp_path / "file").write_text("no program")
    channel = ProgramChannel(f"{tmp_path}/file 2>/dev/null", keep_alive=keep_alive)
    with pytest.raises(LineRefusedError, match=r"it cannot be executed \(exit status 126\)"):
        channel.write("one")
    channel.close()


def test_any_other_exit_status_is_the_programs_own_affair(tmp_path: Path) -> None:
    out = tmp_path / "out"
    channel = ProgramChannel(f"cat >> {out}; exit 1")
    channel.write("one")
    channel.write("two")
    assert out.read_text() == "one\ntwo\n"


def test_what_a_program_that_does_not_exist_cannot_get_is_counted_and_told() -> None:
    told: list[str] = []
    channel = ProgramChannel("/no/such/program 2>/dev/null")
    queue = OutputQueue("program", channel, capacity=10, report=told.append)
    queue.put("one", Priority.ERROR)
    queue.put("two", Priority.ERROR)
    queue.close(60)
    assert (queue.written, queue.refused, queue.lost) == (0, 2, 2)
    assert told[0] == (
        "program output: the program '/no/such/program 2>/dev/null' does not start: there is no such program"
        " (exit status 127); 1 alerts have been lost like this"
    )


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
