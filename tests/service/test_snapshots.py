from __future__ import annotations

import json
from pathlib import Path

from refengine.output.alert import Alert
from refengine.service.metrics import Group, Metric, MetricsSettings, counter, gauge
from refengine.service.resources import resource_metrics
from refengine.service.snapshots import Snapshots, snapshot


def metrics() -> list[Metric]:
    return [
        counter("falcosecurity_scap_n_evts_total", Group.EVENTS, "Events.", 7),
        counter("falcosecurity_scap_n_drops_total", Group.EVENTS, "Drops.", 0),
        counter(
            "falcosecurity_falco_rules_matches_total", Group.RULES, "By rule.", [({"rule_name": "A rule"}, 2)]
        ),
        gauge("falcosecurity_falco_memory_rss_bytes", Group.RESOURCES, "Memory.", 3 << 20),
    ]


def test_names_and_choices() -> None:
    assert snapshot(metrics(), MetricsSettings()) == {
        "scap.n_evts": 7,
        "falco.rules_matches.A_rule": 2,
        "falco.memory_rss_bytes": 3 << 20,
    }
    choice = MetricsSettings(groups=frozenset({Group.EVENTS, Group.RESOURCES}), empty=True, megabytes=True)
    assert snapshot(metrics(), choice) == {"scap.n_evts": 7, "scap.n_drops": 0, "falco.memory_rss_mb": 3.0}


def test_snapshots_go_to_alerts_and_to_a_file(tmp_path: Path) -> None:
    alerts: list[Alert] = []
    file = tmp_path / "metrics.jsonl"
    snapshots = Snapshots(MetricsSettings(alert=True, file=str(file)), metrics, alerts.append, print)
    snapshots.take()
    snapshots.take()
    assert [alert.rule for alert in alerts] == ["Falco internal: metrics snapshot"] * 2
    assert alerts[0].source == "internal"
    assert alerts[0].fields["scap.n_evts"] == 7
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert [line["sample"] for line in lines] == [1, 2]
    assert lines[0]["output_fields"] == dict(alerts[0].fields)


def test_a_file_that_cannot_be_written_is_reported_once(tmp_path: Path) -> None:
    said: list[str] = []
    snapshots = Snapshots(MetricsSettings(file=str(tmp_path)), metrics, lambda alert: None, said.append)
    snapshots.take()
    snapshots.take()
    assert len(said) == 1
    assert "Is a directory" in said[0]


def test_the_resources_of_this_process_are_plausible() -> None:
    found = {metric.name: metric.samples[0][1] for metric in resource_metrics()}
    assert found["falcosecurity_falco_memory_rss_bytes"] > 1 << 20
    assert found["refengine_memory_blocks"] > 10_000
    assert found["falcosecurity_falco_host_num_cpus_total"] >= 1
    assert 0 <= found["falcosecurity_falco_host_cpu_usage_ratio"] <= 1
    assert 0 < found["falcosecurity_falco_cpu_usage_ratio"] < 64
