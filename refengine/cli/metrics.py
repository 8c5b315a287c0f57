"""The metrics of a run."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from refengine.cli.load import expanded
from refengine.cli.options import Options
from refengine.cli.outputs import Outputs
from refengine.cli.renewal import Renewal
from refengine.cli.summary import total, total_tally
from refengine.cli.version import OWN_VERSION
from refengine.cli.watch import Watch
from refengine.errors import UsageError
from refengine.output.alert import hostname
from refengine.rulefile.rule import Rule
from refengine.service.metrics import Group, Metric, Sample, counter, gauge, info
from refengine.service.prometheus import label_name
from refengine.service.resources import resource_metrics

_FALCO = "falcosecurity_falco_"
_SCAP = "falcosecurity_scap_"
_OWN = "refengine_"


@dataclass(frozen=True, slots=True)
class Metrics:
    """Gathers the metrics of watches and outputs, those of Falco under the names that they have there.

    Any thread may ask for them while the watches go on. With `empty`, rules without a match are counted, too.
    """

    options: Options
    watches: tuple[Watch, ...]
    outputs: Outputs
    renewal: Renewal
    empty: bool = False
    started: float = field(default_factory=time.monotonic)
    started_at: int = field(default_factory=time.time_ns)

    def __call__(self) -> Iterator[Metric]:
        """Yield every metric as it is now."""
        yield from self._program()
        yield from self._files()
        yield from self._events()
        yield from self._rules()
        yield from self._outputs()
        yield from self._state()
        yield from resource_metrics()

    def _program(self) -> Iterator[Metric]:
        group = Group.PROGRAM
        yield info(f"{_FALCO}version_info", group, "The version of this program.", version=OWN_VERSION)
        yield info(
            f"{_FALCO}kernel_release_info", group, "The system's kernel.", kernel_release=os.uname().release
        )
        yield info("falcosecurity_evt_hostname_info", group, "The name of this machine.", hostname=hostname())
        engines = [
            (
                {
                    "engine_name": w.connection.backend.name,
                    "evt_source": w.connection.backend.capabilities.source or "",
                },
                1,
            )
            for w in self.watches
        ]
        yield gauge(f"{_SCAP}engine_name_info", group, "Where events come from.", engines)
        yield gauge(
            f"{_FALCO}start_timestamp_nanoseconds", group, "When the program started.", self.started_at
        )
        yield counter(
            f"{_FALCO}duration_seconds_total",
            group,
            "Seconds since then.",
            round(time.monotonic() - self.started, 3),
        )
        renewal = self.renewal
        loaded_at = renewal.loaded_at or self.started_at
        yield gauge(f"{_FALCO}reload_timestamp_nanoseconds", group, "When rules were last loaded.", loaded_at)
        reloads: list[Sample] = [({"result": "done"}, renewal.done), ({"result": "refused"}, renewal.refused)]
        yield counter(f"{_OWN}reloads_total", group, "Loads of changed files.", reloads)

    def _files(self) -> Iterator[Metric]:
        configuration = self.renewal.configuration
        names = self.options.rules or [Path(name) for name in configuration.rules_files]
        try:
            rules: Iterable[Path] = expanded(path for path in names if path.exists())
        except UsageError:
            rules = ()
        for kind, paths in (("config", configuration.files), ("rules", rules)):
            help = f"Digests of the {kind} files as they are now."
            yield gauge(f"{_FALCO}sha256_{kind}_files_info", Group.PROGRAM, help, _digests(paths))

    def _events(self) -> Iterator[Metric]:
        group = Group.EVENTS
        statistics = total(watch.statistics() for watch in self.watches)
        dropped = statistics.dropped.copy()
        yield counter(f"{_SCAP}n_evts_total", group, "Events seen.", statistics.seen)
        yield counter(f"{_FALCO}n_evts_total", Group.PROGRAM, "Events evaluated.", statistics.delivered)
        yield counter(f"{_SCAP}n_drops_total", group, "Events dropped.", sum(dropped.values()))
        causes = [({"cause": cause}, count) for cause, count in sorted(dropped.items())]
        yield counter(f"{_OWN}drops_total", group, "Events dropped, by cause.", causes)
        yield counter(
            f"{_OWN}filtered_total",
            group,
            "Events that no rule could match, left out early.",
            statistics.filtered,
        )
        unmatched = total_tally(watch.tally for watch in self.watches).unmatched
        yield counter(
            f"{_OWN}unmatched_total",
            group,
            "Events that were evaluated and that no rule matched, by type.",
            [({"evt_type": name}, count) for name, count in sorted(unmatched.items())],
        )
        kinds = [({"kind": kind}, count) for kind, count in sorted(statistics.unwatched.items())]
        yield counter(
            f"{_OWN}unwatched_total", group, "What was noticed and cannot be watched, by kind.", kinds
        )

    def _rules(self) -> Iterator[Metric]:
        group = Group.RULES
        matches = total_tally(watch.tally for watch in self.watches).by_rule
        held_back = self.outputs.held_back
        rules = [rule for watch in self.watches for rule in watch.rules]
        yield counter(
            f"{_FALCO}rules_matches_total",
            group,
            "Alerts by rule.",
            [(_labels(rule), matches[rule.name]) for rule in rules if self.empty or matches[rule.name]],
        )
        yield counter(
            f"{_OWN}alerts_held_back_total",
            group,
            "Alerts that were not written since there were too many like them.",
            [({"rule_name": name}, count) for name, count in sorted(held_back.items())],
        )
        timed = [line for watch in self.watches for line in watch.engine.profile()]
        yield counter(
            f"{_OWN}rule_evaluations_total",
            group,
            "Evaluations of each rule, where they are counted.",
            [({"rule_name": line.rule}, line.evaluations) for line in timed],
        )
        yield counter(
            f"{_OWN}rule_seconds_total",
            group,
            "Time spent on each rule, where it is taken.",
            [({"rule_name": line.rule}, line.nanoseconds / 1e9) for line in timed],
        )

    def _outputs(self) -> Iterator[Metric]:
        group = Group.PROGRAM
        queues = self.outputs.queues
        lost = self.outputs.lost
        yield counter(
            f"{_FALCO}outputs_queue_num_drops_total",
            group,
            "Alerts that outputs have lost.",
            sum(lost.values()),
        )
        depths = [({"output": queue.name}, queue.depth) for queue in queues]
        yield gauge(f"{_OWN}output_queue_depth", group, "Alerts that wait for an output.", depths)
        written = [({"output": queue.name}, queue.written) for queue in queues]
        yield counter(f"{_OWN}output_written_total", group, "Alerts that an output has taken.", written)
        losses = [({"output": name}, count) for name, count in lost.items()]
        yield counter(f"{_OWN}output_lost_total", group, "Alerts that an output has lost.", losses)

    def _state(self) -> Iterator[Metric]:
        states = [watch.connection.state for watch in self.watches if watch.connection.state is not None]
        if not states:
            return
        group = Group.STATE
        # Copies, made at once, since the threads are somebody else's to change.
        threads = [thread for state in states for thread in list(state.threads.values())]
        tables = {id(thread.descriptors): thread.descriptors for thread in threads}
        yield gauge(f"{_SCAP}n_threads_total", group, "Threads that are known.", len(threads))
        yield gauge(
            f"{_SCAP}n_fds_total", group, "Descriptors that are known.", sum(map(len, tables.values()))
        )
        yield counter(
            f"{_SCAP}n_drops_full_threadtable_total",
            group,
            "Threads that were forgotten for want of room.",
            sum(state.threads.evicted for state in states),
        )


def _labels(rule: Rule) -> dict[str, str]:
    labels = {"priority": str(int(rule.priority)), "rule_name": rule.name, "source": rule.source}
    return {**labels, **{f"tag_{label_name(tag)}": "true" for tag in rule.tags}}


def _digests(paths: Iterable[Path]) -> Iterator[Sample]:
    import hashlib  # loads all of OpenSSL, for nothing where nobody asks for metrics

    for path in paths:
        try:
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
        except OSError:
            continue
        yield {"file_name": path.name, "sha256": digest}, 1
