"""The form of metrics in snapshots: Falco's own under the names that its snapshots have, which are not Prometheus's."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from refengine.output.render import JsonValue
from refengine.service.metrics import Metric, MetricsSettings

_FALCO: Final = "falcosecurity_falco_"
_SCAP: Final = "falcosecurity_scap_"


@dataclass(frozen=True, slots=True)
class _Number:
    """A field that is a number: `scale` times the metric, with so many `digits`; `always` there, even if zero."""

    field: str
    scale: int = 1
    digits: int = 0
    always: bool = False

    def of(self, value: float) -> float:
        return round(value * self.scale, self.digits) if self.digits else int(value * self.scale)


_TEXTS: Final[Mapping[str, Mapping[str, str]]] = {
    f"{_FALCO}version_info": {"version": "falco.version"},
    f"{_FALCO}kernel_release_info": {"kernel_release": "falco.kernel_release"},
    "falcosecurity_evt_hostname_info": {"hostname": "evt.hostname"},
    f"{_SCAP}engine_name_info": {"engine_name": "scap.engine_name", "evt_source": "evt.source"},
}
"""Fields that are a label's text."""

_DIGESTS: Final[Mapping[str, str]] = {
    f"{_FALCO}sha256_config_files_info": "falco.sha256_config_file",
    f"{_FALCO}sha256_rules_files_info": "falco.sha256_rules_file",
}

_NUMBERS: Final[Mapping[str, _Number]] = {
    f"{_FALCO}start_timestamp_nanoseconds": _Number("falco.start_ts", always=True),
    f"{_FALCO}reload_timestamp_nanoseconds": _Number("falco.reload_ts", always=True),
    f"{_FALCO}host_boot_timestamp_nanoseconds": _Number("falco.host_boot_ts", always=True),
    f"{_FALCO}duration_seconds_total": _Number("falco.duration_sec", always=True),
    f"{_FALCO}outputs_queue_num_drops_total": _Number("falco.outputs_queue_num_drops", always=True),
    f"{_FALCO}host_num_cpus_total": _Number("falco.host_num_cpus", always=True),
    f"{_FALCO}cpu_usage_ratio": _Number("falco.cpu_usage_perc", scale=100, digits=1),
    f"{_FALCO}host_cpu_usage_ratio": _Number("falco.host_cpu_usage_perc", scale=100, digits=1),
    f"{_SCAP}n_threads_total": _Number("falco.n_threads"),
    f"{_SCAP}n_fds_total": _Number("falco.n_fds"),
    f"{_SCAP}n_drops_full_threadtable_total": _Number("falco.n_drops_full_threadtable"),
}

_MEMORY: Final[Mapping[str, tuple[str, str]]] = {
    f"{_FALCO}memory_rss_bytes": ("falco.memory_rss", "kb"),
    f"{_FALCO}memory_vsz_bytes": ("falco.memory_vsz", "kb"),
    f"{_FALCO}memory_pss_bytes": ("falco.memory_pss", "kb"),
    f"{_FALCO}host_memory_used_bytes": ("falco.host_memory_used", "kb"),
    f"{_FALCO}container_memory_used_bytes": ("falco.container_memory_used", "bytes"),
}
"""Sizes, and the units that they have where megabytes are not asked for."""

_UNITS: Final[Mapping[str, int]] = {"bytes": 1, "kb": 1 << 10, "mb": 1 << 20}

_COUNTS: Final[Mapping[str, tuple[str, str, str]]] = {
    f"{_FALCO}n_evts_total": ("falco.num_evts", "falco.num_evts_prev", "falco.evts_rate_sec"),
    f"{_SCAP}n_evts_total": ("scap.n_evts", "scap.n_evts_prev", "scap.evts_rate_sec"),
    f"{_SCAP}n_drops_total": ("scap.n_drops", "scap.n_drops_prev", "scap.evts_drop_rate_sec"),
}
"""Counts that snapshots compare with the one before: what they are now, what they were, and the rate between."""

_MATCHES: Final = f"{_FALCO}rules_matches_total"
_NOT_IN_NAMES: Final = re.compile(r"[^a-zA-Z0-9:]+")


@dataclass(slots=True)
class SnapshotFields:
    """Gives snapshots their fields, one snapshot after another."""

    settings: MetricsSettings
    _last: dict[str, float] = field(default_factory=dict)
    _last_time: int | None = None

    def of(self, metrics: Iterable[Metric], now: int) -> Mapping[str, JsonValue]:
        """Return the fields of a snapshot that is taken `now`, in nanoseconds since the epoch."""
        seconds = 0.0 if self._last_time is None else (now - self._last_time) / 1e9
        self._last_time = now
        found: dict[str, JsonValue] = {"evt.time": now}
        grown = {f"{_SCAP}n_evts_total": 0.0, f"{_SCAP}n_drops_total": 0.0}
        for metric in self.settings.wanted(metrics):
            if metric.name in _COUNTS:
                grown[metric.name] = self._count(metric, seconds, found)
            else:
                found.update(self._fields(metric))
        seen, dropped = grown[f"{_SCAP}n_evts_total"], grown[f"{_SCAP}n_drops_total"]
        found["scap.n_drops_perc"] = 100.0 * dropped / seen if seen > 0 else 0.0
        return found

    def _count(self, metric: Metric, seconds: float, found: dict[str, JsonValue]) -> float:
        """Add the fields of a count and return by how much it has grown."""
        now_name, before_name, rate_name = _COUNTS[metric.name]
        now = sum(value for _, value in metric.samples)
        before = self._last.get(metric.name, 0)
        self._last[metric.name] = now
        found[now_name], found[before_name] = int(now), int(before)
        found[rate_name] = round((now - before) / seconds, 1) if seconds > 0 else 0.0
        return now - before

    def _fields(self, metric: Metric) -> Iterator[tuple[str, JsonValue]]:
        name, samples = metric.name, metric.samples
        if name in _TEXTS:
            for label, text_field in _TEXTS[name].items():
                yield text_field, ",".join(labels[label] for labels, _ in samples)
        elif name in _DIGESTS:
            for labels, _ in samples:
                yield f"{_DIGESTS[name]}.{field_part(labels['file_name'])}", labels["sha256"]
        elif name == _MATCHES:
            yield "falco.rules.matches_total", int(sum(value for _, value in samples))
            for labels, value in samples:
                if value or self.settings.empty:
                    yield f"falco.rules.{field_part(labels['rule_name'])}", int(value)
        elif name in _MEMORY:
            stem, unit = _MEMORY[name]
            unit = "mb" if self.settings.megabytes else unit
            yield from self._unless_empty(f"{stem}_{unit}", samples[0][1], _UNITS[unit])
        elif name in _NUMBERS:
            number = _NUMBERS[name]
            for _, value in samples:
                if value or number.always or self.settings.empty:
                    yield number.field, number.of(value)
        else:
            for own_field, value in metric.fields():
                yield from self._unless_empty(own_field, value, 1)

    def _unless_empty(self, name: str, value: float, unit: int) -> Iterator[tuple[str, JsonValue]]:
        if not value and not self.settings.empty:
            return
        if unit == _UNITS["mb"]:
            yield name, round(value / unit, 1)
        else:
            yield name, int(value) // unit if value == int(value) else round(value, 6)


def field_part(text: str) -> str:
    """Return a rule's or a file's name as a part of a field's, with one `_` for what is no letter, digit or `:`."""
    return _NOT_IN_NAMES.sub("_", text).removesuffix("_")
