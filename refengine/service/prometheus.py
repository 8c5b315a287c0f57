"""Metrics in the text format of Prometheus, version 0.0.4."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from refengine.service.metrics import Labels, Metric

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

_NO_NAME = re.compile(r"[^a-zA-Z0-9_]")


def exposition(metrics: Iterable[Metric]) -> str:
    """Return the text that a scrape gets."""
    lines: list[str] = []
    for metric in metrics:
        if not metric.samples:
            continue
        lines.append(f"# HELP {metric.name} {_escaped(metric.help, quoted=False)}")
        lines.append(f"# TYPE {metric.name} {metric.kind.value}")
        lines += [f"{metric.name}{_labels(labels)} {_number(value)}" for labels, value in metric.samples]
    return "".join(f"{line}\n" for line in lines)


def label_name(text: str) -> str:
    """Return a name for a label that resembles `text`."""
    return _NO_NAME.sub("_", text)


def _labels(labels: Labels) -> str:
    if not labels:
        return ""
    inside = ",".join(f'{name}="{_escaped(text, quoted=True)}"' for name, text in labels.items())
    return f"{{{inside}}}"


def _escaped(text: str, *, quoted: bool) -> str:
    text = text.replace("\\", "\\\\").replace("\n", "\\n")
    return text.replace('"', '\\"') if quoted else text


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(float(value))
