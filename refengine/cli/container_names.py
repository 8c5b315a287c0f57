"""Names and images of containers for rules that ask for them, on a live machine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from refengine.backends.base import Connection
from refengine.cli.container_plugin import ContainerEngines
from refengine.cli.messages import Messages
from refengine.state.containers.directory import RuntimeDirectory
from refengine.state.containers.engines import runtimes
from refengine.state.probe import NoProbe


@contextmanager
def container_names(
    connections: Iterable[Connection], engines: ContainerEngines, messages: Messages
) -> Iterator[None]:
    """Have the runtimes of this machine asked while the body runs, once a rule or a print needs what they know.

    Afterwards it is said of how many containers nothing is known, and why.
    """
    states = [each.state for each in connections if each.state is not None]
    directory = RuntimeDirectory(runtimes(engines.sockets, engines.off))
    for state in states:
        if not isinstance(state.probe, NoProbe):
            state.containers = directory
    try:
        yield
    finally:
        directory.close()
        unknown = directory.unknown()
        if unknown:
            causes = ", ".join(f"{cause}: {count}" for cause, count in sorted(unknown.items()))
            messages.warn(f"containers of which only the id is known: {unknown.total()} ({causes})")
