"""The reference of alerts as JSON: the keys with their meaning, and an alert that the engine makes when the page is made."""

from __future__ import annotations

import json
from collections.abc import Mapping

import refengine
from builder.markdown import block, code, page, table
from refengine.output.formats import LineFormat

_RULES = refengine.Source(
    "example.yaml",
    """
- rule: Secrets read
  desc: A file with secrets was opened for reading.
  condition: evt.type = openat and fd.name = /etc/shadow
  output: File with secrets opened for reading (file=%fd.name command=%proc.cmdline user=%user.name terminal=%proc.tty)
  priority: WARNING
  tags: [filesystem, credentials]
""",
)
_EVENT = refengine.RecordedEvent(
    {"evt.type": "openat", "fd.name": "/etc/shadow", "proc.cmdline": "cat /etc/shadow", "user.name": "root"},
    time=1795488523260305286,
)
_FORMS = LineFormat(json=True, iso8601=True, include_message=True)

_KEYS: Mapping[str, tuple[str, str]] = {
    "hostname": ("string", "The machine, or what the variable `FALCO_HOSTNAME` says."),
    "message": ("string", "The output without time and priority; only with `json_include_message_property`."),
    "output": ("string", "The line of the text form; not with `json_include_output_property` false."),
    "output_fields": (
        "object",
        """The fields that the output names, each under its text without `%`, and the time of the event. Numbers and truth
        values are such, lists are arrays, everything else is a string; null where absent. Not with
        `json_include_output_fields_property` false.""",
    ),
    "priority": ("string", "One of `Emergency`, `Alert`, `Critical`, `Error`, `Warning`, `Notice`, `Informational`, `Debug`."),
    "rule": ("string", "The name of the rule."),
    "source": ("string", "The event source: `syscall` or `k8s_audit`; `internal` for alerts about the program itself."),
    "tags": ("array of strings", "The rule's tags in alphabetical order; not with `json_include_tags_property` false."),
    "time": ("string", "The time of the event in UTC, `YYYY-MM-DDTHH:MM:SS.nnnnnnnnnZ`."),
}  # fmt: skip


def alert_page() -> str:
    """Return the page.

    :raises ValueError: where an alert has other keys than those that are explained.
    """
    (alert,) = refengine.Engine(refengine.load_rules(_RULES)).process(_EVENT)
    everything = json.loads(_FORMS.line(alert, "node-1"))
    if everything.keys() != _KEYS.keys():
        raise ValueError(f"alerts have the keys {sorted(everything)}, explained are {sorted(_KEYS)}")
    usual = LineFormat(json=True).line(alert, "node-1")
    return page(
        "Alerts as JSON",
        "With `-o json_output=true` an alert is one line of JSON, in the shape of Falco's, keys in alphabetical order. "
        "[Chapter 14](../spec/14-alerts.md) of the specification has the whole text.",
        "## Keys",
        table(
            ("key", "value", "is"),
            ((code(key), kind, " ".join(about.split())) for key, (kind, about) in _KEYS.items()),
        ),
        "## An alert",
        "The rule:",
        block(_RULES.text.strip("\n"), "yaml"),
        "Its alert, laid out over several lines here:",
        block(json.dumps(json.loads(usual), indent=2, ensure_ascii=False), "json"),
    )
