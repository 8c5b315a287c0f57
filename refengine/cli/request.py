"""What the command line asks for, as everything that answers it is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from refengine.cli.messages import Messages
from refengine.cli.options import Options

if TYPE_CHECKING:
    from refengine.cli.configuration import Configuration


@dataclass(frozen=True)
class Request:
    """The options, the arguments that they were read from, and who speaks to the person at the terminal."""

    options: Options
    arguments: Sequence[str]
    messages: Messages

    @property
    def is_configured(self) -> bool:
        """Whether anything is configured at all, so that the configuration is more than its defaults."""
        return self.options.configuration is not None or bool(self.options.overrides)

    @cached_property
    def configuration(self) -> Configuration:
        """The configuration, read by the first who asks for it; what is doubtful about it is said then.

        :raises UsageError: when it cannot be read or makes no sense.
        """
        # Most of what can be configured is of no concern to who only asks a question.
        from refengine.cli.configuration import load_configuration

        options, messages = self.options, self.messages
        configuration = load_configuration(options.configuration, options.overrides)
        messages.follow(configuration.service.log, verbose=options.verbose)
        for warning in configuration.warnings:
            messages.warn(warning)
        # A file that was written for Falco has many keys without effect, so not in full unasked.
        for note in configuration.notes if options.verbose else ():
            messages.tell(note)
        if configuration.notes:
            count = len(configuration.notes)
            messages.note(
                f"{count} configuration key{'s have' if count > 1 else ' has'} no effect here; -v says why"
            )
        return configuration
