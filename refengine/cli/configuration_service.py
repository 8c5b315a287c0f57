"""The part of the configuration that concerns runs for a long time."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from refengine.cli.document import Document
from refengine.cli.messages import LEVELS, LogSettings
from refengine.errors import UsageError
from refengine.service.drops import DropAction, DropSettings
from refengine.service.metrics import Group, MetricsSettings
from refengine.service.throttle import ThrottleSettings
from refengine.service.web_settings import WebSettings

_UNITS = (("y", 31_536_000), ("w", 604_800), ("d", 86_400), ("h", 3600), ("m", 60), ("s", 1), ("ms", 0.001))
_INTERVAL = re.compile("".join(rf"(?:(\d+){unit}(?![a-z]))?" for unit, _ in _UNITS))

_GROUPS = (
    ("metrics.rules_counters_enabled", Group.RULES),
    ("metrics.resource_utilization_enabled", Group.RESOURCES),
    ("metrics.state_counters_enabled", Group.STATE),
    ("metrics.kernel_event_counters_enabled", Group.EVENTS),
)
_SHORTEST_INTERVAL = 0.1
"""Seconds, as in Falco, between two snapshots at least."""


class ServiceSettings(NamedTuple):
    """What a program that runs for a long time does beside its main work.

    `watch_files` loads rules and configuration anew when their files change, None meaning where there is a
    configuration file. `web` is None where there is no web server.
    """

    watch_files: bool | None = None
    web: WebSettings | None = None
    metrics: MetricsSettings = MetricsSettings()
    drops: DropSettings = DropSettings()
    throttles: tuple[ThrottleSettings, ...] = ()
    log: LogSettings = LogSettings()


def service_settings(document: Document) -> ServiceSettings:
    """Return what the configuration says of long runs.

    :raises UsageError: for a value that does not fit.
    """
    watches = document.text("watch_config_files")
    return ServiceSettings(
        watch_files=document.boolean("watch_config_files", True) if watches else None,
        web=_web(document),
        metrics=_metrics(document),
        drops=_drops(document),
        throttles=tuple(map(_throttle, document.sections("throttling"))),
        log=_log(document),
    )


def interval(text: str) -> float:
    """Return the seconds in an interval such as `1h30m`; units come in the order y, w, d, h, m, s, ms.

    :raises ValueError: when it is none.
    """
    found = _INTERVAL.fullmatch(text)
    if found is None or not text:
        raise ValueError(f"'{text}' is no interval: use for example 1h30m, 15s or 500ms")
    return float(
        sum(
            int(amount) * seconds
            for amount, (_, seconds) in zip(found.groups(), _UNITS, strict=True)
            if amount is not None
        )
    )


def _web(document: Document) -> WebSettings | None:
    if not document.boolean("webserver.enabled", False):
        return None
    defaults = WebSettings()
    secure = document.boolean("webserver.ssl_enabled", False)
    certificate = document.path("webserver.ssl_certificate")
    if secure and certificate is None:
        raise UsageError(
            "configuration key 'webserver.ssl_enabled' needs 'webserver.ssl_certificate' as well"
        )
    return WebSettings(
        address=document.text("webserver.listen_address", defaults.address),
        port=document.integer("webserver.listen_port", defaults.port, maximum=65535),
        healthz=document.text("webserver.k8s_healthz_endpoint", defaults.healthz),
        threads=document.integer("webserver.threadiness", 0) or defaults.threads,
        certificate=certificate if secure else None,
        # Falco wants both keys for its metrics page.
        metrics=document.boolean("webserver.prometheus_metrics_enabled", False)
        and document.boolean("metrics.enabled", False),
    )


def _metrics(document: Document) -> MetricsSettings:
    text = document.text("metrics.interval", "1h")
    try:
        # A plain number is meant in milliseconds.
        seconds = int(text) / 1000 if text.isdigit() else interval(text)
    except ValueError as error:
        raise UsageError(f"configuration key 'metrics.interval': {error}") from None
    off = {group for key, group in _GROUPS if not document.boolean(key, True)}
    return MetricsSettings(
        enabled=document.boolean("metrics.enabled", False),
        interval=max(seconds, _SHORTEST_INTERVAL),
        alert=document.boolean("metrics.output_rule", False),
        file=document.text("metrics.output_file"),
        groups=frozenset(Group) - off,
        empty=document.boolean("metrics.include_empty_values", False),
        megabytes=document.boolean("metrics.convert_memory_to_mb", False),
    )


def _drops(document: Document) -> DropSettings:
    defaults = DropSettings()
    return DropSettings(
        threshold=_share(document, "syscall_event_drops.threshold", defaults.threshold),
        actions=_actions(document.texts("syscall_event_drops.actions")) or defaults.actions,
        rate=document.number("syscall_event_drops.rate", defaults.rate),
        burst=document.integer("syscall_event_drops.max_burst", defaults.burst),
        simulate=document.boolean("syscall_event_drops.simulate_drops", False),
    )


def _share(document: Document, path: str, default: float) -> float:
    share = document.number(path, default)
    if share > 1:
        raise UsageError(f"configuration key '{path}' must be a share from 0 to 1, not {share:g}")
    return share


def _actions(names: Iterable[str]) -> frozenset[DropAction]:
    found = set()
    for name in names:
        try:
            found.add(DropAction(name))
        except ValueError:
            known = ", ".join(action.value for action in DropAction)
            raise UsageError(
                f"configuration key 'syscall_event_drops.actions' must have {known}, not '{name}'"
            ) from None
    if DropAction.IGNORE in found and len(found) > 1:
        raise UsageError("configuration key 'syscall_event_drops.actions' has 'ignore' beside other actions")
    return frozenset(found)


def _throttle(section: Document) -> ThrottleSettings:
    rate = section.number("rate", 0.0)
    return ThrottleSettings(
        rate=rate,
        burst=section.integer("max_burst", 1, minimum=1),
        rule=section.text("rule") or None,
        fields=section.texts("fields"),
    )


def _log(document: Document) -> LogSettings:
    level = document.text("log_level").lower() or None
    level = "info" if level == "informational" else level
    if level is not None and level not in LEVELS:
        raise UsageError(f"configuration key 'log_level' must be one of {', '.join(LEVELS)}, not '{level}'")
    return LogSettings(
        stderr=document.boolean("log_stderr", True),
        syslog=document.boolean("log_syslog", False),
        level=level,
        json=document.boolean("log_json", False),
    )
