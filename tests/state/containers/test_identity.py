"""Containers by the paths of control groups."""

from __future__ import annotations

import pytest

from refengine.state.containers.identity import container_of

ID = "0123456789abcdef" * 4
OTHER = "f" * 64
POD = "pod12345678-1234-1234-1234-123456789012"


@pytest.mark.parametrize(
    ("path", "id", "kind"),
    [
        (f"/docker/{ID}", ID, "docker"),
        (f"/docker/{ID}/init.scope", ID, "docker"),
        (f"/system.slice/docker-{ID}.scope", ID, "docker"),
        (f"/../../docker/{ID}", ID, "docker"),
        (f"/kubepods.slice/kubepods-{POD}.slice/docker-{ID}.scope", ID, "docker"),
        (f"/docker/{OTHER}/docker/{ID}", ID, "docker"),
        (f"/docker/{OTHER}/kubepods/{POD}/{ID}", ID, "kubernetes"),
        (f"/libpod_parent/libpod-{ID}", ID, "podman"),
        (f"/machine.slice/libpod-{ID}.scope", ID, "podman"),
        (f"/machine.slice/libpod-{ID}.scope/container", ID, "podman"),
        (f"/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-{ID}.scope", ID, "podman"),
        (f"/user.slice/user-1000.slice/user@1000.service/user.slice/podman-9.scope/libpod-{ID}", ID, "podman"),
        (f"/kubepods/besteffort/{POD}/{ID}", ID, "kubernetes"),
        (f"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1_2.slice/cri-containerd-{ID}.scope", ID, "containerd"),
        (f"/system.slice/containerd.service/kubepods-burstable-pod1.slice:cri-containerd:{ID}", ID, "containerd"),
        (f"/kubepods.slice/kubepods-pod1.slice/crio-{ID}.scope", ID, "cri-o"),
        (f"/kubepods/{POD}/crio-{ID}", ID, "cri-o"),
        (f"/system.slice/nerdctl-{ID}.scope", ID, "containerd"),
        (f"/k8s.io/{ID}", ID, "containerd"),
        ("/k8s.io/example", "example", "containerd"),
        ("/default/example", "example", "containerd"),
        ("/lxc/web", "web", "lxc"),
        ("/lxc.payload/web/system.slice", "web", "lxc"),
        ("/lxc.payload.web/init.scope", "web", "lxc"),
        ("/machine.slice/machine-web.scope", "web", "systemd-nspawn"),
        (r"/machine.slice/machine-my\x2dweb.scope/payload", "my-web", "systemd-nspawn"),
        ("/machine.slice/systemd-nspawn@web.service/payload", "web", "systemd-nspawn"),
        (r"/machine.slice/machine-lxc\x2d17\x2dweb.scope", "web", "libvirt-lxc"),
    ],
)  # fmt: skip
def test_containers(path: str, id: str, kind: str) -> None:
    found = container_of((("cpu", "/"), ("memory", path)))
    assert found is not None
    assert (found.id, found.kind, found.cgroup) == (id, kind, path)
    assert found.short == (id[:12] if id == ID else id)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "",
        "/process_api/a56c22b73b319ec66e8b10c6c589d3bc",
        f"/process_api/{ID}",
        f"/user.slice/session-{ID}",
        f"/docker/{ID[:32]}",
        f"/docker/{ID}0",
        f"/docker/{ID.upper()}",
        "/docker",
        "/system.slice/docker.service",
        "/user.slice/user-1000.slice/session-1.scope",
        f"/machine.slice/libpod-conmon-{ID}.scope",
        f"/kubepods.slice/crio-conmon-{ID}.scope",
        f"/kubepods/besteffort/{POD}",
        "/lxc.monitor.web",
        "/lxc.pivot",
        r"/machine.slice/machine-qemu\x2d1\x2dvm.scope",
        "/machine.slice",
        "/default",
        "/defaults/example",
    ],
)
def test_the_host(path: str) -> None:
    assert container_of((("cpu", path), ("memory", path))) is None
