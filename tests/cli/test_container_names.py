"""Which runtimes are asked, and that they are only where somebody needs them."""

from __future__ import annotations

from pathlib import Path

import pytest

from refengine.backends.base import Capabilities, Connection, Interest, Statistics
from refengine.cli.configuration import load_configuration
from refengine.cli.container_names import container_names
from refengine.cli.container_plugin import ContainerEngines, container_engines
from refengine.cli.document import Document
from refengine.cli.messages import Messages
from refengine.cli.observation import Observation
from refengine.engine import Engine
from refengine.errors import UsageError
from refengine.state.containers.directory import NoDirectory, RuntimeDirectory
from refengine.state.containers.identity import ContainerId
from refengine.state.probe import NoProbe, Probe
from refengine.state.procfs import ProcProbe
from refengine.state.system import SystemState

ALL_OFF = ContainerEngines(off=frozenset({"docker", "podman", "cri", "containerd"}))


class Nothing:
    """A backend without events."""

    name = "nothing"
    capabilities = Capabilities("syscall", None, "none")
    exit_code: int | None = None

    def open(self, interest: Interest) -> None: ...

    def read(self, timeout: float) -> None: ...

    def statistics(self) -> Statistics:
        return Statistics()

    def close(self) -> None: ...


def observed(state: SystemState | None, *fields: str) -> Observation:
    connection = Connection(Nothing(), lambda _event: None, state=state)
    return Observation(connection, (), Engine(()), Interest(None, frozenset(fields)))


def live(probe: Probe) -> SystemState:
    return SystemState(probe)


def test_a_live_machine_is_asked_and_a_recorded_one_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    here, there = live(ProcProbe()), live(NoProbe())
    with container_names([observed(here), observed(there), observed(None)], ALL_OFF, Messages()):
        assert isinstance(here.containers, RuntimeDirectory)
        assert isinstance(there.containers, NoDirectory)
        assert here.containers.facts(ContainerId("a" * 64, "docker", "")) is None
    assert "containers of which only the id is known: 1 (no runtime: 1)" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("fields", "started"),
    [
        (("container.name",), True),
        (("k8s.ns.name",), True),
        (("proc.is_container_healthcheck",), True),
        (("container.id", "container.full_id", "proc.name"), False),
        ((), False),
    ],
)
def test_runtimes_are_listened_to_where_rules_need_it(
    monkeypatch: pytest.MonkeyPatch, fields: tuple[str, ...], started: bool
) -> None:
    starts: list[RuntimeDirectory] = []

    def start(directory: RuntimeDirectory) -> None:
        starts.append(directory)

    monkeypatch.setattr(RuntimeDirectory, "start", start)
    with container_names([observed(live(ProcProbe()), *fields)], ALL_OFF, Messages()):
        assert bool(starts) is started


def test_the_settings_of_falcos_plugin_say_which_runtimes_are_asked(tmp_path: Path) -> None:
    path = tmp_path / "falco.yaml"
    path.write_text(
        """
load_plugins: [container]
plugins:
  - name: container
    library_path: libcontainer.so
    init_config:
      label_max_len: 100
      with_size: false
      engines:
        docker:
          enabled: true
          sockets: ['/a.sock', '/b.sock']
        podman:
          enabled: false
        lxc:
          enabled: true
"""
    )
    expected = ContainerEngines({"docker": ("/a.sock", "/b.sock")}, frozenset({"podman"}))
    assert load_configuration(path).container_engines == expected
    written = '{"engines": {"docker": {"sockets": ["/a.sock", "/b.sock"]}, "podman": {"enabled": false}}}'
    plugin = Document({"plugins": [{"name": "container", "init_config": written}]})
    assert container_engines(plugin) == expected
    assert container_engines(Document({})) == ContainerEngines()
    with pytest.raises(UsageError, match=r"enabled' must be true or false, not 'x'"):
        container_engines(
            Document(
                {"plugins": [{"name": "container", "init_config": {"engines": {"cri": {"enabled": "x"}}}}]}
            )
        )
