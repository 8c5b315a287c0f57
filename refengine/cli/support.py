"""`--support`: what a report about the program should carry, as JSON."""

from __future__ import annotations

import json
import platform
import sys
from pathlib import Path

from refengine.cli.load import rules_paths
from refengine.cli.request import Request
from refengine.cli.version import OWN_VERSION, versions
from refengine.errors import RulesError, UsageError
from refengine.output.escape import valid_unicode
from refengine.rulefile.files import read_source


def run(request: Request) -> int:
    """Print the report, in the form that Falco's has.

    :raises RulesError: for a rules file that cannot be read.
    """
    options, system = request.options, platform.uname()
    report = {
        "version": OWN_VERSION,
        "system_info": {
            "sysname": system.system,
            "nodename": system.node,
            "release": system.release,
            "version": system.version,
            "machine": system.machine,
        },
        "cmdline": valid_unicode(" ".join([sys.argv[0], *request.arguments])),
        "engine_info": versions(),
        "config": "" if options.configuration is None else _content(options.configuration),
        "rules_files": [
            {"name": str(path), "variants": [{"content": _rules(path)}]} for path in _paths(request)
        ],
    }
    print(json.dumps(report, sort_keys=True))
    return 0


def _paths(request: Request) -> tuple[Path, ...]:
    """Return the rules files; a report without rules is a report as well."""
    configuration = request.configuration
    try:
        return rules_paths(request.options, configuration)
    except UsageError:
        if request.options.rules:
            raise
        return ()


def _rules(path: Path) -> str:
    return read_source(path).text


def _content(path: Path) -> str:
    try:
        return read_source(path).text
    except RulesError as error:
        raise UsageError(str(error)) from None
