"""The command `refengine doctor`: what each backend needs of this machine, and how to get what is missing."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

from refengine.backends.registry import BACKENDS, availability, needs
from refengine.cli.arguments import CommandParser
from refengine.cli.exit_codes import ERROR, OK
from refengine.terminal import Style

_EPILOG = """\
examples:
  refengine doctor                    every backend
  refengine doctor ebpf               everything that one needs, met or not
  refengine doctor --format json      for programs

The exit code is 0 where every backend asked about can run here, otherwise 1; 2 where there is no such backend."""


def main(arguments: Sequence[str]) -> int:
    """Print what was found, and return the exit code."""
    parser = CommandParser(
        "doctor",
        "Say what the backends need of this machine, and how to get what is missing.",
        _EPILOG,
    )
    parser.add_argument("backends", nargs="*", metavar="BACKEND", help="backends to ask about (all of them)")
    parser.add_argument("--format", choices=("text", "json"), default="text")
    options = parser.parse_args(arguments)
    names = options.backends or list(BACKENDS)
    found = {name: (availability(name), needs(name)) for name in names}
    if options.format == "json":
        print(
            json.dumps(
                {
                    name: {
                        "available": answer.available,
                        "reason": answer.reason,
                        "remedy": answer.remedy,
                        "needs": [
                            {"name": need.name, "met": need.met, "found": need.found, "remedy": need.remedy}
                            for need in wanted
                        ],
                    }
                    for name, (answer, wanted) in found.items()
                },
                indent=2,
            )
        )
    else:
        style = Style.of(sys.stdout)
        for name, (answer, wanted) in found.items():
            state = style.green("can run here") if answer.available else style.red("cannot run here")
            print(f"{style.bold(name)}: {state}")
            lines = [(need.met, f"{need.name}: {need.found}", need.remedy) for need in wanted]
            if not lines and not answer.available:
                lines = [(False, answer.reason, answer.remedy)]
            for met, text, remedy in lines:
                print(f"  {style.green('ok') if met else style.red('missing')}  {text}")
                if remedy:
                    print(f"      to change that: {remedy}")
    return OK if all(answer.available for answer, _ in found.values()) else ERROR
