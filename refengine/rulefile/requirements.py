"""Whether this engine is what a rules file requires."""

from __future__ import annotations

from collections.abc import Iterator

from refengine.errors import Code, Diagnostic, Note
from refengine.rulefile.definitions import EngineRequirement, PluginRequirement
from refengine.rulefile.versions import BUILT_IN_PLUGINS, ENGINE_VERSION, Version


def check_engine(requirement: EngineRequirement) -> Iterator[Diagnostic]:
    """Yield a fault where the engine is older than required, or of another major version."""
    if not ENGINE_VERSION.satisfies(requirement.version):
        yield requirement.context.diagnostic(
            Code.VALIDATE,
            f"the file requires engine version {requirement.version}, and this is {ENGINE_VERSION}",
        )


def check_plugins(requirement: PluginRequirement) -> Iterator[Diagnostic]:
    """Yield a fault where a version is none, a plugin is named twice, or none of the plugins is built in."""
    seen = set()
    faulty = False
    for plugin in requirement.alternatives:
        if Version.parse(plugin.version) is None:
            faulty = True
            yield requirement.context.diagnostic(
                Code.VALIDATE,
                f"'{plugin.version}' is no version of plugin '{plugin.name}':"
                " write three numbers such as 0.6.0",
                place=plugin.place,
            )
        if plugin.name in seen:
            faulty = True
            yield requirement.context.diagnostic(
                Code.VALIDATE,
                f"plugin '{plugin.name}' is named more than once among its alternatives",
                place=plugin.place,
            )
        seen.add(plugin.name)
    if faulty:
        return
    notes = []
    for plugin in requirement.alternatives:
        required = Version.parse(plugin.version)
        built_in = BUILT_IN_PLUGINS.get(plugin.name)
        if built_in is None or required is None:
            continue
        if built_in.satisfies(required):
            return
        notes.append(Note(f"'{plugin.name}' is built in as of version {built_in.major}.{built_in.minor}"))
    wanted = ", ".join(f"{plugin.name} {plugin.version}" for plugin in requirement.alternatives)
    one = "plugin" if len(requirement.alternatives) == 1 else "one of the plugins"
    yield requirement.context.diagnostic(
        Code.VALIDATE,
        f"the file requires {one} {wanted}, which this engine does not have",
        notes=notes,
        suggestion=f"fields of these plugins are built in: {', '.join(BUILT_IN_PLUGINS)}",
    )
