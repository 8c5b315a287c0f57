"""The part of the configuration that says where alerts go."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from refengine.cli.document import Document
from refengine.errors import UsageError
from refengine.output.http_settings import USER_AGENT, HttpOutput

CAPACITY = 65536
"""Alerts that may wait for each output unless the configuration says otherwise."""


class FileOutput(NamedTuple):
    """Where alerts are appended beside standard output, None for nowhere."""

    path: Path | None = None
    keep_alive: bool = False


class ProgramOutput(NamedTuple):
    """The shell command that alerts are written to; it runs all the time with `keep_alive`."""

    command: str
    keep_alive: bool = False


class OutputSettings(NamedTuple):
    """Which outputs there are, and the queues before them.

    `capacity` is the number of alerts that may wait for each, None for any number; `slow_after` the seconds after
    which one that takes so long over an alert is reported. `echo` prints the answers of the HTTP receiver.
    """

    stdout: bool = True
    buffered: bool = False
    file: FileOutput = FileOutput()
    syslog: bool = False
    program: ProgramOutput | None = None
    http: HttpOutput | None = None
    echo: bool = False
    capacity: int | None = CAPACITY
    slow_after: float = 2.0


def output_settings(document: Document) -> OutputSettings:
    """Return what the configuration says of outputs.

    :raises UsageError: for a value that does not fit, or an output that lacks its destination.
    """
    # Falco's capacity of 0 is no limit.
    capacity = document.integer("outputs_queue.capacity", CAPACITY) or None
    return OutputSettings(
        stdout=document.boolean("stdout_output.enabled", True),
        buffered=document.boolean("buffered_outputs", False),
        file=_file(document),
        syslog=document.boolean("syslog_output.enabled", False),
        program=_program(document),
        http=_http(document),
        echo=document.boolean("http_output.echo", False),
        capacity=capacity,
        slow_after=document.integer("output_timeout", 2000) / 1000,
    )


def _file(document: Document) -> FileOutput:
    if not document.boolean("file_output.enabled", False):
        return FileOutput()
    name = _needed(document, "file_output.enabled", "filename")
    return FileOutput(Path(name), document.boolean("file_output.keep_alive", False))


def _program(document: Document) -> ProgramOutput | None:
    if not document.boolean("program_output.enabled", False):
        return None
    command = _needed(document, "program_output.enabled", "program")
    return ProgramOutput(command, document.boolean("program_output.keep_alive", False))


def _http(document: Document) -> HttpOutput | None:
    if not document.boolean("http_output.enabled", False):
        return None
    mutual = document.boolean("http_output.mtls", False)
    return HttpOutput(
        url=_needed(document, "http_output.enabled", "url"),
        json=document.boolean("json_output", False),
        user_agent=document.text("http_output.user_agent", USER_AGENT),
        insecure=document.boolean("http_output.insecure", False),
        authority=document.path("http_output.ca_cert") or document.path("http_output.ca_bundle"),
        authorities=document.path("http_output.ca_path"),
        certificate=Path(_needed(document, "http_output.mtls", "client_cert")) if mutual else None,
        key=Path(_needed(document, "http_output.mtls", "client_key")) if mutual else None,
        compress=document.boolean("http_output.compress_uploads", False),
        keep_alive=document.boolean("http_output.keep_alive", False),
    )


def _needed(document: Document, switch: str, name: str) -> str:
    """Return the text of a key that stands beside a switch which is on."""
    key = f"{switch.partition('.')[0]}.{name}"
    text = document.text(key)
    if not text:
        raise UsageError(f"configuration key '{switch}' needs '{key}' as well")
    return text
