"""The command line: one command line in, an exit code out, and never a traceback."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from refengine.cli.arguments import HelpRequested
from refengine.cli.collection import seldom_collected
from refengine.cli.exit_codes import ERROR, NO_READER, OK, UNUSABLE
from refengine.cli.messages import Messages
from refengine.cli.options import parse_options
from refengine.cli.questions import answer
from refengine.cli.request import Request
from refengine.cli.subcommands import SUBCOMMANDS
from refengine.errors import BackendError, DiagnosticError, RefengineError
from refengine.output.channel import ChannelClosedError
from refengine.terminal import Style


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program with the arguments given, by default those of the process; return the exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    _prepare_streams()
    with seldom_collected():
        code = _guarded(arguments)
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        code = NO_READER
    except (OSError, ValueError):
        pass  # it was told, unless something worse was
    else:
        if code != NO_READER:
            return code
    _give_up_stdout()
    return code


def _guarded(arguments: Sequence[str]) -> int:
    """Run the program; say what failed on standard error."""
    messages = Messages()
    is_subcommand = bool(arguments) and arguments[0] in SUBCOMMANDS
    try:
        code = _dispatch(arguments, messages)
        sys.stdout.flush()
    except (BrokenPipeError, ChannelClosedError):
        return NO_READER
    except BackendError as error:
        messages.fail(str(error))
        return UNUSABLE if is_subcommand else error.exit_code
    except DiagnosticError as error:
        messages.fail(f"the rules do not load\n{error}")
    except RefengineError as error:
        messages.fail(str(error))
    except RecursionError:
        messages.fail("the input nests too deeply")
    except MemoryError:
        messages.fail("there is not enough memory")
    except OSError as error:
        reason = error.strerror or error
        messages.fail(
            f"{error.filename}: {reason}" if error.filename else f"cannot write to the output: {reason}"
        )
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except Exception as error:
        # A fault of the program's own; what is behind it matters only to who asks for it.
        messages.fail(f"internal fault, please report it: {type(error).__name__}: {error}")
        if "-v" in arguments:
            sys.excepthook(type(error), error, error.__traceback__)
    else:
        return code
    return UNUSABLE if is_subcommand else ERROR


def _dispatch(arguments: Sequence[str], messages: Messages) -> int:
    try:
        if arguments and arguments[0] in SUBCOMMANDS:
            return SUBCOMMANDS[arguments[0]].run(arguments[1:])
        options = parse_options(arguments, Style.of(sys.stdout))
    except HelpRequested as help_:
        print(help_)
        return OK
    for warning in options.warnings:
        messages.warn(warning)
    return answer(Request(options, arguments, messages))


def _prepare_streams() -> None:
    """Have both streams, whatever was closed, and in UTF-8, as alerts have to be."""
    nowhere = Path(os.devnull)
    sys.stdout = sys.stdout or nowhere.open("w", encoding="utf-8")
    sys.stderr = sys.stderr or nowhere.open("w", encoding="utf-8")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def _give_up_stdout() -> None:
    """Let what is still buffered go nowhere, so that the interpreter does not complain about it at its end."""
    with contextlib.suppress(OSError, ValueError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)
