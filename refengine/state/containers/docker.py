"""Docker, and podman, which answers to the same requests."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import quote

from refengine.state.containers.answers import below, items, labels, nanoseconds, text, texts, truth
from refengine.state.containers.facts import ContainerFacts, Image, Mount, image_of, pod_of
from refengine.state.containers.identity import ContainerId
from refengine.state.containers.runtime import BROKEN, UnknownError
from refengine.state.containers.sockets import get_json


class DockerRuntime:
    """Asks the server behind a socket for containers of one kind, whichever name the socket's path has by then."""

    def __init__(self, path: str, kind: str, get: Callable[[str, str], Any] = get_json) -> None:
        self.kinds = frozenset({kind})
        self.path = path
        self._kind = kind
        self._get = get

    def ask(self, container: ContainerId) -> ContainerFacts:
        """Return what is known of a container.

        :raises UnknownError: when nothing is.
        """
        answer = self._get(self.path, f"/containers/{quote(container.id, safe='')}/json")
        if text(answer, "Id") != container.id:
            raise UnknownError(BROKEN)
        return facts_of(answer, self._kind, self._image(answer))

    def _image(self, answer: Any) -> Image:
        id = text(answer, "Image")
        asked_for = text(answer, "Config", "Image")
        name, digest = asked_for, ""
        if id:
            try:
                image = self._get(self.path, f"/images/{quote(id, safe=':')}/json")
            except UnknownError:
                image = None  # it may have been removed, while its containers run on
            tags, digests = texts(image, "RepoTags"), texts(image, "RepoDigests")
            if tags and (not asked_for or _is_id(asked_for, id)):
                name = tags[0]
            digest = _digest(digests, image_of(name).repository)
        return image_of(name, id, digest)


def _is_id(name: str, id: str) -> bool:
    """Return whether an image was asked for by its id, or by the beginning of it."""
    digits = name.rpartition(":")[2]
    return len(digits) >= 12 and id.rpartition(":")[2].startswith(digits)


def _digest(digests: Iterable[str], repository: str) -> str:
    """Return the digest under which the image is in the repository, or in any."""
    found = [tuple(each.split("@", 1)) for each in digests if "@" in each]
    ours = [digest for name, digest in found if name == repository]
    return next(iter(ours or [digest for _, digest in found]), "")


def facts_of(answer: Any, kind: str, image: Image) -> ContainerFacts:
    """Return what the description of a container says."""
    host = below(answer, "HostConfig")
    marks = labels(answer, "Config", "Labels")
    return ContainerFacts(
        kind=kind,
        name=text(answer, "Name").removeprefix("/"),
        image=image,
        privileged=truth(host, "Privileged"),
        mounts=tuple(_mount(each) for each in items(answer, "Mounts")),
        labels=marks,
        started=nanoseconds(text(answer, "State", "StartedAt")) or nanoseconds(text(answer, "Created")),
        ip=_ip(answer),
        host_pid=text(host, "PidMode") == "host",
        host_network=text(host, "NetworkMode") == "host",
        host_ipc=text(host, "IpcMode") == "host",
        health_check=_health_check(texts(answer, "Config", "Healthcheck", "Test")),
        pod=pod_of(marks, text(marks, "io.kubernetes.sandbox.id")),
    )


def _mount(answer: Any) -> Mount:
    return Mount(
        text(answer, "Source"),
        text(answer, "Destination"),
        text(answer, "Mode"),
        truth(answer, "RW") is not False,
        text(answer, "Propagation"),
    )


def _ip(answer: Any) -> str:
    networks = below(answer, "NetworkSettings", "Networks")
    each = networks.values() if isinstance(networks, dict) else ()
    found = (text(network, "IPAddress") for network in each)
    return text(answer, "NetworkSettings", "IPAddress") or next(filter(None, found), "")


def _health_check(test: tuple[str, ...]) -> tuple[str, ...]:
    if test[:1] == ("CMD",):
        return test[1:]
    if test[:1] == ("CMD-SHELL",):
        return ("/bin/sh", "-c", *test[1:])
    return ()
