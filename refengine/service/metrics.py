"""Counters and sizes of a running program, each with a name, a kind and an explanation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from typing import NamedTuple, TypeAlias

Labels: TypeAlias = Mapping[str, str]
Sample: TypeAlias = tuple[Labels, float]

NO_LABELS: Labels = {}


class Kind(str, Enum):
    """How the values of a metric go on."""

    COUNTER = "counter"
    GAUGE = "gauge"


class Group(str, Enum):
    """What a metric is about; groups can be switched off."""

    PROGRAM = "program"
    RULES = "rules"
    EVENTS = "events"
    STATE = "state"
    RESOURCES = "resources"


class Metric(NamedTuple):
    """One metric with its samples, which differ in their labels.

    `name` is in Prometheus's form; the unit stands in it. Names that begin with `falcosecurity_` are Falco's.
    """

    name: str
    group: Group
    kind: Kind
    help: str
    samples: tuple[Sample, ...]

    def fields(self) -> Iterator[tuple[str, float]]:
        """Yield the samples under names in the form of fields, with the values of labels behind dots.

        Snapshots name so what Falco does not have.
        """
        stem = self.name.removeprefix("falcosecurity_").removesuffix("_total").replace("_", ".", 1)
        for labels, value in self.samples:
            yield ".".join((stem, *(text.replace(" ", "_") for text in labels.values()))), value


def counter(name: str, group: Group, help: str, samples: float | Iterable[Sample]) -> Metric:
    """Return a metric that only grows."""
    return Metric(name, group, Kind.COUNTER, help, _samples(samples))


def gauge(name: str, group: Group, help: str, samples: float | Iterable[Sample]) -> Metric:
    """Return a metric that goes up and down."""
    return Metric(name, group, Kind.GAUGE, help, _samples(samples))


def info(name: str, group: Group, help: str, **labels: str) -> Metric:
    """Return a metric whose labels are what it says."""
    return gauge(name, group, help, [(labels, 1)])


def _samples(samples: float | Iterable[Sample]) -> tuple[Sample, ...]:
    return ((NO_LABELS, samples),) if isinstance(samples, int | float) else tuple(samples)


class MetricsSettings(NamedTuple):
    """What becomes of metrics: a snapshot every `interval` seconds as an alert or in a file, and which there are.

    `empty` keeps those that are zero in snapshots; `megabytes` gives memory in megabytes there.
    """

    enabled: bool = False
    interval: float = 3600.0
    alert: bool = False
    file: str = ""
    groups: frozenset[Group] = frozenset(Group)
    empty: bool = False
    megabytes: bool = False

    def wanted(self, metrics: Iterable[Metric]) -> Iterator[Metric]:
        """Yield the metrics of the groups that are on."""
        return (metric for metric in metrics if metric.group in self.groups)
