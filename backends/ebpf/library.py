"""bcc's library: a C compiler for the kernel's programs. Only its compiler is used, through ctypes."""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from refengine.backends.ebpf.part import INSTRUCTION_SIZE, MapDefinition, Part, Program

NAME: Final = "libbcc.so.0"
FOLDERS: Final = (
    "/usr/local/lib/x86_64-linux-gnu",
    "/usr/local/lib64",
    "/usr/local/lib",
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib64",
    "/usr/lib",
)
"""Where systems keep libraries. No variable of the environment adds to them, as what is loaded runs with privileges."""

_INSTRUCTION: Final = struct.Struct("<BBhi")
_LOAD_WIDE: Final = 0x18
"""Loads a constant of 64 bits, and takes the space of two instructions."""

_IS_MAP: Final = 1
"""The kind of constant, in the upper half of the registers, that is the descriptor of a map."""


class CompileError(Exception):
    """The compiler has not taken the text; what it has to say went to standard error."""


def find_library() -> Path | None:
    """Return where the library is, None where it is not installed."""
    for folder in FOLDERS:
        path = Path(folder, NAME)
        if path.exists():
            return path
    return None


class Library:
    """The library, loaded into this process for good: it takes about 130 MB once it has compiled something.

    :raises OSError: when it cannot be loaded.
    """

    def __init__(self, path: Path) -> None:
        library = ctypes.CDLL(os.fspath(path))
        module, number, text = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p
        flags = ctypes.POINTER(text)
        self._compile = library.bpf_module_create_c_from_string
        self._compile.restype = module
        self._compile.argtypes = [text, ctypes.c_uint, flags, ctypes.c_int, ctypes.c_bool, text]
        for name, result, arguments in (
            ("bpf_num_functions", number, [module]),
            ("bpf_function_name", text, [module, number]),
            ("bpf_function_start", ctypes.c_void_p, [module, text]),
            ("bpf_function_size", number, [module, text]),
            ("bpf_num_tables", number, [module]),
            ("bpf_table_name", text, [module, number]),
            ("bpf_table_fd_id", ctypes.c_int, [module, number]),
            ("bpf_table_type_id", ctypes.c_int, [module, number]),
            ("bpf_table_key_size_id", number, [module, number]),
            ("bpf_table_leaf_size_id", number, [module, number]),
            ("bpf_table_max_entries_id", number, [module, number]),
            ("bpf_table_flags_id", ctypes.c_int, [module, number]),
        ):
            function = getattr(library, name)
            function.restype, function.argtypes = result, arguments
        self._library = library

    def compile(self, text: str, flags: Sequence[str], headers: Path) -> Part:
        """Return what `text` is in the kernel's instructions; `headers` is a tree of the kernel's headers.

        bcc makes the maps as well, which takes CAP_BPF and goes with the process; what they are is read off, and their
        descriptors are taken out of the instructions again.

        :raises CompileError: when the compiler finds fault with the text.
        """
        os.environ["BCC_KERNEL_SOURCE"] = str(headers)
        given = (ctypes.c_char_p * len(flags))(*(flag.encode() for flag in flags))
        module = self._compile(text.encode(), 0, given, len(flags), True, None)
        if not module:
            raise CompileError
        library, places, maps = self._library, {}, []
        for number in range(library.bpf_num_tables(module)):
            places[library.bpf_table_fd_id(module, number)] = number
            maps.append(
                MapDefinition(
                    library.bpf_table_name(module, number).decode(),
                    library.bpf_table_type_id(module, number),
                    library.bpf_table_key_size_id(module, number),
                    library.bpf_table_leaf_size_id(module, number),
                    library.bpf_table_max_entries_id(module, number),
                    library.bpf_table_flags_id(module, number),
                )
            )
        programs = {}
        for number in range(library.bpf_num_functions(module)):
            name = library.bpf_function_name(module, number)
            start, size = library.bpf_function_start(module, name), library.bpf_function_size(module, name)
            programs[name.decode()] = _detached(ctypes.string_at(start, size), places)
        return Part(tuple(maps), programs)


def _detached(text: bytes, places: dict[int, int]) -> Program:
    """Return a program without the descriptors of maps, which `places` has the places of."""
    instructions = bytearray(text)
    references = []
    wide = False
    for at, (code, registers, offset, constant) in enumerate(_INSTRUCTION.iter_unpack(text)):
        if wide:
            wide = False
            continue
        wide = code == _LOAD_WIDE
        if wide and registers >> 4 == _IS_MAP:
            references.append((at, places[constant]))
            _INSTRUCTION.pack_into(instructions, at * INSTRUCTION_SIZE, code, registers, offset, 0)
    return Program(bytes(instructions), tuple(references))
