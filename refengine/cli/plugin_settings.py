"""What a configuration says of the plugins of Falco that are built in here."""

from __future__ import annotations

import json
from typing import Any

from refengine.cli.document import Document, Node
from refengine.errors import UsageError
from refengine.rulefile.versions import BUILT_IN_PLUGINS


def plugin_section(document: Document, name: str) -> Document | None:
    """Return the section of a plugin, None where there is none."""
    for section in document.sections("plugins"):
        if section.text("name") == name:
            return section
    return None


def unavailable(document: Document) -> tuple[str, ...]:
    """Return a warning for each plugin that is to be loaded and is not built in."""
    return tuple(
        f"the plugin '{name}' cannot be loaded: built in are {', '.join(BUILT_IN_PLUGINS)}, and there are no others"
        for name in document.texts("load_plugins")
        if name not in BUILT_IN_PLUGINS
    )


def settings_of(section: Document) -> Document:
    """Return the settings of a plugin, `init_config`, which may be a mapping, or one written as JSON.

    :raises UsageError: for anything else.
    """
    written = section.below("init_config")
    text = written.plain()
    if text is None:
        return written
    name = section.text("name")
    try:
        found = json.loads(text) if text.strip() else {}
    except ValueError as error:
        raise UsageError(f"configuration key 'plugins[].init_config' of {name} is no JSON: {error}") from None
    if not isinstance(found, dict):
        raise UsageError(f"configuration key 'plugins[].init_config' of {name} must be a mapping")
    return Document(_node(found), "plugins[].init_config.")


def _node(value: Any) -> Node:
    """Return a JSON value as configurations hold it: with texts for everything that is neither list nor mapping."""
    if isinstance(value, dict):
        return {key: _node(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_node(item) for item in value]
    return value if isinstance(value, str) else json.dumps(value)
