"""Real containers of real runtimes, where these are installed: `apt-get install docker.io podman containerd`."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from refengine.state.containers import directory as directory_module
from refengine.state.containers import sockets as runtime_sockets
from refengine.state.containers.directory import RuntimeDirectory
from refengine.state.containers.engines import listeners, runtimes
from refengine.state.containers.facts import ContainerFacts
from refengine.state.containers.identity import ContainerId, container_of
from refengine.state.containers.protobuf import Message, message
from refengine.state.procfs import parse_cgroups
from tests.ebpf import require_ebpf
from tests.running import ready

pytestmark = [pytest.mark.root, pytest.mark.slow, pytest.mark.timeout(600)]

ROOT = Path(__file__).resolve().parents[3]
IMAGE = "docker.io/example/busybox:1.0"
BUSYBOX = Path("/bin/busybox")
Command = Sequence[str | Path]


def programs(*names: str) -> None:
    """Skip the test where a program is not installed."""
    missing = [name for name in names if shutil.which(name) is None]
    if not BUSYBOX.exists():
        missing.append("busybox-static")
    if missing:
        pytest.skip(f"{', '.join(missing)} is not installed")


def run(*command: str | Path, check: bool = True) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    if check and done.returncode != 0:
        pytest.skip(f"{Path(command[0]).name} does not work here: {done.stderr.strip()[-300:]}")
    return done.stdout.strip()


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a short path, since sockets lie there."""
    path = Path(tempfile.mkdtemp(prefix="ct-", dir="/tmp"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


@contextlib.contextmanager
def daemon(command: Command, socket: Path) -> Iterator[None]:
    """Have a program running while the body does, once its socket is there."""
    log = socket.with_suffix(".log")
    with log.open("wb") as file, subprocess.Popen(command, stdout=file, stderr=file) as process:
        try:
            deadline = time.monotonic() + 60
            while not socket.exists():
                if process.poll() is not None or time.monotonic() > deadline:
                    pytest.skip(f"{command[0]} does not run here: {log.read_text()[-300:]}")
                time.sleep(0.1)
            yield
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()


@pytest.fixture
def layer(folder: Path) -> Path:
    """The files of an image, which is busybox and nothing else."""
    path = folder / "layer.tar"
    with tarfile.open(path, "w") as tar:
        tar.add(BUSYBOX, "bin/busybox")
        for name in ("sh", "sleep", "ls", "true"):
            link = tarfile.TarInfo(f"bin/{name}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(link)
    return path


def archive(folder: Path, layer: Path) -> Path:
    """Return the layer as an archive of an image, in the form that docker saves."""
    data = layer.read_bytes()
    digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
    configuration = {
        "architecture": "amd64" if os.uname().machine == "x86_64" else "arm64",
        "os": "linux",
        "config": {"Cmd": ["/bin/sleep", "1000"]},
        "rootfs": {"type": "layers", "diff_ids": [digest]},
    }
    manifest = [{"Config": "config.json", "RepoTags": [IMAGE], "Layers": ["layer.tar"]}]
    path = folder / "image.tar"
    with tarfile.open(path, "w") as tar:
        for name, content in (
            ("config.json", json.dumps(configuration).encode()),
            ("layer.tar", data),
            ("manifest.json", json.dumps(manifest).encode()),
        ):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return path


def settings_of_the_image(path: Path) -> str:
    """Return the digest of an image's settings in an archive, by which the image is known."""
    with tarfile.open(path) as tar:
        file = tar.extractfile("config.json")
        assert file is not None
        return hashlib.sha256(file.read()).hexdigest()


def container_at(pid: int) -> ContainerId:
    found = container_of(parse_cgroups(Path(f"/proc/{pid}/cgroup").read_text()))
    assert found is not None
    return found


@pytest.fixture(autouse=True)
def _time_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime_sockets, "PATIENCE", 60.0)
    monkeypatch.setattr(directory_module, "_RESERVE", 60.0)


def asked(engine: str, socket: Path, container: ContainerId) -> ContainerFacts:
    """Return what is known of a container, asked for as a run does it."""
    sockets = {engine: (str(socket),)}
    others = {"docker", "podman", "cri", "containerd"} - {engine}
    directory = RuntimeDirectory(runtimes(sockets, others), listeners(sockets, others), wait=60)
    directory.start()
    try:
        facts = directory.facts(container)
        assert facts is not None, directory.unknown()
        assert directory.unknown() == {}
    finally:
        directory.close()
    return facts


RULES = """
- rule: spawned_processes_in_example_container
  desc: Detect processes spawned in example container
  condition: container.name in ("example", "later") and evt.type = execve
  output: "%container.id,%container.name,%container.image,%container.image.id,%user.uid,%proc.exepath"
  priority: NOTICE
"""


def wait_for_alert(folder: Path, engine: str, socket: Path, pid: int, wanted: str) -> None:
    """Return when the rule has raised that alert on a process in the container, which is attached to."""
    rules = folder / "rules.yaml"
    rules.write_text(RULES)
    configuration = folder / "configuration.yaml"
    engines = {engine: {"sockets": [str(socket)]}}
    configuration.write_text(
        json.dumps({"plugins": [{"name": "container", "init_config": {"engines": engines}}]})
    )
    command: Command = [
        sys.executable, "-m", "refengine", "-r", rules, "-c", configuration, "-M", "150", "-p", str(pid),
    ]  # fmt: skip
    found = []
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as watch:
        assert watch.stdout is not None
        for line in watch.stdout:
            if ": Notice " in line:
                found.append(line.partition(": Notice ")[2].strip())
                if found[-1] == wanted:
                    watch.terminate()
                    return
    raise AssertionError(f"the monitor ended after {found}")


def alerts_until_it_runs(folder: Path, engine: str, socket: Path, start: Command) -> list[str]:
    """Return the alerts of a container called later, which starts programs while the whole machine is watched.

    Where its runtime does not answer in time, the first of them are of a container without a name. The last alert is of
    one of the container's own programs. Before it there may be the runtime's, which makes the container: it
    runs itself again once it is in the control group, or has done so before, whichever comes first.
    """
    require_ebpf()
    rules, configuration = folder / "rules.yaml", folder / "configuration.yaml"
    with ready("--backend", "ebpf", "-r", rules, "-c", configuration) as watch:
        run(*start)
        assert watch.stdout is not None
        found = []
        for line in watch.stdout:
            if ": Notice " in line:
                found.append(line.partition(": Notice ")[2].strip())
                if found[-1].endswith(",/bin/busybox") and ",later," in found[-1]:
                    return [alert for alert in found if alert.split(",")[1] != "example"]
        raise AssertionError(f"the monitor ended after {found}")


LOOP = "while :; do sleep 0.2; done"


def test_docker(folder: Path, layer: Path) -> None:
    programs("dockerd", "docker")
    socket = folder / "docker.sock"
    docker: Command = ["docker", "-H", f"unix://{socket}"]
    command: Command = [
        "dockerd", "--iptables=false", "--bridge=none", "--storage-driver", "vfs",
        "--data-root", folder / "data", "--exec-root", folder / "exec",
        "--pidfile", folder / "pid", "-H", f"unix://{socket}",
    ]  # fmt: skip
    with daemon(command, socket):
        deadline = time.monotonic() + 60
        while subprocess.run([*docker, "info"], capture_output=True, check=False).returncode:
            assert time.monotonic() < deadline
            time.sleep(0.2)
        image = run(*docker, "import", layer, "example/busybox:1.0").removeprefix("sha256:")
        id = run(
            *docker, "run", "-d", "--name", "example", "--network", "none", "--label", "app=web",
            "-v", f"{folder}:/data:ro", "example/busybox:1.0", "sh", "-c", LOOP,
        )  # fmt: skip
        try:
            pid = int(run(*docker, "inspect", "-f", "{{.State.Pid}}", "example"))
            container = container_at(pid)
            assert (container.id, container.kind) == (id, "docker")
            facts = asked("docker", socket, container)
            assert (facts.name, facts.privileged, facts.labels) == ("example", False, {"app": "web"})
            assert (facts.image.name, facts.image.id) == ("example/busybox:1.0", image)
            assert [(mount.source, mount.destination, mount.writable) for mount in facts.mounts] == [
                (str(folder), "/data", False)
            ]
            assert facts.started is not None
            assert abs(facts.started / 1e9 - time.time()) < 300
            wait_for_alert(
                folder, "docker", socket, pid, f"{id[:12]},example,example/busybox:1.0,{image},0,/bin/busybox"
            )
            start = [
                *docker, "run", "-d", "--name", "later", "--network", "none", "example/busybox:1.0", "sh", "-c", LOOP,
            ]  # fmt: skip
            for later in alerts_until_it_runs(folder, "docker", socket, start):
                assert later.split(",")[1:4] == ["later", "example/busybox:1.0", image]
        finally:
            run(*docker, "rm", "-f", "example", "later", check=False)


def test_podman(folder: Path, layer: Path) -> None:
    programs("podman", "runc")
    socket = folder / "podman.sock"
    podman: Command = [
        "podman", "--root", folder / "root", "--runroot", folder / "run", "--tmpdir", folder / "tmp",
        "--runtime", "runc", "--storage-driver", "vfs", "--cgroup-manager", "cgroupfs", "--events-backend", "file",
    ]  # fmt: skip
    image = run(*podman, "import", layer, "example/busybox:1.0").removeprefix("sha256:").splitlines()[-1]
    id = run(
        *podman, "run", "-d", "--name", "example", "--network", "none", "--privileged",
        "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024", "localhost/example/busybox:1.0",
        "sh", "-c", LOOP,
    )  # fmt: skip
    try:
        with daemon([*podman, "system", "service", "-t", "0", f"unix://{socket}"], socket):
            pid = int(run(*podman, "inspect", "-f", "{{.State.Pid}}", "example"))
            container = container_at(pid)
            assert (container.id, container.kind) == (id, "podman")
            facts = asked("podman", socket, container)
            assert (facts.kind, facts.name, facts.privileged) == ("podman", "example", True)
            assert (facts.image.name, facts.image.id) == ("localhost/example/busybox:1.0", image)
            wait_for_alert(
                folder,
                "podman",
                socket,
                pid,
                f"{id[:12]},example,localhost/example/busybox:1.0,{image},0,/bin/busybox",
            )
            start = [
                *podman, "run", "-d", "--name", "later", "--network", "none",
                "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024",
                "localhost/example/busybox:1.0", "sh", "-c", LOOP,
            ]  # fmt: skip
            for later in alerts_until_it_runs(folder, "podman", socket, start):
                assert later.split(",")[1:4] == ["later", "localhost/example/busybox:1.0", image]
    finally:
        run(*podman, "rm", "-f", "-t", "0", "example", "later", check=False)


CONTAINERD = """
version = 2
root = "{folder}/root"
state = "{folder}/state"
[grpc]
  address = "{socket}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{image}"
  disable_apparmor = true
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "native"
"""


def test_containerd_and_kubernetes(folder: Path, layer: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs("containerd", "ctr", "runc")
    pytest.importorskip("h2", reason="h2 is not installed")
    from refengine.state.containers import grpc

    monkeypatch.setattr(grpc, "PATIENCE", 60.0)
    socket = folder / "c.sock"
    settings = folder / "config.toml"
    settings.write_text(CONTAINERD.format(folder=folder, socket=socket, image=IMAGE))
    ctr: Command = ["ctr", "-a", socket]
    with daemon(["containerd", "--config", settings], socket):
        for namespace in ("default", "k8s.io"):
            image = archive(folder, layer)
            run(*ctr, "-n", namespace, "images", "import", "--snapshotter", "native", image)
        run(*ctr, "run", "-d", "--snapshotter", "native", IMAGE, "example", "/bin/sh", "-c", LOOP)

        def pid_of(namespace: str, id: str) -> int:
            tasks = (line.split() for line in run(*ctr, "-n", namespace, "tasks", "ls").splitlines())
            return next(int(columns[1]) for columns in tasks if columns[0] == id)

        def ask(method: str, question: bytes) -> Message:
            return Message(grpc.call(str(socket), f"/runtime.v1.RuntimeService/{method}", question))

        try:
            container = container_at(pid_of("default", "example"))
            assert (container.id, container.kind) == ("example", "containerd")
            facts = asked("containerd", socket, container)
            assert (facts.name, facts.image.name, facts.privileged) == ("example", IMAGE, False)
            assert facts.image.id == settings_of_the_image(image)
            wait_for_alert(
                folder,
                "containerd",
                socket,
                pid_of("default", "example"),
                f"example,example,{IMAGE},{facts.image.id},0,/bin/busybox",
            )
            start = [*ctr, "run", "-d", "--snapshotter", "native", IMAGE, "later", "/bin/sh", "-c", LOOP]
            for later in alerts_until_it_runs(folder, "containerd", socket, start):
                assert later.rpartition(",")[0] == f"later,later,{IMAGE},{facts.image.id},0"

            # What a kubelet does to run a pod that shares the network of its node.
            shared = message({1: 2})
            pod = message(
                {
                    1: message({1: "pod", 2: "uid", 3: "namespace"}),
                    6: message({1: "app", 2: "web"}),
                    8: message({2: message({1: shared})}),
                }
            )
            sandbox = ask("RunPodSandbox", message({1: pod})).text(1)
            wanted = message(
                {
                    1: message({1: "web"}),
                    2: message({1: IMAGE}),
                    3: "/bin/sleep",
                    4: "100",
                    7: message({1: "/data", 2: str(folder), 3: 1}),
                    15: message({2: message({3: shared})}),
                }
            )
            id = ask("CreateContainer", message({1: sandbox, 2: wanted, 3: pod})).text(1)
            ask("StartContainer", message({1: id}))
            try:
                container = container_at(pid_of("k8s.io", id))
                assert (container.id, container.kind) == (id, "containerd")
                facts = asked("cri", socket, container)
                assert (facts.name, facts.image.name, facts.privileged) == ("web", IMAGE, False)
                assert [str(mount) for mount in facts.mounts] == [f"{folder}:/data::false:private"]
                assert (facts.host_network, facts.host_pid) == (True, False)
                assert facts.pod is not None
                assert (facts.pod.name, facts.pod.namespace, facts.pod.uid) == ("pod", "namespace", "uid")
                assert (facts.pod.labels, facts.pod.sandbox_id) == ({"app": "web"}, sandbox)
                of_pod = asked("cri", socket, container_at(pid_of("k8s.io", sandbox)))
                assert of_pod.pod == facts.pod
            finally:
                ask("StopPodSandbox", message({1: sandbox}))
                ask("RemovePodSandbox", message({1: sandbox}))
        finally:
            for name in ("example", "later"):
                run(*ctr, "tasks", "kill", "-s", "KILL", name, check=False)
                time.sleep(0.5)
                run(*ctr, "containers", "rm", name, check=False)
