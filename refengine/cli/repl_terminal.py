"""Lines from a terminal, by prompt_toolkit: with completion, colours and a history."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from threading import Lock

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import CompleteEvent, Completer, Completion, PathCompleter
from prompt_toolkit.document import Document
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.lexers import Lexer
from prompt_toolkit.styles import Style as Colours

from refengine.authoring.exploring.marks import marks
from refengine.authoring.exploring.session import complete, condition_start
from refengine.authoring.exploring.workspace import Workspace

_COLOURS = Colours.from_dict(
    {
        "field": "ansicyan",
        "macro": "ansimagenta",
        "transformer": "ansiblue",
        "operator": "ansiyellow",
        "joint": "bold",
        "value": "ansigreen",
        "bracket": "",
        "other": "ansired",
        "command": "bold ansiblue",
    }
)


def line_reader(at: Workspace, prompt: str, history: Path | None) -> Callable[[], str]:
    """Return the function that reads a line; it raises `EOFError` at Ctrl-D and `KeyboardInterrupt` at Ctrl-C."""
    kept: History = InMemoryHistory() if history is None else FileHistory(str(history))
    completer = _Completer(at)
    session: PromptSession[str] = PromptSession(
        prompt,
        history=kept,
        completer=completer,
        complete_in_thread=True,
        lexer=_Lexer() if at.style.coloured else None,
        style=_COLOURS if at.style.coloured else None,
    )

    def read() -> str:
        line = session.prompt()
        completer.finish()
        return line

    return read


class _Completer(Completer):
    """Asks what could come next, in a thread of its own, so that typing goes on."""

    def __init__(self, at: Workspace) -> None:
        self._at = at
        self._working = Lock()
        self._paths = PathCompleter(expanduser=True)

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        text = document.text_before_cursor
        if text.lstrip().startswith("load "):
            name = text.lstrip()[len("load ") :].lstrip()
            yield from self._paths.get_completions(Document(name, len(name)), complete_event)
            return
        with self._working:
            found = list(complete(text, self._at))
        for each in found:
            yield Completion(each.text, each.start - len(text), display_meta=each.about)

    def finish(self) -> None:
        """Return when nothing is being looked up any more: what comes next may change what it reads."""
        with self._working:
            pass


class _Lexer(Lexer):
    """Colours the words of a condition by what they are."""

    def lex_document(self, document: Document) -> Callable[[int], StyleAndTextTuples]:
        return lambda number: _coloured(document.lines[number])


def _coloured(line: str) -> StyleAndTextTuples:
    start = condition_start(line)
    begin = len(line) if start is None else start
    done: StyleAndTextTuples = [("class:command", line[:begin])]
    for mark in marks(line, begin)[0] if start is not None else ():
        done.append(("", line[begin : mark.start]))
        done.append((f"class:{mark.kind.value}", line[mark.start : mark.end]))
        begin = mark.end
    done.append(("", line[begin:]))
    return done
