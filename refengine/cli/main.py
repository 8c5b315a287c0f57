"""The command line: one command line in, an exit code out, and never a traceback."""

from __future__ import annotations

import contextlib
import io
import mmap
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

from refengine.cli import backends, describe, list_events, plugins, run, schemas, support, validate, version
from refengine.cli import list as list_fields
from refengine.cli.configuration import Configuration, load_configuration
from refengine.cli.exit_codes import ERROR, NO_READER, OK
from refengine.cli.messages import Messages
from refengine.cli.options import HelpRequested, Options, parse_options
from refengine.cli.subcommands import SUBCOMMANDS
from refengine.errors import BackendError, DiagnosticError, RefengineError, UsageError
from refengine.output.channel import ChannelClosedError
from refengine.terminal import Style


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program with the arguments given, by default those of the process; return the exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    _prepare_streams()
    code = _guarded(arguments)
    if code == NO_READER:
        _give_up_stdout()
    return code


def _guarded(arguments: Sequence[str]) -> int:
    """Run the program; say what failed on standard error."""
    messages = Messages()
    try:
        code = _dispatch(arguments, messages)
        sys.stdout.flush()
    except (BrokenPipeError, ChannelClosedError):
        return NO_READER
    except BackendError as error:
        messages.fail(str(error))
        return error.exit_code
    except DiagnosticError as error:
        messages.fail(f"the rules do not load\n{error}")
    except RefengineError as error:
        messages.fail(str(error))
    except RecursionError:
        messages.fail("the input nests too deeply")
    except MemoryError:
        messages.fail("there is not enough memory")
    except OSError as error:
        messages.fail(f"{error.filename or 'the output'}: {error.strerror or error}")
        _give_up_stdout()
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except Exception as error:
        # A fault of the program's own; what is behind it matters only to who asks for it.
        messages.fail(f"internal fault, please report it: {type(error).__name__}: {error}")
        if "-v" in arguments:
            traceback.print_exc()
    else:
        return code
    return ERROR


def _dispatch(arguments: Sequence[str], messages: Messages) -> int:
    if arguments and arguments[0] in SUBCOMMANDS:
        return SUBCOMMANDS[arguments[0]].run(arguments[1:])
    try:
        options = parse_options(arguments, Style.of(sys.stdout))
    except HelpRequested as help_:
        print(help_)
        return OK
    except UsageError as error:
        raise UsageError(f"{error}\nTry 'refengine --help' for the options and examples.") from None
    if options.configuration_schema:
        return schemas.run_configuration()
    if options.rule_schema:
        return schemas.run_rules()
    if options.all_events:
        return list_events.run_ignored()
    configuration = load_configuration(options.configuration, options.overrides)
    messages.follow(configuration.service.log, verbose=options.verbose)
    for warning in (*options.warnings, *configuration.warnings):
        messages.warn(warning)
    _tell_notes(configuration, messages, in_full=options.verbose)
    return _answer(options, configuration, messages, arguments)


def _tell_notes(configuration: Configuration, messages: Messages, *, in_full: bool) -> None:
    """Say which keys have no effect: a file that was written for Falco has many of them, so not in full unasked."""
    for note in configuration.notes if in_full else ():
        messages.tell(note)
    if configuration.notes:
        count = len(configuration.notes)
        messages.note(
            f"{count} configuration key{'s have' if count > 1 else ' has'} no effect here; -v says why"
        )


def _answer(
    options: Options, configuration: Configuration, messages: Messages, arguments: Sequence[str]
) -> int:
    if options.version:
        return version.run(as_json=configuration.format.json)
    if options.page_size:
        print(f"Your system page size is: {mmap.PAGESIZE}")
        return OK
    if options.plugin_info is not None:
        return plugins.run_info(options.plugin_info)
    if options.list_plugins:
        return plugins.run_list()
    if options.list_backends:
        return backends.run()
    if options.list_source is not None:
        return list_fields.run(options)
    if options.list_events:
        return list_events.run(options)
    if options.validate:
        return validate.run(options, configuration)
    if options.describe_all or options.describe_rule is not None:
        return describe.run(options, configuration)
    if options.support:
        return support.run(options, configuration, arguments)
    return run.run(options, configuration, messages)


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
