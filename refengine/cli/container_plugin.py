"""What a configuration says of Falco's plugin for containers: which runtimes are asked, and where."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from refengine.cli.document import Document
from refengine.cli.plugin_settings import plugin_section, settings_of
from refengine.state.containers.engines import ENGINES

_NAME = "container"


class ContainerEngines(NamedTuple):
    """The engines that have other sockets than the usual ones, and those that are switched off."""

    sockets: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    off: frozenset[str] = frozenset()


def container_engines(document: Document) -> ContainerEngines:
    """Return what the plugin's settings say of its engines.

    :raises UsageError: when a value does not fit.
    """
    section = plugin_section(document, _NAME)
    if section is None:
        return ContainerEngines()
    settings = settings_of(section)
    sockets = {name: settings.texts(f"engines.{name}.sockets") for name in ENGINES}
    return ContainerEngines(
        {name: paths for name, paths in sockets.items() if paths},
        frozenset(name for name in ENGINES if not settings.boolean(f"engines.{name}.enabled", True)),
    )
