"""Which runtimes are asked, and at which sockets.

The code that asks is loaded with the first question for a runtime.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from glob import glob
from importlib.util import find_spec
from types import MappingProxyType
from typing import Final, NamedTuple

from refengine.state.containers.directory import Listener, MakeListener
from refengine.state.containers.facts import ContainerFacts
from refengine.state.containers.identity import ContainerId
from refengine.state.containers.runtime import NO_RUNTIME, Runtime, UnknownError


class Engine(NamedTuple):
    """Runtimes of one sort: the kinds of their containers, and the sockets that they use, as patterns of paths.

    `needs` is a package that has to be installed to ask them, None where there is none.
    """

    kinds: frozenset[str]
    sockets: tuple[str, ...]
    make: Callable[[str], Runtime]
    needs: str | None = None


def _docker(path: str) -> Runtime:
    from refengine.state.containers.docker import DockerRuntime

    return DockerRuntime(path, kind="docker")


def _podman(path: str) -> Runtime:
    from refengine.state.containers.docker import DockerRuntime

    return DockerRuntime(path, kind="podman")


def _docker_events(pattern: str, found: Callable[[str], None]) -> Listener:
    from refengine.state.containers.docker_events import DockerEvents

    return DockerEvents(pattern, found)


def _cri(path: str) -> Runtime:
    from refengine.state.containers.cri import CriRuntime
    from refengine.state.containers.grpc import call

    return CriRuntime(path, call)


def _containerd(path: str) -> Runtime:
    from refengine.state.containers.containerd import ContainerdRuntime
    from refengine.state.containers.grpc import call

    return ContainerdRuntime(path, call)


_GRPC: Final = "h2"

ENGINES: Mapping[str, Engine] = MappingProxyType(
    {
        "docker": Engine(
            frozenset({"docker"}),
            ("/var/run/docker.sock", "/run/user/*/docker.sock"),
            _docker,
        ),
        "podman": Engine(
            frozenset({"podman"}),
            ("/run/podman/podman.sock", "/run/user/*/podman/podman.sock"),
            _podman,
        ),
        "cri": Engine(
            frozenset({"containerd", "cri-o"}),
            (
                "/run/containerd/containerd.sock",
                "/run/k3s/containerd/containerd.sock",
                "/run/crio/crio.sock",
            ),
            _cri,
            _GRPC,
        ),
        "containerd": Engine(
            frozenset({"containerd"}), ("/run/containerd/containerd.sock",), _containerd, _GRPC
        ),
    }
)
"""Every engine by the name that configurations call it by, those that know most first."""


class EngineRuntime:
    """Asks all the runtimes of an engine: whoever listens at one of the sockets that there are at the moment."""

    def __init__(self, engine: Engine, sockets: tuple[str, ...] = ()) -> None:
        self.kinds = engine.kinds
        self._engine = engine
        self._patterns = sockets or engine.sockets
        self._known: dict[str, Runtime] = {}

    def ask(self, container: ContainerId) -> ContainerFacts:
        """Return what the first runtime that knows the container says.

        :raises UnknownError: when none does.
        """
        engine = self._engine
        if engine.needs is not None and find_spec(engine.needs) is None:
            raise UnknownError(f"{engine.needs} is not installed", lasting=True)
        # Not the error itself, which would keep this very call for as long as the call keeps it.
        cause, lasting = NO_RUNTIME, True
        for path in sorted(path for pattern in self._patterns for path in glob(pattern)):  # noqa: PTH207  (patterns are absolute)
            runtime = self._known.setdefault(path, engine.make(path))
            try:
                return runtime.ask(container)
            except UnknownError as unknown:
                cause, lasting = unknown.cause, unknown.lasting
        raise UnknownError(cause, lasting=lasting)


def runtimes(sockets: Mapping[str, tuple[str, ...]], off: Iterable[str] = ()) -> tuple[Runtime, ...]:
    """Return the engines to ask, `sockets` in place of the usual ones where an engine's name has some."""
    switched_off = frozenset(off)
    return tuple(
        EngineRuntime(engine, sockets.get(name, ()))
        for name, engine in ENGINES.items()
        if name not in switched_off
    )


def listeners(
    sockets: Mapping[str, tuple[str, ...]], off: Iterable[str] = ()
) -> tuple[tuple[str, MakeListener], ...]:
    """Return who tells of new containers, and the kind of these; `sockets` and `off` are as for `runtimes`."""
    switched_off = frozenset(off)
    return tuple(
        (name, partial(_docker_events, pattern))
        for name in ("docker", "podman")
        if name not in switched_off
        for pattern in sockets.get(name, ()) or ENGINES[name].sockets
    )
