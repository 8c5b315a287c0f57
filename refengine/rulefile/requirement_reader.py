"""Reading `required_engine_version` and `required_plugin_versions`."""

from __future__ import annotations

from collections.abc import Iterator

from refengine.errors import Diagnostic
from refengine.rulefile.context import Context
from refengine.rulefile.definitions import EngineRequirement, PluginRequirement, PluginVersion, Statement
from refengine.rulefile.keys import KeyReader, describe, parse_unsigned
from refengine.rulefile.versions import Version
from refengine.rulefile.yaml import Mapping, Sequence

ENGINE_KEYS = ("required_engine_version",)
PLUGIN_KEYS = ("required_plugin_versions",)


def read_engine(item: Mapping, parent: Context, report: list[Diagnostic]) -> Iterator[Statement]:
    """Yield the engine version that an item requires."""
    keys = KeyReader(item, parent.child("required_engine_version", "", item), report)
    keys.check_keys(ENGINE_KEYS)
    node = keys.scalar("required_engine_version")
    if node is None:
        return
    number = parse_unsigned(node.value)
    version = Version.parse(node.value) if number is None else Version(0, number, 0)
    if version is None:
        keys.error(
            f"'{node.value}' is no engine version: write a number such as 57, or three such as 0.57.0",
            keys.within("required_engine_version", node),
        )
        return
    yield EngineRequirement(version, keys.context)


def read_plugins(item: Mapping, parent: Context, report: list[Diagnostic]) -> Iterator[Statement]:
    """Yield the plugins that an item requires."""
    entries = item.by_key["required_plugin_versions"]
    keys = KeyReader(item, parent.child("required plugin versions", "", entries), report)
    keys.check_keys(PLUGIN_KEYS)
    if not isinstance(entries, Sequence):
        keys.error(f"'required_plugin_versions' must be a list of plugins, not {describe(entries)}")
        return
    for entry in entries.items:
        where = keys.context.child("required plugin versions entry", "", entry)
        if not isinstance(entry, Mapping):
            keys.error(f"a plugin must be a mapping with 'name' and 'version', not {describe(entry)}", where)
            continue
        reader = keys.of(entry, where)
        alternatives = [_read_plugin(reader)]
        others = entry.by_key.get("alternatives")
        if isinstance(others, Sequence):
            for other in others.items:
                inside = where.child("required plugin versions alternative", "", other)
                if isinstance(other, Mapping):
                    alternatives.append(_read_plugin(keys.of(other, inside)))
                else:
                    reader.error(
                        f"a plugin must be a mapping with 'name' and 'version', not {describe(other)}", inside
                    )
        elif others is not None:
            reader.error(f"'alternatives' must be a list of plugins, not {describe(others)}")
        given = tuple(plugin for plugin in alternatives if plugin is not None)
        if len(given) == len(alternatives) and not reader.faulty:
            yield PluginRequirement(given, where)


def _read_plugin(keys: KeyReader) -> PluginVersion | None:
    name, version = keys.scalar("name"), keys.scalar("version")
    if name is None or version is None:
        return None
    return PluginVersion(name.value, version.value, version.place)
