from __future__ import annotations

import json
from pathlib import Path

from refengine.output.alert import Alert
from refengine.service.metrics import Group, Metric, MetricsSettings, counter, gauge, info
from refengine.service.resources import resource_metrics
from refengine.service.snapshot_fields import SnapshotFields
from refengine.service.snapshots import Snapshots


def metrics() -> list[Metric]:
    return [
        counter("falcosecurity_falco_n_evts_total", Group.PROGRAM, "Evaluated.", 5),
        counter("falcosecurity_scap_n_evts_total", Group.EVENTS, "Events.", 7),
        counter("falcosecurity_scap_n_drops_total", Group.EVENTS, "Drops.", 0),
        counter(
            "falcosecurity_falco_rules_matches_total",
            Group.RULES,
            "By rule.",
            [({"rule_name": "A rule (of STDOUT/STDIN)"}, 2), ({"rule_name": "Never"}, 0)],
        ),
        gauge("falcosecurity_falco_memory_rss_bytes", Group.RESOURCES, "Memory.", 3 << 20),
        gauge("refengine_memory_blocks", Group.RESOURCES, "Blocks.", 9),
    ]


COUNTS = {
    "evt.time": 1_000_000_000,
    "falco.num_evts": 5,
    "falco.num_evts_prev": 0,
    "falco.evts_rate_sec": 0.0,
    "scap.n_evts": 7,
    "scap.n_evts_prev": 0,
    "scap.evts_rate_sec": 0.0,
    "scap.n_drops": 0,
    "scap.n_drops_prev": 0,
    "scap.evts_drop_rate_sec": 0.0,
    "scap.n_drops_perc": 0.0,
}


def test_the_names_are_those_of_falcos_snapshots() -> None:
    assert SnapshotFields(MetricsSettings()).of(metrics(), 1_000_000_000) == {
        **COUNTS,
        "falco.rules.matches_total": 2,
        "falco.rules.A_rule_of_STDOUT_STDIN": 2,
        "falco.memory_rss_kb": 3 << 10,
        "refengine.memory_blocks": 9,
    }


def test_groups_and_units_are_chosen() -> None:
    choice = MetricsSettings(
        groups=frozenset({Group.PROGRAM, Group.EVENTS, Group.RESOURCES}), empty=True, megabytes=True
    )
    assert SnapshotFields(choice).of(metrics(), 1_000_000_000) == {
        **COUNTS,
        "falco.memory_rss_mb": 3.0,
        "refengine.memory_blocks": 9,
    }
    rules = MetricsSettings(groups=frozenset({Group.RULES}), empty=True)
    assert SnapshotFields(rules).of(metrics(), 1)["falco.rules.Never"] == 0


def test_labels_that_say_something_are_texts() -> None:
    program = Group.PROGRAM
    engines = [({"engine_name": "ebpf", "evt_source": "syscall"}, 1)]
    files = [({"file_name": "falco_rules.local.yaml", "sha256": "12ab"}, 1)]
    found = SnapshotFields(MetricsSettings()).of(
        [
            info("falcosecurity_falco_version_info", program, "", version="1.2.3"),
            info("falcosecurity_falco_kernel_release_info", program, "", kernel_release="6.1-x"),
            info("falcosecurity_evt_hostname_info", program, "", hostname="box"),
            gauge("falcosecurity_scap_engine_name_info", program, "", engines),
            gauge("falcosecurity_falco_sha256_rules_files_info", program, "", files),
            gauge("falcosecurity_falco_sha256_config_files_info", program, "", files),
            counter("falcosecurity_falco_duration_seconds_total", program, "", 0.25),
            gauge("falcosecurity_falco_host_cpu_usage_ratio", Group.RESOURCES, "", 0.10849),
        ],
        1,
    )
    assert found == {
        "evt.time": 1,
        "falco.version": "1.2.3",
        "falco.kernel_release": "6.1-x",
        "evt.hostname": "box",
        "scap.engine_name": "ebpf",
        "evt.source": "syscall",
        "falco.sha256_rules_file.falco_rules_local_yaml": "12ab",
        "falco.sha256_config_file.falco_rules_local_yaml": "12ab",
        "falco.duration_sec": 0,
        "falco.host_cpu_usage_perc": 10.8,
        "scap.n_drops_perc": 0.0,
    }


def test_counts_are_compared_with_the_snapshot_before() -> None:
    fields = SnapshotFields(MetricsSettings())
    fields.of(metrics(), 1_000_000_000)
    found = fields.of(
        [
            counter("falcosecurity_scap_n_evts_total", Group.EVENTS, "", 207),
            counter("falcosecurity_scap_n_drops_total", Group.EVENTS, "", 50),
        ],
        5_000_000_000,
    )
    assert (found["scap.n_evts_prev"], found["scap.evts_rate_sec"]) == (7, 50.0)
    assert (found["scap.n_drops_prev"], found["scap.evts_drop_rate_sec"]) == (0, 12.5)
    assert found["scap.n_drops_perc"] == 25.0


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
