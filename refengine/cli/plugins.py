"""`--list-plugins` and `--plugin-info`: the plugins of Falco whose fields are built in."""

from __future__ import annotations

from refengine.cli.exit_codes import OK
from refengine.cli.request import Request
from refengine.errors import UsageError
from refengine.rulefile.versions import BUILT_IN_PLUGINS

_ABOUT = {
    "container": ("Fields of containers and pods on system events", "syscall", False),
    "json": ("Fields of events that are JSON documents", "k8s_audit", False),
    "k8saudit": ("Events and fields of Kubernetes audit logs", "k8s_audit", True),
}
"""What each plugin adds, the event source concerned, and whether it brings events of its own."""


def run(request: Request) -> int:
    """Print what the plugin asked for does, or else what each built-in one does.

    :raises UsageError: when there is none of that name.
    """
    name = request.options.plugin_info
    if name is None:
        print(f"{len(BUILT_IN_PLUGINS)} plugins are built in:\n")
        print("\n\n".join(_describe(name) for name in BUILT_IN_PLUGINS))
        return OK
    if name not in BUILT_IN_PLUGINS:
        raise UsageError(f"there is no plugin '{name}': built in are {', '.join(BUILT_IN_PLUGINS)}")
    print(_describe(name))
    return OK


def _describe(name: str) -> str:
    about, source, brings_events = _ABOUT[name]
    capabilities = ["  - Field Extraction"]
    if brings_events:
        capabilities.insert(0, f"  - Event Sourcing (source='{source}')")
    lines = [f"Name: {name}", f"Description: {about}", f"Version: {BUILT_IN_PLUGINS[name]}", "Capabilities:"]
    return "\n".join([*lines, *capabilities])
