"""Rules are loaded anew while events are evaluated, and no event is lost or seen twice."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from refengine.backends.base import Connection, Interest
from refengine.backends.target import Target
from refengine.cli import renewal
from refengine.cli.configuration import load_configuration
from refengine.cli.load import load_rules
from refengine.cli.messages import Messages
from refengine.cli.observation import observe
from refengine.cli.options import Options, parse_options
from refengine.cli.outputs import Outputs
from refengine.cli.renewal import FAILURE, Renewal
from refengine.cli.signals import Interruption
from refengine.cli.summary import Tally
from refengine.cli.taps import Taps
from refengine.cli.watch import Watch
from refengine.output.alert import Alert
from refengine.rulefile.loader import LoadResult
from refengine.service.notify import Supervisor
from refengine.service.periodic import Periodic
from refengine.state.containers.directory import RuntimeDirectory
from refengine.state.system import SystemState
from refengine.terminal import Style
from tests.service.paced import EVERY, Clock, PacedBackend

RULE = """
- rule: {name}
  desc: One event in so many is marked
  condition: evt.type = openat and proc.name = marked
  output: marked %evt.num
  priority: INFO
"""

OTHERS = "".join(
    f"""
- rule: Other {number}
  desc: Never matches, and takes its time to load
  condition: evt.type in (openat, execve) and fd.name startswith /x{number} and not proc.name in (a{number}, b, c)
  output: other %proc.name %fd.name
  priority: INFO
