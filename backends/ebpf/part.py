"""Parts of the kernel side as they come from the compiler: programs that are not tied to any map yet, as data.

Whatever is to be done with instructions between compiling and loading is done with these.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

INSTRUCTION_SIZE: Final = 8


class MapDefinition(NamedTuple):
    """A map as the C text defines it; `type` and `flags` are the kernel's numbers."""

    name: str
    type: int
    key_size: int
    value_size: int
    entries: int
    flags: int


class Program(NamedTuple):
    """Instructions, and where among them, by number, maps are named: as places among the maps of the part."""

    instructions: bytes
    references: tuple[tuple[int, int], ...]


class Part(NamedTuple):
    """What one run of the compiler has made; parts that name the same map mean the same one."""

    maps: tuple[MapDefinition, ...]
    programs: Mapping[str, Program]

    def to_json(self) -> dict[str, Any]:
        """Return the part as JSON has it."""
        programs = {
            name: [base64.b64encode(program.instructions).decode(), program.references]
            for name, program in self.programs.items()
        }
        return {"maps": self.maps, "programs": programs}


def from_json(value: Any) -> Part:
    """Return the part that JSON has as `value`.

    :raises ValueError: when that is not what a part looks like.
    """
    try:
        maps = tuple(MapDefinition(str(name), *map(int, numbers)) for name, *numbers in value["maps"])
        programs = {str(name): _program(len(maps), *found) for name, found in value["programs"].items()}
    except (TypeError, KeyError, AttributeError, binascii.Error) as error:
        raise ValueError(f"it is no part of a program: {error}") from None
    return Part(maps, programs)


def _program(maps: int, text: str, references: list[list[int]]) -> Program:
    instructions = base64.b64decode(text, validate=True)
    places = tuple((int(at), int(map)) for at, map in references)
    count = len(instructions) // INSTRUCTION_SIZE
    if len(instructions) % INSTRUCTION_SIZE or not all(
        0 <= at < count and 0 <= map < maps for at, map in places
    ):
        raise ValueError("its instructions do not fit together")
    return Program(instructions, places)
