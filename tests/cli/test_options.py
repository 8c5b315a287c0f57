from __future__ import annotations

from pathlib import Path

import pytest

from refengine.cli.arguments import HelpRequested
from refengine.cli.options import Options, parse_options
from refengine.errors import UsageError
from refengine.terminal import Style

PLAIN = Style(False)


def parse(*arguments: str) -> Options:
    return parse_options(arguments, PLAIN)


def refusal(*arguments: str) -> str:
    with pytest.raises(UsageError) as caught:
        parse(*arguments)
    return str(caught.value)


def test_rules_are_repeated_and_a_command_stands_behind_two_dashes() -> None:
    options = parse("-r", "a.yaml", "-r", "b", "--backend", "ptrace", "--", "ls", "-r", "--", "x")
    assert options.rules == (Path("a.yaml"), Path("b"))
    assert options.backends == ("ptrace",)
    assert options.command == ("ls", "-r", "--", "x")


def test_nothing_is_asked_for_by_default() -> None:
    options = parse()
    assert options.backends == ()
    for given in (options.command, options.pids, options.appended, options.validate, options.warnings):
        assert given == ()
    assert options.list_source is None
    assert options.describe_rule is None
    assert options.seconds is None
    assert options.recording is None


def test_a_time_limit_of_zero_is_none() -> None:
    assert parse("-M", "0").seconds is None
    assert parse("-M", "1.5").seconds == 1.5


@pytest.mark.parametrize(
    ("arguments", "pids", "appended", "warned"),
    [
        (["-p", "1234"], (1234,), (), False),
        (["-p1234", "--pid", "5"], (1234, 5), (), False),
        (["-p", "user=%user.name"], (), ("user=%user.name",), False),
        (["--print", "12"], (), ("12",), False),
        (["-p", "%proc.pid", "--print", "x"], (), ("%proc.pid", "x"), False),
        (["-pc"], (), (), True),
        (["-pkubernetes"], (), (), True),
    ],
)
def test_p_takes_a_process_id_or_a_format(
    arguments: list[str], pids: tuple[int, ...], appended: tuple[str, ...], warned: bool
) -> None:
    options = parse(*arguments)
    assert options.pids == pids
    assert options.appended == appended
    assert bool(options.warnings) is warned


@pytest.mark.parametrize(
    ("arguments", "source"),
    [(["--list"], ""), (["--list=k8s_audit"], "k8s_audit"), (["--list", "syscall"], "syscall"), ([], None)],
)
def test_list_takes_a_source_if_it_likes(arguments: list[str], source: str | None) -> None:
    assert parse(*arguments).list_source == source


def test_validate_takes_several_files() -> None:
    assert parse("-V", "a", "b", "-V", "c").validate == (Path("a"), Path("b"), Path("c"))


def test_markdown_is_an_old_word_for_a_format() -> None:
    options = parse("--list", "--markdown")
    assert options.format == "markdown"
    assert "deprecated" in options.warnings[0]


@pytest.mark.parametrize("arguments", [["--format", "json"], ["--markdown"], ["-N"], ["--list-events", "-N"]])
def test_the_form_of_lists_has_no_effect_without_one_as_in_falco(arguments: list[str]) -> None:
    assert "has no effect without --list" in parse(*arguments).warnings[-1]


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["--jsn"], "unknown option --jsn"),
        (["--supprt"], "did you mean --support?"),
        (["rules.yaml"], "rules are given with -r"),
        (["-r", "a.yaml", "b.yaml"], "unexpected argument 'b.yaml': rules are given with -r"),
        (["ls"], "a command to watch stands behind --"),
        (["-r"], "expected one argument"),
        (["--"], "there is no command behind --"),
        (["-M", "soon"], "'soon' is not a number of seconds"),
        (["-M", "-1"], "not a number of seconds"),
        (["-M", "nan"], "not a number of seconds"),
        (["--pid", "x"], "'x' is not a process id"),
        (["-p", "0"], "'0' is not a process id"),
        (["-p", "99999999999"], "is not a process id"),
        (["--list", "--format", "xml"], "there is no 'xml': there are text, markdown, json"),
        (["--list", "--format", "json", "--markdown"], "exclude each other"),
        (["-e", "f", "--", "ls"], "events come from one place"),
        (["-p", "1", "-e", "f"], "events come from one place"),
        (["--enable-source", "a", "--disable-source", "b"], "exclude each other"),
    ],
)
def test_what_makes_no_sense_is_said(arguments: list[str], part: str) -> None:
    assert part in refusal(*arguments)


def test_help_teaches_with_examples() -> None:
    with pytest.raises(HelpRequested) as caught:
        parse("-h")
    text = str(caught.value)
    assert "refengine --backend ptrace -r rules/quickstart.yaml -- " in text
    assert "Exit codes:" in text
    assert "user=%user.name" in text
    assert "\x1b" not in text


def test_every_example_of_the_help_is_a_valid_command_line() -> None:
    import shlex

    from refengine.cli.options import EXAMPLES

    lines = [line.strip() for line in EXAMPLES.splitlines() if line.strip().startswith("refengine ")]
    assert len(lines) >= 6
    for line in lines:
        parse(*shlex.split(line)[1:])


def test_colour_is_for_terminals() -> None:
    with pytest.raises(HelpRequested) as caught:
        parse_options(["-h"], Style(True))
    assert "\x1b[1mExamples:" in str(caught.value)
