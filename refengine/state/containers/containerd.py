"""Containers that containerd was asked for by others than Kubernetes: by its own `ctr`, or by nerdctl."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final, TypeAlias

from refengine.state.containers.answers import items, text, texts
from refengine.state.containers.containerd_images import image_named
from refengine.state.containers.facts import ContainerFacts, Image, Mount
from refengine.state.containers.identity import ContainerId
from refengine.state.containers.protobuf import Message, message
from refengine.state.containers.runtime import NOT_FOUND, UnknownError

_METHOD: Final = "/containerd.services.containers.v1.Containers/Get"
_NAMESPACES: Final = ("k8s.io", "default", "moby")
"""The namespaces that are tried where the control group does not say which."""

# GetContainerRequest.id, GetContainerResponse.container
_ID, _CONTAINER = 1, 1
# Container; spec is an Any, whose value is the JSON of a runtime's configuration
_LABELS, _IMAGE, _SPEC, _CREATED = 2, 3, 5, 8
_ANY_VALUE = 2
# Timestamp
_SECONDS, _NANOSECONDS = 1, 2

_NAME_OF_NERDCTL = "nerdctl/name"
_ALL_CAPABILITIES = 37
"""A container with so many capabilities has been given all that there are."""

Call: TypeAlias = "Callable[[str, str, bytes, Mapping[str, str]], bytes]"
"""Asks the server at a socket by a method: `grpc.call`."""


class ContainerdRuntime:
    """Asks containerd behind a socket for any container that it keeps."""

    kinds = frozenset({"containerd"})

    def __init__(self, path: str, call: Call) -> None:
        self.path = path
        self._call = call

    def ask(self, container: ContainerId) -> ContainerFacts:
        """Return what is known of a container.

        :raises UnknownError: when nothing is.
        """
        folder = container.cgroup.split("/")[1]
        named = [folder] if folder in _NAMESPACES else _NAMESPACES
        for namespace in named:
            ask = partial(self._ask, {"containerd-namespace": namespace})
            try:
                answer = ask(_METHOD, message({_ID: container.id}))
            except UnknownError as unknown:
                if unknown.cause != NOT_FOUND:
                    raise
            else:
                found = Message(answer).below(_CONTAINER)
                image = found.text(_IMAGE)
                return _facts(found, container.id, image_named(image, ask) if image else Image())
        raise UnknownError(NOT_FOUND)

    def _ask(self, metadata: Mapping[str, str], method: str, question: bytes) -> bytes:
        return self._call(self.path, method, question, metadata)


def _facts(answer: Message, id: str, image: Image) -> ContainerFacts:
    marks = answer.texts(_LABELS)
    created = answer.below(_CREATED)
    spec = _json(answer.below(_SPEC).blob(_ANY_VALUE))
    own = {text(each, "type") for each in items(spec, "linux", "namespaces")}
    return ContainerFacts(
        kind="containerd",
        name=marks.get(_NAME_OF_NERDCTL, id),
        image=image,
        privileged=None if spec is None else _privileged(spec),
        mounts=tuple(
            _mount(each) for each in items(spec, "mounts") if text(each, "type") in ("bind", "rbind", "")
        ),
        labels=marks,
        started=created.number(_SECONDS) * 10**9 + created.number(_NANOSECONDS) or None,
        host_pid="pid" not in own if own else None,
        host_network="network" not in own if own else None,
        host_ipc="ipc" not in own if own else None,
    )


def _json(data: bytes) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None


def _privileged(spec: Any) -> bool:
    """Return whether the container has all capabilities, and sees what others may not."""
    bounding = texts(spec, "process", "capabilities", "bounding")
    return len(bounding) >= _ALL_CAPABILITIES and not items(spec, "linux", "maskedPaths")


def _mount(answer: Any) -> Mount:
    options = texts(answer, "options")
    propagation = next((each for each in options if each.lstrip("r") in ("private", "shared", "slave")), "")
    return Mount(
        text(answer, "source"),
        text(answer, "destination"),
        ",".join(options),
        "ro" not in options,
        propagation,
    )
