"""Standing behind the harness protocol: an engine that answers the requests on standard input."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TextIO

from refengine.conformance.answer import Answer
from refengine.conformance.build import FORMAT_VERSION
from refengine.conformance.case import Case
from refengine.conformance.harness import Implementation

Ask = Callable[[Case], Answer]


def serve(implementation: Implementation, ask: Ask, requests: TextIO, answers: TextIO) -> int:
    """Answer the requests of a runner until it says stop or goes away; return the exit code.

    What an engine raises becomes the answer `failed`: a harness outlives its engine's faults.
    """
    for line in requests:
        if not line.strip():
            continue
        message = json.loads(line)
        command = message.get("command")
        if command == "start":
            reply = _introduction(implementation)
        elif command == "run":
            reply = _reply(message["case"], implementation, ask)
        elif command == "stop":
            reply = {"stopped": True}
        else:
            reply = {"failed": f"unknown command {command!r}"}
        answers.write(json.dumps(reply) + "\n")
        answers.flush()
        if command == "stop":
            return 0
    return 0


def _introduction(implementation: Implementation) -> dict[str, Any]:
    reply: dict[str, Any] = {
        "format": FORMAT_VERSION,
        "name": implementation.name,
        "version": implementation.version,
    }
    if implementation.skipped is not None:
        reply["skipped"] = implementation.skipped
    return reply


def _reply(raw: dict[str, Any], implementation: Implementation, ask: Ask) -> dict[str, Any]:
    if implementation.skipped is not None:
        return {"id": raw["id"], "skipped": implementation.skipped}
    try:
        return {"id": raw["id"], **ask(Case.from_request(raw)).to_json()}
    except Exception as error:  # whatever the engine raises is its answer
        return {"id": raw["id"], "failed": f"{type(error).__name__}: {error}"}
