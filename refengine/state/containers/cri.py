"""Runtimes that speak the Container Runtime Interface of Kubernetes: containerd, CRI-O.

Fields of messages are known by their numbers; each stands below with its name in the interface's definition.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final, TypeAlias

from refengine.state.containers.answers import below, text, truth
from refengine.state.containers.facts import ContainerFacts, Mount, Pod, image_of
from refengine.state.containers.identity import ContainerId
from refengine.state.containers.protobuf import Message, message
from refengine.state.containers.runtime import NOT_FOUND, UnknownError

_SERVICE: Final = "/runtime.v1.RuntimeService/"

# ContainerStatusRequest, PodSandboxStatusRequest
_ID, _VERBOSE = 1, 2
# ContainerStatusResponse, PodSandboxStatusResponse
_STATUS, _INFO = 1, 2
# ContainerStatus
_METADATA, _CREATED, _STARTED, _IMAGE, _IMAGE_REF, _LABELS, _MOUNTS = 2, 4, 5, 8, 9, 12, 14
# PodSandboxStatus
_SANDBOX_ID, _SANDBOX_METADATA, _SANDBOX_NETWORK, _SANDBOX_LINUX, _SANDBOX_LABELS = 1, 2, 5, 6, 7
# PodSandboxMetadata
_POD_NAME, _POD_UID, _POD_NAMESPACE = 1, 2, 3
# LinuxPodSandboxStatus.namespaces.options
_NAMESPACES, _OPTIONS, _NETWORK, _PID, _IPC = 1, 2, 1, 2, 3
_NODE = 2
"""The namespace mode of what is shared with the machine."""

Call: TypeAlias = "Callable[[str, str, bytes], bytes]"
"""Asks the server at a socket by a method: `grpc.call`."""

_DIGEST = "sha256:"
_PROPAGATIONS = {0: "private", 1: "rslave", 2: "rshared"}


class CriRuntime:
    """Asks the server behind a socket for containers of Kubernetes."""

    kinds = frozenset({"containerd", "cri-o"})

    def __init__(self, path: str, call: Call) -> None:
        self.path = path
        self._kind = "cri-o" if "crio" in path else "containerd"
        self._call = call

    def ask(self, container: ContainerId) -> ContainerFacts:
        """Return what is known of a container, or of the sandbox of a pod.

        :raises UnknownError: when nothing is.
        """
        try:
            answer = self._status("ContainerStatus", container.id)
        except UnknownError as unknown:
            if unknown.cause != NOT_FOUND:
                raise
            sandbox = self._status("PodSandboxStatus", container.id)
            return _of_sandbox(sandbox, self._kind)
        facts, sandbox_id = _of_container(answer, self._kind)
        try:
            sandbox = self._status("PodSandboxStatus", sandbox_id) if sandbox_id else Message(b"")
        except UnknownError:
            return facts
        of_pod = _of_sandbox(sandbox, self._kind)
        return replace(
            facts,
            pod=of_pod.pod,
            host_pid=of_pod.host_pid,
            host_network=of_pod.host_network,
            host_ipc=of_pod.host_ipc,
        )

    def _status(self, method: str, id: str) -> Message:
        return Message(self._call(self.path, f"{_SERVICE}{method}", message({_ID: id, _VERBOSE: 1})))


def _of_container(answer: Message, kind: str) -> tuple[ContainerFacts, str]:
    """Return the facts of a container, and the id of its pod's sandbox."""
    status = answer.below(_STATUS)
    told = _told(answer)
    reference = status.text(_IMAGE_REF)
    name = status.below(_IMAGE).text(1)
    digest = reference.partition("@")[2]
    ids = (text(told, "config", "image", "image"), reference)
    facts = ContainerFacts(
        kind=kind,
        name=status.below(_METADATA).text(1),
        image=image_of(name or reference, next((id for id in ids if id.startswith(_DIGEST)), ""), digest),
        privileged=_privileged(told),
        mounts=tuple(
            Mount(
                mount.text(2),
                mount.text(1),
                "",
                not mount.number(3),
                _PROPAGATIONS.get(mount.number(5), ""),
            )
            for mount in status.each(_MOUNTS)
        ),
        labels=status.texts(_LABELS),
        started=status.number(_STARTED) or status.number(_CREATED) or None,
    )
    return facts, text(told, "sandboxID")


def _of_sandbox(answer: Message, kind: str) -> ContainerFacts:
    """Return the facts of a pod's sandbox, which is a container without a name."""
    status = answer.below(_STATUS)
    metadata = status.below(_SANDBOX_METADATA)
    options = status.below(_SANDBOX_LINUX).below(_NAMESPACES).below(_OPTIONS)
    cni = below(_told(answer), "cniResult")
    pod = Pod(
        metadata.text(_POD_NAME),
        metadata.text(_POD_NAMESPACE),
        metadata.text(_POD_UID),
        status.text(_SANDBOX_ID),
        {key: value for key, value in status.texts(_SANDBOX_LABELS).items() if not key.startswith(_OURS)},
        status.below(_SANDBOX_NETWORK).text(1),
        json.dumps(cni, separators=(",", ":")) if cni else "",
    )
    return ContainerFacts(
        kind=kind,
        labels=status.texts(_SANDBOX_LABELS),
        started=status.number(_CREATED) or None,
        host_pid=options.number(_PID) == _NODE,
        host_network=options.number(_NETWORK) == _NODE,
        host_ipc=options.number(_IPC) == _NODE,
        pod=pod,
    )


_OURS = "io.kubernetes."
"""What labels begin with that the kubelet adds itself."""


def _told(answer: Message) -> Any:
    """Return what the runtime adds to its answer in JSON, in a form of its own."""
    try:
        return json.loads(answer.texts(_INFO).get("info", "null"))
    except (ValueError, RecursionError):
        return None


def _privileged(told: Any) -> bool | None:
    """Return whether the container is privileged, as containerd or CRI-O says it."""
    found = truth(told, "privileged")
    if found is None:
        config = below(told, "config", "linux", "security_context")
        found = truth(config, "privileged")
        if found is None and isinstance(config, dict):
            return False
    return found
