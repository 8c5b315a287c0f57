"""From compiled parts to maps and programs in the kernel."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Mapping, Sequence
from threading import Thread
from typing import Final

from refengine.backends.ebpf import binding
from refengine.backends.ebpf.binding import ProgramKind
from refengine.backends.ebpf.part import INSTRUCTION_SIZE, MapDefinition, Part, Program
from refengine.errors import BackendError

RAW_TRACEPOINT_PREFIX: Final = "raw_tracepoint__"
"""How the names of programs begin that bcc makes for raw tracepoints."""

_MAP_REFERENCE: Final = 0x10
"""Of an instruction's registers: the constant is the descriptor of a map."""


class Loaded:
    """The maps and programs of all parts that have been loaded.

    `descriptors` has theirs by name, `rejected` the programs that the kernel did not take, with its reason. With `raw`
    the programs are for the one tracepoint of all exits, else for those of single system calls. `entries` has
    the sizes of maps that the C text does not know.
    """

    def __init__(self, *, raw: bool, entries: Mapping[str, int]) -> None:
        self.descriptors: dict[str, int] = {}
        self.rejected: dict[str, str] = {}
        self._raw = raw
        self._entries = entries

    def load(self, part: Part, threads: int) -> None:
        """Make the maps of a part that are not there yet, and load its programs, as many at once as there are `threads`.

        :raises BackendError: when a map cannot be made.
        """
        maps = [self._map(definition) for definition in part.maps]
        waiting = deque(sorted(part.programs.items(), key=lambda each: len(each[1].instructions)))

        def work() -> None:
            while waiting:
                try:
                    name, program = waiting.pop()
                except IndexError:  # another thread has it
                    return
                self._load(name, linked(program, maps))

        others = [Thread(target=work) for _ in range(min(threads, len(waiting)) - 1)]
        for other in others:
            other.start()
        work()
        for other in others:
            other.join()

    def _load(self, name: str, instructions: bytes) -> None:
        is_raw = self._raw or name.startswith(RAW_TRACEPOINT_PREFIX)
        kind = ProgramKind.RAW_TRACEPOINT if is_raw else ProgramKind.TRACEPOINT
        try:
            self.descriptors[name] = binding.load_program(kind, instructions, name)
        except binding.VerifierError as error:
            self.rejected[name] = str(error.strerror)

    def _map(self, definition: MapDefinition) -> int:
        name = definition.name
        if name not in self.descriptors:
            definition = definition._replace(entries=self._entries.get(name, definition.entries))
            try:
                self.descriptors[name] = binding.create_map(definition)
            except OSError as error:
                raise BackendError(
                    f"the kernel refuses the map '{name}': {error.strerror or error}"
                ) from None
        return self.descriptors[name]

    def close(self) -> None:
        """Let go of everything."""
        for descriptor in self.descriptors.values():
            os.close(descriptor)
        self.descriptors.clear()


def linked(program: Program, maps: Sequence[int]) -> bytes:
    """Return the instructions with the descriptors of `maps` in their places."""
    instructions = bytearray(program.instructions)
    for at, map in program.references:
        place = at * INSTRUCTION_SIZE
        instructions[place + 1] = instructions[place + 1] & 0xF | _MAP_REFERENCE
        instructions[place + 4 : place + 8] = maps[map].to_bytes(4, "little")
    return bytes(instructions)
