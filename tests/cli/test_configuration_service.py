from __future__ import annotations

from pathlib import Path

import pytest

from refengine.cli.configuration import load_configuration
from refengine.cli.configuration_service import ServiceSettings, interval
from refengine.cli.messages import LogSettings
from refengine.errors import UsageError
from refengine.service.drops import DropAction, DropSettings
from refengine.service.metrics import Group, MetricsSettings
from refengine.service.throttle import ThrottleSettings
from refengine.service.web_settings import WebSettings


def configure(*overrides: str) -> ServiceSettings:
    return load_configuration(None, overrides).service


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1h30m", 5400), ("15s", 15), ("500ms", 0.5), ("1d", 86400), ("1m500ms", 60.5), ("1y2w", 32_745_600)],
)
def test_intervals(text: str, seconds: float) -> None:
    assert interval(text) == seconds


@pytest.mark.parametrize("text", ["", "h", "30m1h", "1.5h", "10", "1 h", "-1s"])
def test_what_is_no_interval(text: str) -> None:
    with pytest.raises(ValueError, match="no interval"):
        interval(text)


def test_the_defaults_do_nothing_beside() -> None:
    assert configure() == ServiceSettings()
    assert configure().web is None
    assert not configure().metrics.enabled
    assert configure().throttles == ()
    assert configure().drops == DropSettings(0.1, frozenset({DropAction.LOG, DropAction.ALERT}), 1 / 30, 1)


def test_everything_said() -> None:
    settings = configure(
        "watch_config_files=false",
        'webserver={"enabled": true, "listen_port": 9, "listen_address": "::1", "k8s_healthz_endpoint": "/h", '
        '"threadiness": 3, "ssl_enabled": true, "ssl_certificate": "c.pem", "prometheus_metrics_enabled": true}',
        'metrics={"enabled": true, "interval": "15m", "output_rule": true, "output_file": "m", '
        '"rules_counters_enabled": false, "convert_memory_to_mb": true, "include_empty_values": true}',
        'syscall_event_drops={"threshold": 0.5, "actions": ["exit"], "rate": 2, "max_burst": 4, '
        '"simulate_drops": true}',
        'throttling[]={"rule": "R", "rate": 0.5, "max_burst": 3, "fields": ["fd.name"]}',
        "log_level=ERROR", "log_stderr=no", "log_syslog=yes", "log_json=yes",
    )  # fmt: skip
    assert settings == ServiceSettings(
        watch_files=False,
        web=WebSettings("::1", 9, "/h", 3, Path("c.pem"), metrics=True),
        metrics=MetricsSettings(True, 900, True, "m", frozenset(Group) - {Group.RULES}, True, True),
        drops=DropSettings(0.5, frozenset({DropAction.EXIT}), 2, 4, simulate=True),
        throttles=(ThrottleSettings(0.5, 3, "R", ("fd.name",)),),
        log=LogSettings(stderr=False, syslog=True, level="error", json=True),
    )


@pytest.mark.parametrize(
    ("override", "part"),
    [
        ("metrics.interval=soon", "'soon' is no interval"),
        ("syscall_event_drops.threshold=2", "a share from 0 to 1"),
        ("syscall_event_drops.actions=[shout]", "ignore, log, alert, exit, not 'shout'"),
        ("syscall_event_drops.actions=[ignore, log]", "'ignore' beside other actions"),
        ("syscall_event_drops.rate=x", "must be a number"),
        ('webserver={"enabled": true, "ssl_enabled": true}', "needs 'webserver.ssl_certificate'"),
        (
            'webserver={"enabled": true, "listen_port": 65536}',
            "'webserver.listen_port' must be 65535 or below",
        ),
        ("throttling[].max_burst=0", "must be 1 or above"),
        ("log_level=loud", "must be one of emergency"),
    ],
)
def test_a_value_that_does_not_fit_is_refused(override: str, part: str) -> None:
    with pytest.raises(UsageError, match=part):
        configure(override)
