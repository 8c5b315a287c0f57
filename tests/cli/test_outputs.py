from __future__ import annotations

from pathlib import Path

import pytest

from refengine.cli.configuration import Configuration, load_configuration
from refengine.cli.outputs import Outputs
from refengine.output.alert import Alert
from refengine.output.channel import ChannelError
from refengine.priority import Priority


def configure(*overrides: str) -> Configuration:
    return load_configuration(None, ["stdout_output.enabled=false", *overrides])


def to_file(path: Path) -> tuple[str, str]:
    return "file_output.enabled=true", f"file_output.filename={path}"


def alert(rule: str, at: int = 0) -> Alert:
    return Alert(rule, Priority.INFORMATIONAL, "syscall", at, 1, f"message of {rule}")


def messages(path: Path) -> list[str]:
    return [line.rpartition("message of ")[2] for line in path.read_text().splitlines()]


def test_several_outputs_get_every_alert(tmp_path: Path) -> None:
    outputs = Outputs(
        configure(
            *to_file(tmp_path / "file"),
            "program_output.enabled=true",
            "program_output.keep_alive=true",
            f"program_output.program=cat > {tmp_path}/program",
        ),
        report=print,
    )
    for rule in "abc":
        outputs.write(alert(rule))
    outputs.close()
    assert messages(tmp_path / "file") == messages(tmp_path / "program") == ["a", "b", "c"]
    assert not outputs.lost


def test_what_stays_the_same_goes_on_and_the_rest_is_ended_with_what_it_had(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    program = (
        "program_output.enabled=true",
        "program_output.keep_alive=true",
        f"program_output.program=cat > {tmp_path}/program",
    )
    outputs = Outputs(configure(*to_file(first), *program), report=print)
    before = {queue.name: queue for queue in outputs.queues}
    outputs.write(alert("a"))
    outputs.renew(configure(*to_file(second), *program))
    after = {queue.name: queue for queue in outputs.queues}
    assert after["program"] is before["program"]
    assert after["file"] is not before["file"]
    assert messages(first) == ["a"], "it has been ended"
    outputs.write(alert("b"))
    outputs.close()
    assert messages(second) == ["b"]
    assert messages(tmp_path / "program") == ["a", "b"]


def test_outputs_that_cannot_be_opened_change_nothing(tmp_path: Path) -> None:
    outputs = Outputs(configure(*to_file(tmp_path / "file")), report=print)
    with pytest.raises(ChannelError):
        outputs.renew(configure(*to_file(tmp_path)))
    outputs.write(alert("a"))
    outputs.close()
    assert messages(tmp_path / "file") == ["a"]


def test_the_counts_of_what_was_held_back_outlive_a_change(tmp_path: Path) -> None:
    limit = 'throttling[]={"rate": 0, "max_burst": 1}'
    outputs = Outputs(configure(*to_file(tmp_path / "file"), limit), report=print)
    for _ in range(3):
        outputs.write(alert("a"))
    outputs.renew(configure(*to_file(tmp_path / "file"), limit))
    outputs.write(alert("a"))
    assert outputs.held_back == {"a": 3}, "the same settings go on counting"
    outputs.renew(configure(*to_file(tmp_path / "file")))
    outputs.write(alert("a"))
    outputs.close()
    assert outputs.held_back == {"a": 3}
    assert messages(tmp_path / "file") == ["a", "a"]
