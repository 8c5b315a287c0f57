"""`--version`: what this program is, and what it is compatible with."""

from __future__ import annotations

import json
import platform

from refengine.cli.request import Request
from refengine.rulefile.versions import BUILT_IN_PLUGINS, ENGINE_VERSION

OWN_VERSION = "0.1.0"
"""The version of this program, which builds of the package take from here."""

FALCO_VERSION = "0.44.0"
"""The release of Falco whose rules, options, alerts and fields this program reproduces."""

SCHEMA_VERSION = "4.5.1"
"""The version of the event table."""


def versions() -> dict[str, object]:
    """Return every version that a report should name, those of Falco under the keys that they have there.

    Tools ask the web server for them, to see which rules files are for this engine.
    """
    return {
        "refengine_version": OWN_VERSION,
        "falco_version": FALCO_VERSION,
        "engine_version": str(ENGINE_VERSION.minor),
        "engine_version_semver": str(ENGINE_VERSION),
        "driver_schema_version": SCHEMA_VERSION,
        "python_version": platform.python_version(),
        "plugin_versions": {name: str(each) for name, each in BUILT_IN_PLUGINS.items()},
    }


def run(request: Request) -> int:
    """Print the versions, one a line or as JSON."""
    if request.is_configured and request.configuration.format.json:
        print(json.dumps(versions(), sort_keys=True))
        return 0
    print(f"refengine version: {OWN_VERSION} ({platform.machine()})")
    print(f"Compatible with:   Falco {FALCO_VERSION}")
    print(f"Engine:            {ENGINE_VERSION}")
    print(f"Event schema:      {SCHEMA_VERSION}")
    print(f"Python:            {platform.python_version()} ({platform.python_implementation()})")
    return 0
