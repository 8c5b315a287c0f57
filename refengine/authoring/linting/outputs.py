"""Checks of what alerts tell: fields that the condition asked for, and tags that say which technique it is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from refengine.authoring.finding import Finding, Severity
from refengine.authoring.linting.comparisons import deciding_fields
from refengine.authoring.linting.subject import Subject, place_of_rule
from refengine.condition.typed import operand_fields
from refengine.source import Span

_SAID_BY: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "proc.name": ("proc.cmdline", "proc.exepath", "proc.exe", "proc.exeline"),
        "proc.args": ("proc.cmdline", "proc.exeline"),
        "proc.exe": ("proc.cmdline", "proc.exepath", "proc.exeline"),
        "proc.cmdline": ("proc.exeline",),
        "proc.pname": ("proc.pcmdline", "proc.aname[1]", "proc.acmdline[1]", "proc.pexepath"),
        "proc.aname": ("proc.pname", "proc.pcmdline", "proc.aname[2]", "proc.aname[3]"),
        "fd.directory": ("fd.name",),
        "fd.filename": ("fd.name",),
        "fd.nameraw": ("fd.name",),
        "fd.sport": ("fd.name",),
        "fd.cport": ("fd.name",),
        "fd.lport": ("fd.name",),
        "fd.rport": ("fd.name",),
        "fd.port": ("fd.name",),
        "fd.sip": ("fd.name",),
        "fd.cip": ("fd.name",),
        "fd.lip": ("fd.name",),
        "fd.rip": ("fd.name",),
        "fd.ip": ("fd.name",),
        "fd.net": ("fd.name",),
        "fd.snet": ("fd.name",),
        "fd.sip.name": ("fd.name",),
        "user.uid": ("user.name",),
        "user.name": ("user.uid",),
        "user.loginuid": ("user.loginname",),
        "group.gid": ("group.name",),
        "container.id": ("container.name",),
        "ka.uri": ("ka.target.resource", "ka.target.name"),
        "ka.target.subresource": ("ka.target.resource", "ka.target.name"),
    }
)
"""Fields whose value another one tells as well."""

_SELF_EVIDENT = re.compile(
    r"evt\.(type|dir|num|res|failed|rawres|category|is_.*|arg\.(res|fd|flags)|count|type\.is\..*)"
    r"|fd\.(num|typechar|type|l4proto|types|connected|dev|ino|is_.*)|proc\.(is_.*|tty|vpid|duration|ppid\.duration|pid\.ts|sid|pid|ppid|vpgid)"
    r"|syscall\.type|container\.id|container\.privileged|ka\.(verb|stage|auth\..*|response\.code|target\.resource)|jevt\..*"
)
"""Fields of which the rule's own name says enough."""

_MITRE = re.compile(r"mitre_\w+|TA?\d{4}(\.\d{3})?", re.IGNORECASE)


def untold_field(subject: Subject) -> Iterator[Finding]:
    """Yield rules whose output leaves out a field that their condition asks for, so that an alert cannot be judged by it."""
    for rule in subject.rules:
        told = {read.key for part in rule.output.fields for read in operand_fields(part.operand)}
        missing = []
        for field in deciding_fields(rule.condition):
            key = field.key
            if _SELF_EVIDENT.fullmatch(key) or key in missing or key in told:
                continue
            if key.startswith("evt.arg.") and ("evt.args" in told or "evt.arg" in told):
                continue
            if key.startswith("ka.") and any(key.startswith(f"{whole}.") for whole in told):
                continue  # a part of what is told: of documents, all of it
            if not told.intersection(_SAID_BY.get(field.field.name, ())):
                missing.append(key)
        if missing:
            text = rule.definition.output
            yield Finding(
                "untold-field",
                Severity.NOTE,
                f"the condition of rule '{rule.name}' asks for {', '.join(missing)}, which the output does not tell",
                text.place(Span(0, len(text.value))),
                suggestion=f"add {' '.join(f'{key}=%{key}' for key in missing)}",
                rule=rule.name,
            )


def no_mitre_tag(subject: Subject) -> Iterator[Finding]:
    """Yield rules without a tag that names a tactic or a technique of MITRE ATT&CK."""
    for rule in subject.rules:
        if not any(_MITRE.fullmatch(tag) for tag in rule.tags):
            yield Finding(
                "no-mitre-tag",
                Severity.NOTE,
                f"rule '{rule.name}' has no tag of MITRE ATT&CK",
                place_of_rule(rule),
                suggestion="add one such as mitre_execution or T1059",
                rule=rule.name,
            )
