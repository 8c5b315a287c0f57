"""The layouts of the records are the same in C and in Python."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from refengine.backends.ebpf import compiler, layout

TYPES = """
#include <stddef.h>
#include <stdio.h>
typedef unsigned char u8; typedef unsigned short u16; typedef unsigned int u32; typedef int s32;
typedef unsigned long long u64; typedef long long s64; typedef _Bool bool;
"""

STRUCTURES = {
    "struct record": layout.RECORD.size,
    "struct blob": layout.BLOB.size,
    "struct descriptor": layout.DESCRIPTOR.size,
    "struct program": layout.PROGRAM.size,
    "struct child": layout.CHILD.size,
    "struct capture": layout.CAPTURE.size,
    "struct plan": layout.PLAN_SIZE,
    "struct settings": layout.SETTINGS.size,
    "struct scratch": layout.SCRATCH_SIZE,
}

OFFSETS = {
    ("struct record", "result"): 16,
    ("struct record", "args"): 24,
    ("struct record", "start"): layout.WHO.start,
    ("struct record", "comm"): layout.WHO.stop - 16,
    ("struct record", "cpu"): layout.WHO.stop,
    ("struct descriptor", "local"): layout.DESCRIPTOR.size - 40,
    ("struct descriptor", "family"): 20,
    ("struct program", "tty"): 80,
    ("struct program", "lower_layer"): layout.PROGRAM.size - 4,
    ("struct child", "start"): 16,
    ("struct child", "parent"): layout.CHILD.size - 4,
    ("struct capture", "size"): 4,
    ("struct scratch", "counters"): 0,
}

CONSTANTS = {
    **{kind.name: kind.value for kind in layout.RecordKind},
    **{kind.name: kind.value for kind in layout.BlobKind},
    **{counter.name: counter.value for counter in layout.Counter},
    **{f"CAPTURE_{kind.name}": kind.value for kind in layout.CaptureKind},
    "CAPTURES_MAX": layout.CAPTURES_MAX,
}


@pytest.mark.skipif(shutil.which("gcc") is None, reason="needs a C compiler")
def test_structures_and_constants(tmp_path: Path) -> None:
    header = compiler.HERE / "program" / "record.h"
    expressions = [f"sizeof({name})" for name in STRUCTURES]
    expressions += [f"offsetof({name}, {member})" for name, member in OFFSETS]
    expressions += list(CONSTANTS)
    lines = "\n".join(f'printf("%ld\\n", (long)({expression}));' for expression in expressions)
    source = tmp_path / "layout.c"
    source.write_text(f'{TYPES}\n#include "{header}"\nint main(void) {{ {lines} return 0; }}\n')
    program = tmp_path / "layout"
    subprocess.run(["gcc", "-o", program, source], check=True)
    found = subprocess.run([program], check=True, capture_output=True, text=True).stdout.split()
    wanted = [*STRUCTURES.values(), *OFFSETS.values(), *CONSTANTS.values()]
    assert dict(zip(expressions, map(int, found), strict=True)) == dict(zip(expressions, wanted, strict=True))


def test_heads_name_what_the_layouts_have() -> None:
    for layout_of, names in (
        (layout.RECORD, layout.Head),
        (layout.DESCRIPTOR, layout.FileState),
        (layout.PROGRAM, layout.Program),
        (layout.CHILD, layout.Child),
    ):
        assert len(layout_of.unpack(bytes(layout_of.size))) == len(names._fields)
