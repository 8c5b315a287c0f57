"""A session: lines in, text out. It knows nothing of terminals, and keeps no history."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from refengine.authoring.exploring.commands import COMMANDS
from refengine.authoring.exploring.completion import Completion, completions, field_words
from refengine.authoring.exploring.guide import TOPICS
from refengine.authoring.exploring.line import TYPED, Argument, rendered
from refengine.authoring.exploring.views import selection_lines
from refengine.authoring.exploring.workspace import Workspace
from refengine.errors import ConditionError
from refengine.source import Source

LEAVING = frozenset({"quit", "exit"})
"""What ends a session, beside the end of the input."""


def execute(line: str, at: Workspace) -> Iterator[str]:
    """Do what a line says; yield the text that answers it. A blank line, or one that begins with `#`, does nothing.

    :raises ConditionError: when the line makes no sense, with the place in it.
    :raises RefengineError: when the events cannot tell what was asked for.
    """
    source = Source(TYPED, line.rstrip("\r\n"))
    whole = Argument.of(source, 0, len(source.text))
    name = whole.text.value.split(maxsplit=1)[0] if whole.text.value else "#"
    if name.startswith("#"):
        return
    if name in COMMANDS:
        yield from COMMANDS[name].run(at, whole.behind(len(name)))
        return
    try:
        question = at.question(whole.text)
    except ConditionError:
        near = get_close_matches(name, COMMANDS, 1)
        if not name.isalpha() or name in at.scope.macros or not near:
            raise
        meant = whole.before(len(name)).fault(f"there is no command '{name}'", f"did you mean '{near[0]}'?")
        raise meant from None
    for warning in question.warnings:
        yield rendered(warning)
    at.select(question)
    yield from selection_lines(at)


def complete(text: str, at: Workspace) -> Iterator[Completion]:
    """Yield what could stand at the end of an unfinished line."""
    stripped = text.lstrip()
    start = len(text) - len(stripped)
    name, blank, _ = stripped.partition(" ")
    if not blank:
        for command in COMMANDS.values():
            if command.name.startswith(name) and command.name != name:
                yield Completion(command.name, start, command.about)
    if not blank or name not in COMMANDS:
        yield from completions(text, start, at.columns, at.scope)
        return
    word = text[max(text.rfind(" "), text.rfind(",")) + 1 :]
    begin = len(text) - len(word)
    where = text.find(" where ")
    if name == "count" and where >= 0:
        yield from completions(text, where + len(" where "), at.columns, at.scope)
    elif name == "count":
        yield from (Completion(field, begin, about) for field, about in field_words(word, at.sources))
    elif name in ("rules", "explain"):
        yield from _rule_names(stripped, text, at)
        if name == "explain" and (behind := _behind_number(text)) is not None:
            yield from completions(text, behind, at.columns, at.scope)
    elif name == "help":
        topics = (*TOPICS, *COMMANDS)
        yield from (Completion(topic, begin) for topic in topics if topic.startswith(word))


def condition_start(text: str) -> int | None:
    """Return where the condition in a line begins, None where it has none."""
    stripped = text.lstrip()
    name, blank, _ = stripped.partition(" ")
    if name.startswith("#"):
        return None
    if name not in COMMANDS:
        return len(text) - len(stripped)
    if name == "count" and " where " in text:
        return text.index(" where ") + len(" where ")
    return _behind_number(text) if name == "explain" and blank else None


def _behind_number(text: str) -> int | None:
    """Return where the second word behind a command begins, None where there is none."""
    words = text.split(maxsplit=2)
    if len(words) == 3:
        return len(text) - len(words[2])
    return len(text) if len(words) == 2 and text.endswith(" ") else None


def _rule_names(stripped: str, text: str, at: Workspace) -> Iterator[Completion]:
    begin = len(text) - len(stripped) + len("rules ")
    if stripped.startswith("explain"):
        behind = _behind_number(text)
        if behind is None:
            return
        begin = behind
    typed = text[begin:].lower()
    for rule in at.scope.rules:
        if rule.name.lower().startswith(typed):
            yield Completion(rule.name, begin, f"rule: {rule.description}".split("\n")[0][:80])
