"""The fields of containers and pods."""

from __future__ import annotations

import pytest

from refengine.event import Event
from refengine.state.containers.facts import ContainerFacts, Mount, Pod, image_of
from refengine.state.containers.identity import ContainerId
from refengine.values import Value
from tests.events import NOW, applied, field, machine

ID = "0123456789abcdef" * 4
POD = "12345678-1234-1234-1234-123456789012"
FACTS = ContainerFacts(
    kind="docker",
    name="example",
    image=image_of("registry:5000/team/app:1.2", "sha256:abcd", "sha256:22"),
    privileged=False,
    mounts=(Mount("/etc", "/host/etc", "ro", False, "rprivate"), Mount("/proc/x", "/p", "", True, "")),
    labels={"app": "web", "tier": ""},
    started=NOW - 5,
    host_pid=True,
    health_check=("/bin/sh", "-c", "check it"),
    pod=Pod("pod", "ns", "uid", "fedcba9876543210", {"a": "b"}, "10.0.0.7", "{}"),
)


class Known:
    """A directory that knows one container."""

    def __init__(self, facts: ContainerFacts | None) -> None:
        self._facts = facts

    def facts(self, container: ContainerId) -> ContainerFacts | None:
        assert container.id == ID
        return self._facts


def event(facts: ContainerFacts | None = FACTS, cgroup: str = f"/docker/{ID}") -> Event:
    state = machine((100, 1, "shell"))
    state.containers = Known(facts)
    state.threads[100].cgroups = (("cpu", "/"), ("memory", cgroup))
    return applied(state, "SYSCALL_CLOSE_X")


CASES: list[tuple[str, str | None, Value | None]] = [
    ("container.id", None, ID[:12]),
    ("container.full_id", None, ID),
    ("container.name", None, "example"),
    ("container.type", None, "docker"),
    ("container.image", None, "registry:5000/team/app:1.2"),
    ("container.image.id", None, "abcd"),
    ("container.image.repository", None, "registry:5000/team/app"),
    ("container.image.tag", None, "1.2"),
    ("container.image.digest", None, "sha256:22"),
    ("container.privileged", None, False),
    ("container.mounts", None, "/etc:/host/etc:ro:false:rprivate /proc/x:/p::true:"),
    ("container.mount", "0", "/etc:/host/etc:ro:false:rprivate"),
    ("container.mount", "2", None),
    ("container.mount", "/etc", "/etc:/host/etc:ro:false:rprivate"),
    ("container.mount", "/none", None),
    ("container.mount.source", "/host/*", "/etc"),
    ("container.mount.source", "1", "/proc/x"),
    ("container.mount.dest", "/proc*", "/p"),
    ("container.mount.dest", "/proc", None),
    ("container.mount.dest", "[", None),
    ("container.mount.mode", "/etc", "ro"),
    ("container.mount.rdwr", "/etc", "false"),
    ("container.mount.rdwr", "1", "true"),
    ("container.mount.propagation", "0", "rprivate"),
    ("container.healthcheck", None, "/bin/sh -c check it"),
    ("container.liveness_probe", None, "NONE"),
    ("container.start_ts", None, NOW - 5),
    ("container.duration", None, 5),
    ("container.ip", None, "10.0.0.7"),
    ("container.cni.json", None, "{}"),
    ("container.host_pid", None, True),
    ("container.host_network", None, None),
    ("container.label", "app", "web"),
    ("container.label", "none", None),
    ("container.labels", None, "app:web,tier:"),
    ("k8s.pod.name", None, "pod"),
    ("k8s.ns.name", None, "ns"),
    ("k8s.pod.uid", None, "uid"),
    ("k8s.pod.id", None, "fedcba987654"),
    ("k8s.pod.sandbox_id", None, "fedcba987654"),
    ("k8s.pod.full_sandbox_id", None, "fedcba9876543210"),
    ("k8s.pod.label", "a", "b"),
    ("k8s.pod.labels", None, "a:b"),
    ("k8s.pod.ip", None, "10.0.0.7"),
    ("k8s.pod.cni.json", None, "{}"),
]


@pytest.mark.parametrize(("name", "argument", "expected"), CASES)
def test_what_the_runtime_says(name: str, argument: str | None, expected: Value | None) -> None:
    assert field(event(), name, argument) == expected


@pytest.mark.parametrize(("name", "argument", "_"), CASES)
def test_only_the_id_and_the_runtime_are_known_without_it(
    name: str, argument: str | None, _: Value | None
) -> None:
    known = {"container.id": ID[:12], "container.full_id": ID, "container.type": "docker"}
    assert field(event(None), name, argument) == known.get(name)


@pytest.mark.parametrize(("name", "argument", "_"), CASES)
def test_the_host_has_its_name_and_nothing_else(name: str, argument: str | None, _: Value | None) -> None:
    hosts = {"container.id", "container.full_id", "container.name", "container.type"}
    assert field(event(cgroup="/"), name, argument) == ("host" if name in hosts else None)


def test_of_kubernetes_the_path_tells_the_pod_and_not_the_runtime() -> None:
    path = f"/kubepods/besteffort/pod{POD}/{ID}"
    assert field(event(None, path), "container.type") is None
    assert field(event(FACTS, path), "container.type") == "docker"
    assert field(event(None, path), "k8s.pod.uid") == POD
    assert field(event(None, path.replace("-", "_")), "k8s.pod.uid") == POD


@pytest.mark.parametrize("path", ["/lxc.payload.web", "/machine.slice/machine-web.scope"])
def test_a_container_that_is_identified_by_its_name_needs_nobody_to_tell_it(path: str) -> None:
    found = event(None, path)
    assert [field(found, f"container.{what}") for what in ("id", "full_id", "name")] == ["web"] * 3
    assert field(found, "container.image") is None


def test_an_empty_health_check_has_a_text_of_its_own() -> None:
    assert field(event(ContainerFacts("docker")), "container.healthcheck") == "NONE"


@pytest.mark.parametrize(("args", "expected"), [(("-c", "check it"), True), (("-c", "other"), False)])
def test_processes_that_check_health(args: tuple[str, ...], expected: bool) -> None:
    state = machine((1, 0, "init"), (100, 1, "sh"), (200, 100, "curl"))
    state.containers = Known(FACTS)
    for thread in state.threads.values():
        thread.cgroups = (("memory", f"/docker/{ID}"),)
    state.threads[100].set_command("sh", "/bin/sh", args)
    for tid in (100, 200):
        assert field(applied(state, "SYSCALL_CLOSE_X", tid), "proc.is_container_healthcheck") is expected
    assert field(event(None), "proc.is_container_healthcheck") is False
    assert field(event(), "proc.is_container_liveness_probe") is False
