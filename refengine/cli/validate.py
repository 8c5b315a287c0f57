"""`-V`: whether rules files are right, and everything that is wrong with them."""

from __future__ import annotations

import sys

from refengine.cli.exit_codes import ERROR, OK
from refengine.cli.load import expanded, holds_tests, load_options
from refengine.cli.request import Request
from refengine.rulefile.loader import load
from refengine.rulefile.result import validation_json, validation_summary, validation_text


def run(request: Request) -> int:
    """Print the verdict on each file; return an error when one is invalid.

    The files of `-r` are loaded first, and only to define what the others use. Tests among rules, as `*.yaml` has them
    where they lie beside each other, are passed over.

    :raises UsageError: for a folder that cannot be read or has no rules files, or where there are nothing but tests.
    """
    options, configuration = request.options, request.configuration
    rules = [path for path in options.validate if not holds_tests(path)]
    validated = expanded(rules or options.validate)
    for path in options.validate if rules else ():
        if path not in rules:
            request.messages.note(f"{path}: holds tests, which 'refengine test' runs")
    result = load((*expanded(options.rules), *validated), load_options(configuration, options.appended))
    print(validation_json(result) if configuration.format.json else validation_text(result))
    if result.successful:
        return OK
    invalid = [file for file in result.files if not file.successful]
    for file in invalid:
        sys.stdout.flush()  # the summary comes last, also where both go into one file or pipe
        print(f"Error: {validation_summary(file)}", file=sys.stderr)
    return ERROR
