"""The event sources that are switched on and off."""

from __future__ import annotations

from refengine.cli.backends import recording
from refengine.cli.configuration import Configuration
from refengine.cli.options import Options
from refengine.errors import UsageError
from refengine.rulefile.options import SOURCES


def with_sources(options: Options, configuration: Configuration) -> Options:
    """Return the options with the event sources that count: a recording has those that are in it, as in Falco.

    :raises UsageError: for a source that does not exist, unless events are recorded ones.
    """
    if recording(options, configuration) is not None:
        return options._replace(enabled_sources=(), disabled_sources=())
    for source in (*options.enabled_sources, *options.disabled_sources):
        if source not in SOURCES:
            raise UsageError(f"unknown event source '{source}': there are {', '.join(sorted(SOURCES))}")
    return options
