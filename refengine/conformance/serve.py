"""Standing behind the harness protocol: an engine that answers the requests on standard input."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final, TextIO

from refengine.conformance.answer import Answer
from refengine.conformance.build import FORMAT_VERSION
from refengine.conformance.case import Case
from refengine.conformance.harness import Implementation

Ask = Callable[[Case], Answer]

_STOPPED: Final[Mapping[str, Any]] = {"stopped": True}


def serve(implementation: Implementation, ask: Ask, requests: TextIO, answers: TextIO) -> int:
    """Answer the requests of a runner until it says stop or goes away; return the exit code.

    What an engine raises becomes the answer `failed`: a harness outlives its engine's faults.
    """
    for line in requests:
        if not line.strip():
            continue
        reply = _answer(line, implementation, ask)
        answers.write(json.dumps(reply) + "\n")
        answers.flush()
        if reply == _STOPPED:
            return 0
    return 0


def _answer(line: str, implementation: Implementation, ask: Ask) -> Mapping[str, Any]:
    """Return the answer to a request, which may not be one."""
    try:
        message = json.loads(line)
    except ValueError as error:
        return {"failed": f"a request is a line of JSON: {error}"}
    if not isinstance(message, dict):
        return {"failed": "a request is a JSON object"}
    command = message.get("command")
    if command == "start":
        return _introduction(implementation)
    if command == "stop":
        return _STOPPED
    if command != "run":
        return {"failed": f"unknown command {command!r}"}
    case = message.get("case")
    if not isinstance(case, dict) or "id" not in case:
        return {"failed": "the request has no case with an id"}
    return _reply(case, implementation, ask)


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
