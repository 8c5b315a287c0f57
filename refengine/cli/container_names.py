"""Names and images of containers for rules that ask for them, on a live machine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from refengine.cli.container_plugin import ContainerEngines
from refengine.cli.messages import Messages
from refengine.cli.observation import Observation
from refengine.state.containers.directory import RuntimeDirectory
from refengine.state.containers.engines import listeners, runtimes
from refengine.state.probe import NoProbe


@contextmanager
def container_names(
    observed: Iterable[Observation], engines: ContainerEngines, messages: Messages
) -> Iterator[None]:
    """Have the runtimes of this machine asked while the body runs, once a rule or a print needs what they know.

    Afterwards it is said of how many containers nothing is known, and why.
    """
    directory = RuntimeDirectory(
        runtimes(engines.sockets, engines.off), listeners(engines.sockets, engines.off)
    )
    for each in observed:
        state = each.connection.state
        if state is not None and not isinstance(state.probe, NoProbe):
            state.containers = directory
            if any(map(_is_asked_for, each.interest.fields)):
                directory.start()
    try:
        yield
    finally:
        directory.close()
        unknown = directory.unknown()
        if unknown:
            causes = ", ".join(f"{cause}: {count}" for cause, count in sorted(unknown.items()))
            messages.warn(f"containers of which only the id is known: {unknown.total()} ({causes})")


def _is_asked_for(field: str) -> bool:
    """Return whether a runtime has to be asked for a field, and it is not only the container's path that tells it."""
    return field.startswith(("container.", "k8s.", "proc.is_container_")) and field not in _FROM_PATHS


_FROM_PATHS = frozenset({"container.id", "container.full_id"})
