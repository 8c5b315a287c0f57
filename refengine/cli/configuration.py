"""The configuration of a run: every setting that has an effect, with its type and its default."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from refengine.backends.target import Address
from refengine.cli.audit_plugin import plugin_address
from refengine.cli.configuration_files import read_configuration
from refengine.cli.configuration_outputs import OutputSettings, output_settings
from refengine.cli.configuration_service import ServiceSettings, service_settings
from refengine.cli.container_plugin import ContainerEngines, container_engines
from refengine.cli.document import Document, Node, assign, parse_override, unknown, without_effect
from refengine.cli.plugin_settings import unavailable
from refengine.cli.rule_captures import CaptureSettings, capture_settings
from refengine.errors import UsageError
from refengine.output.formats import LineFormat
from refengine.priority import Priority
from refengine.rulefile.selection import Selection

DRIVERS = ("modern_ebpf", "kmod")
"""The values of `engine.kind` that watch the machine."""

_ENGINE_KINDS = (*DRIVERS, "replay", "nodriver")

_DROPPED_KINDS = {
    "ebpf": "Falco 0.44 has dropped it for modern_ebpf",
    "gvisor": "Falco 0.44 has dropped it, and gVisor cannot be watched here",
}
"""Values that files written for older releases have, and what became of them."""


class Matching(str, Enum):
    """Which of the rules that match an event give an alert."""

    FIRST = "first"
    ALL = "all"


class AppendOutput(NamedTuple):
    """An addition to the outputs of the rules that agree with all that is given.

    `extra_output` is a template to append, `extra_fields` are templates by the names of the fields that they
    fill, and `raw_fields` are fields whose bare values are added under their own names.
    """

    rule: str | None = None
    source: str | None = None
    tags: frozenset[str] = frozenset()
    extra_output: str = ""
    extra_fields: Mapping[str, str] = MappingProxyType({})
    raw_fields: tuple[str, ...] = ()
    suggested_output: bool = False

    def is_for(self, rule: str, source: str, tags: Iterable[str]) -> bool:
        """Return whether the addition applies to a rule."""
        return self.rule in (None, rule) and self.source in (None, source) and self.tags <= frozenset(tags)


class Configuration(NamedTuple):
    """What the configuration files and the `-o` options say, together; `files` are where the former were read.

    `engine_kind` is empty where none is configured. `warnings` are about keys and plugins that nobody knows, `notes` say of known ones why they have no effect here.
    """

    rules_files: tuple[str, ...] = ()
    selections: tuple[Selection, ...] = ()
    matching: Matching = Matching.FIRST
    priority: Priority = Priority.DEBUG
    format: LineFormat = LineFormat()
    base64_buffers: bool = False
    outputs: OutputSettings = OutputSettings()
    append_output: tuple[AppendOutput, ...] = ()
    static_fields: Mapping[str, str] = MappingProxyType({})
    engine_kind: str = ""
    capture_file: str = ""
    captures: CaptureSettings = CaptureSettings()
    audit_address: Address | None = None
    container_engines: ContainerEngines = ContainerEngines()
    service: ServiceSettings = ServiceSettings()
    files: tuple[Path, ...] = ()
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


_OTHER_FILES = "config_files"


def load_configuration(path: Path | None, overrides: Iterable[str] = ()) -> Configuration:
    """Return the configuration in the file at `path`, where there is one, with each `KEY=VALUE` laid over it.

    :raises UsageError: for an unreadable file, a malformed override, or a value that does not fit its key.
    """
    parsed = [parse_override(override) for override in overrides]
    named: dict[str, Node] = {}
    for steps, value in parsed:
        if steps[0] == _OTHER_FILES:
            assign(named, steps, value)
    root, files = read_configuration(path, Document(named).items(_OTHER_FILES))
    for steps, value in parsed:
        if steps[0] != _OTHER_FILES:
            assign(root, steps, value)
    document = Document(root)
    return Configuration(
        rules_files=(
            document.texts("rules_files") or document.texts("rules_file") or document.texts("rule_files")
        ),
        selections=tuple(_selection(section) for section in document.sections("rules")),
        matching=_matching(document.text("rule_matching", Matching.FIRST.value)),
        priority=_priority(document.text("priority", Priority.DEBUG.label)),
        format=_format(document),
        base64_buffers=document.boolean("buffer_format_base64", False),
        outputs=output_settings(document),
        append_output=tuple(_append_output(section) for section in document.sections("append_output")),
        static_fields=document.mapping("static_fields"),
        engine_kind=_engine_kind(document.text("engine.kind")),
        capture_file=document.text("engine.replay.capture_file"),
        captures=capture_settings(document),
        audit_address=plugin_address(document),
        container_engines=container_engines(document),
        service=service_settings(document),
        files=files,
        warnings=(*unknown(root), *unavailable(document)),
        notes=without_effect(root),
    )


def _format(document: Document) -> LineFormat:
    return LineFormat(
        json=document.boolean("json_output", False),
        iso8601=document.boolean("time_format_iso_8601", False),
        include_output=document.boolean("json_include_output_property", True),
        include_message=document.boolean("json_include_message_property", False),
        include_output_fields=document.boolean("json_include_output_fields_property", True),
        include_tags=document.boolean("json_include_tags_property", True),
    )


def _matching(text: str) -> Matching:
    try:
        return Matching(text.lower())
    except ValueError:
        raise UsageError(f"configuration key 'rule_matching' must be first or all, not '{text}'") from None


def _engine_kind(text: str) -> str:
    if text and text not in _ENGINE_KINDS:
        raise UsageError(
            f"configuration key 'engine.kind' must be one of {', '.join(_ENGINE_KINDS)}, not '{text}'"
            + (f": {_DROPPED_KINDS[text]}" if text in _DROPPED_KINDS else "")
        )
    return text


def _priority(text: str) -> Priority:
    try:
        return Priority.parse(text)
    except ValueError as error:
        raise UsageError(f"configuration key 'priority': {error}") from None


def _selection(section: Document) -> Selection:
    for enable, action in ((True, "enable"), (False, "disable")):
        rule, tag = section.text(f"{action}.rule"), section.text(f"{action}.tag")
        if rule or tag:
            return Selection(enable, rule or None, tag or None)
    raise UsageError("an element of 'rules' must have enable or disable, and below it rule or tag")


def _append_output(section: Document) -> AppendOutput:
    named: dict[str, str] = {}
    raw: list[str] = []
    for entry in section.sections("extra_fields"):
        plain = entry.plain()
        if plain is not None:
            raw.append(plain)
        else:
            named.update(entry.whole())
    return AppendOutput(
        rule=section.text("match.rule") or None,
        source=section.text("match.source") or None,
        tags=frozenset(section.texts("match.tags")),
        extra_output=section.text("extra_output"),
        extra_fields=named,
        raw_fields=tuple(raw),
        suggested_output=section.boolean("suggested_output", False),
    )
