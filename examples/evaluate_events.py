"""Evaluate rules on events of your own making: no process is watched, no privilege needed.

    python examples/evaluate_events.py

An event is given by the values of its fields; a field that is left out is absent. This is how rules are tested.
"""

from __future__ import annotations

import refengine

RULES = refengine.Source(
    "example.yaml",
    """
- list: editors
  items: [vi, nano]

- rule: Configuration written
  desc: A file below /etc was opened for writing, by something other than an editor.
  condition: >
    evt.type in (open, openat) and evt.is_open_write = true
    and fd.name startswith /etc/ and not proc.name in (editors)
  output: Configuration written (file=%fd.name program=%proc.name)
  priority: WARNING
""",
)

EVENTS = [
    refengine.RecordedEvent(
        {"evt.type": "openat", "evt.is_open_write": True, "fd.name": "/etc/hosts", "proc.name": program}
    )
    for program in ("vi", "sed", "python3")
]


def main() -> None:
    """Print the alerts that the events raise."""
    engine = refengine.Engine(refengine.load_rules(RULES), matching="first")
    for event in EVENTS:
        for alert in engine.process(event):
            print(f"{alert.priority.name}: {alert.message}")


if __name__ == "__main__":
    main()
