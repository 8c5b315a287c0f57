"""The reference of configuration keys, from their table and the configuration that explains each."""

from __future__ import annotations

from pathlib import Path

from builder.markdown import block, code, page, plain, table
from refengine.cli.configuration_keys import KEYS, OWN

_EXAMPLE = "examples/refengine.yaml"


def configuration_page(root: Path) -> str:
    """Return the page of configuration keys."""
    effective = [key for key in KEYS.values() if not key.note]
    accepted = [key for key in KEYS.values() if key.note]
    return page(
        "Configuration keys",
        "What a file given with `-c`, or `-o KEY=VALUE`, may set; the names are those of Falco's `falco.yaml`. `[]` stands for "
        "an element of a list. [The command line](../command-line.md) tells how files and `-o` go together, and "
        "`refengine --config-schema` prints the JSON Schema.",
        "## Keys",
        "{.keys}\n"
        + table(
            ("key", "value"),
            (
                (code(key.path) + (" (an extension)" if key.path in OWN else ""), str(key.kind))
                for key in effective
            ),
        ),
        "## What each means",
        "A file with every key, its meaning and its default.",
        block((root / _EXAMPLE).read_text(encoding="utf-8"), "yaml"),
        "## Keys without effect",
        "They are known, so that a file written for Falco can be used as it is.",
        "{.keys}\n"
        + table(
            ("key", "value", "why it has none"),
            ((code(key.path), str(key.kind), plain(key.note)) for key in accepted),
        ),
    )