"""
    for number in range(150)
)

MORE = "- rule: More\n  desc: d\n  condition: evt.type = connect\n  output: x\n  priority: INFO\n"


class Heard(Messages):
    """Keeps what is said."""

    def __init__(self, said: list[str]) -> None:
        super().__init__()
        self._said = said

    def warn(self, text: str) -> None:
        self._said.append(text)

    note = warn


class Gathered(Outputs):
    """Keeps the alerts."""

    alerts: list[Alert]

    def write(self, alert: Alert) -> None:
        self.alerts.append(alert)


class AtEvents(Periodic):
    """Carries out each action once, when events up to a number have been evaluated."""

    def __init__(self, backend: PacedBackend, actions: Iterable[tuple[int, Callable[[], None]]]) -> None:
        super().__init__()
        self._backend = backend
        self._actions = deque(actions)

    def run(self) -> None:
        while self._actions and self._backend.next >= self._actions[0][0]:
            self._actions.popleft()[1]()


class Run:
    """A watch over a paced backend with one file of rules, and its renewal."""

    def __init__(self, folder: Path, backend: PacedBackend, *arguments: str) -> None:
        self.backend = backend
        self.file = folder / "rules.yaml"
        self.write("First")
        self.options: Options = parse_options(
            ["-r", str(self.file), "--backend", "events", "-e", "none", *arguments], Style(False)
        )
        self.said: list[str] = []
        configuration = load_configuration(None)
        messages = Heard(self.said)
        observation = observe(
            Connection(backend, lambda event: None),
            self.options,
            configuration,
            load_rules(self.options, configuration).rules,
        )
        self.outputs = Gathered(configuration, report=self.said.append)
        self.outputs.alerts = []
        self.watch = Watch(
            observation.connection,
            observation.rules,
            observation.engine,
            self.outputs,
            Taps(observation.connection, None, self.options),
            Tally(),
            Interruption(),
        )
        self.interest = observation.interest
        self.renewal = Renewal(
            self.options, configuration, [self.watch], self.outputs, messages, Supervisor({})
        )

    def write(self, name: str, more: str = "") -> None:
        self.file.write_text(RULE.format(name=name) + more)

    def reload(self, name: str, more: str = "") -> None:
        self.write(name, more)
        self.renewal.request()

    def evaluate(self, *actions: tuple[int, Callable[[], None]]) -> None:
        self.watch.periodic = AtEvents(self.backend, actions)
        self.watch.run(self.interest, None)
        self.renewal.wait()

    @property
    def by_rule(self) -> Counter[str]:
        return Counter(alert.rule for alert in self.outputs.alerts)


@pytest.fixture
def slowly(monkeypatch: pytest.MonkeyPatch) -> Callable[[PacedBackend], None]:
    """Return a function that lets rules be loaded only while events of a backend are evaluated."""

    def load_slowly(backend: PacedBackend) -> None:
        def load(*arguments: Any) -> LoadResult:
            backend.wait_for_reads()
            return load_rules(*arguments)

        monkeypatch.setattr(renewal, "load_rules", load)

    return load_slowly


Slowly = Callable[[PacedBackend], None]


def test_events_go_on_while_rules_are_loaded_and_none_is_lost(tmp_path: Path, slowly: Slowly) -> None:
    backend = PacedBackend(rate=20_000, total=60_000, room=1_000)
    run = Run(tmp_path, backend)
    slowly(backend)
    backend.rest(40_000, lambda: run.renewal.done == 1)

    run.evaluate((10_000, lambda: run.reload("Second", OTHERS)))
    assert backend.lost == 0
    assert [alert.number for alert in run.outputs.alerts] == list(range(0, 60_000, EVERY))
    assert run.renewal.done == 1
    assert set(run.by_rule) == {"First", "Second"}
    names = [alert.rule for alert in run.outputs.alerts]
    assert names == sorted(names), "the rules change at one point"


def test_bad_rules_change_nothing_and_that_is_said(tmp_path: Path) -> None:
    backend = PacedBackend(rate=5_000, total=5_000, room=1_000)
    run = Run(tmp_path, backend)
    backend.rest(4_000, lambda: run.renewal.refused == 1)

    def spoil() -> None:
        run.file.write_text("- rule: Third\n  condition: evt.type = openat and nonsense.field = 1\n")
        run.renewal.request()

    run.evaluate((500, spoil))
    assert (run.renewal.done, run.renewal.refused) == (0, 1)
    assert run.by_rule == {"First": 50, FAILURE: 1}
    assert run.said[0].startswith("reload refused, what was loaded before stays: ")
    assert "nonsense.field" in run.said[0] or "output" in run.said[0]


def test_rules_that_were_spoiled_and_mended_are_loaded(tmp_path: Path) -> None:
    backend = PacedBackend(rate=5_000, total=10_000, room=1_000)
    run = Run(tmp_path, backend)
    backend.rest(8_000, lambda: run.renewal.done == 1)

    def spoil() -> None:
        run.file.write_text("- rule: [")
        run.renewal.request()

    def mend() -> None:
        run.renewal.wait()
        run.reload("Mended")

    run.evaluate((500, spoil), (2_000, mend))
    assert (run.renewal.done, run.renewal.refused) == (1, 1)
    assert set(run.by_rule) == {"First", "Mended", FAILURE}
    assert run.by_rule["First"] + run.by_rule["Mended"] == 100


@contextmanager
def replaced(
    monkeypatch: pytest.MonkeyPatch, backend: PacedBackend, state: SystemState | None = None
) -> Iterator[None]:
    """Let the renewal connect to another backend, as it does for those that watch the whole machine."""
    monkeypatch.setattr(
        "refengine.cli.renewal.connect",
        lambda name, target: Connection(backend, lambda event: None, state=state),
    )
    monkeypatch.setattr("refengine.cli.renewal.choose", lambda options, configuration: (("paced", Target()),))
    yield


def test_rules_that_need_more_are_handed_to_a_new_backend_before_the_old_one_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, slowly: Slowly
) -> None:
    clock = Clock()
    monkeypatch.setattr("refengine.cli.watch.time", clock)
    old = PacedBackend(rate=10_000, total=1_000_000, room=10_000, clock=clock)
    new = PacedBackend(rate=10_000, total=30_000, room=10_000, clock=clock)
    run = Run(tmp_path, old)
    slowly(old)
    old.rest(12_000, lambda: run.renewal.done == 1)

    before, after = SystemState(), SystemState()
    before.containers = RuntimeDirectory(())
    run.watch.connection = replace(run.watch.connection, state=before)
    with replaced(monkeypatch, new, after):
        run.evaluate((5_000, lambda: run.reload("Second", MORE)))
    assert after.containers is before.containers, "what is known of containers stays known"
    numbers = [alert.number for alert in run.outputs.alerts]
    assert sorted(set(numbers)) == list(range(numbers[0], 30_000, EVERY)), "none is lost"
    assert len(numbers) - len(set(numbers)) <= 1, "events of the one millisecond of overlap may come twice"
    assert (old.opens, old.closes, new.opens, new.closes) == (1, 1, 1, 1)
    assert old.lost == new.lost == 0
    assert run.by_rule["Second"] > 0


class SlowBackend(PacedBackend):
    """Begins to observe only while another one is read."""

    def __init__(self, other: PacedBackend, total: int, clock: Clock) -> None:
        super().__init__(rate=10_000, total=total, room=1_000, clock=clock)
        self._other = other

    def open(self, interest: Interest) -> None:
        self._other.wait_for_reads()
        super().open(interest)


def test_events_go_on_while_a_second_backend_takes_its_time_to_begin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr("refengine.cli.watch.time", clock)
    old = PacedBackend(rate=10_000, total=1_000_000, room=1_000, clock=clock)
    new = SlowBackend(old, total=30_000, clock=clock)
    run = Run(tmp_path, old)
    old.rest(12_000, lambda: run.renewal.done == 1)
    targets: list[Target] = []

    def connected(_name: str, target: Target) -> Connection:
        targets.append(target)
        return Connection(new, lambda event: None)

    with replaced(monkeypatch, new):
        monkeypatch.setattr("refengine.cli.renewal.connect", connected)
        run.evaluate((5_000, lambda: run.reload("Second", MORE)))
    assert [target.patience > 0 for target in targets] == [True], "it may wait for its prefilters"
    numbers = [alert.number for alert in run.outputs.alerts]
    assert sorted(set(numbers)) == list(range(numbers[0], 30_000, EVERY)), "none is lost"
    assert old.lost == new.lost == 0
    assert set(run.by_rule) == {"First", "Second"}


class LingeringBackend(PacedBackend):
    """Ends only while another one is read."""

    other: PacedBackend

    def close(self) -> None:
        self.other.wait_for_reads()
        super().close()


def test_events_go_on_while_the_first_backend_takes_its_time_to_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr("refengine.cli.watch.time", clock)
    old = LingeringBackend(rate=10_000, total=1_000_000, room=1_000, clock=clock)
    old.other = new = PacedBackend(rate=10_000, total=30_000, room=1_000, clock=clock)
    run = Run(tmp_path, old)
    old.rest(12_000, lambda: run.renewal.done == 1)
    new.rest(25_000, lambda: old.closes == 1)

    with replaced(monkeypatch, new):
        run.evaluate((5_000, lambda: run.reload("Second", MORE)))
    assert (old.closes, new.closes) == (1, 1)
    numbers = [alert.number for alert in run.outputs.alerts]
    assert sorted(set(numbers)) == list(range(numbers[0], 30_000, EVERY)), "none is lost"
    assert old.lost == new.lost == 0


def test_what_a_backend_was_not_started_for_is_said(tmp_path: Path) -> None:
    backend = PacedBackend(rate=5_000, total=5_000, room=1_000)
    run = Run(tmp_path, backend)
    backend.rest(4_000, lambda: run.renewal.done == 1)

    run.evaluate((500, lambda: run.reload("Second", MORE)))
    assert any("was not started for what these rules need" in text and "More" in text for text in run.said)
    assert set(run.by_rule) == {"First", "Second"}
