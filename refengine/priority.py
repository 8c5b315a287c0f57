"""Priorities: how grave a rule's match is."""

from __future__ import annotations

from enum import IntEnum


class Priority(IntEnum):
    """The eight levels; a smaller number is graver."""

    EMERGENCY = 0
    ALERT = 1
    CRITICAL = 2
    ERROR = 3
    WARNING = 4
    NOTICE = 5
    INFORMATIONAL = 6
    DEBUG = 7

    @property
    def label(self) -> str:
        """The name as alerts carry it, for example `Informational`."""
        return self.name.capitalize()

    def __str__(self) -> str:
        return self.label

    @classmethod
    def parse(cls, text: str) -> Priority:
        """Return the priority that `text` names, in any case; `info` is short for `informational`.

        :raises ValueError: when it names none.
        """
        name = text.upper()
        if name == "INFO":
            return cls.INFORMATIONAL
        try:
            return cls[name]
        except KeyError:
            raise ValueError(
                f"'{text}' is no priority: use {', '.join(level.label for level in cls)}"
            ) from None
