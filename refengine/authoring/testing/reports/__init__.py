"""The forms of a report on tests: each is a function from the report to text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from refengine.authoring.testing.outcome import Report
from refengine.authoring.testing.reports.github import github
from refengine.authoring.testing.reports.json_report import json_report
from refengine.authoring.testing.reports.junit import junit
from refengine.authoring.testing.reports.tap import tap
from refengine.authoring.testing.reports.text import text
from refengine.terminal import Style

REPORTS: Mapping[str, Callable[[Report, Style], str]] = MappingProxyType(
    {"text": text, "junit": junit, "tap": tap, "json": json_report, "github": github}
)
"""The reports by name."""
