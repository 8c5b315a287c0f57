"""What the backend needs of the machine, and what it says where that is missing."""

from __future__ import annotations

import platform
import struct
from collections.abc import Mapping
from pathlib import Path

import pytest

from refengine.backends.base import Interest, Need
from refengine.backends.ebpf import compiler, library, needs
from refengine.backends.ebpf.btf import KERNEL_TYPES, KernelTypes, TypesError
from refengine.backends.ebpf.cache import VARIABLE
from refengine.backends.ebpf.offsets import ABSENT, find_offsets
from refengine.backends.registry import connect
from refengine.backends.target import Target
from refengine.errors import BackendError


def found() -> Mapping[str, Need]:
    return {need.name: need for need in needs.check()}


def test_a_missing_compiler_is_named_with_its_package(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(library, "FOLDERS", (str(tmp_path),))
    need = found()["bcc"]
    assert not need.met
    assert "libbpfcc" in need.remedy
    assert "no package index" in need.remedy
    (tmp_path / library.NAME).touch()
    assert found()["bcc"].met


def test_what_is_kept_is_told_and_never_needed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    monkeypatch.setenv(VARIABLE, str(folder))
    assert needs.kept().found == f"{folder}: 0 parts, 0 kB"
    folder.mkdir(mode=0o700)
    (folder / "some").write_bytes(bytes(2000))
    assert needs.kept().found == f"{folder}: 1 parts, 2 kB"
    folder.chmod(0o770)
    assert "others can write to it" in needs.kept().found
    monkeypatch.setenv(VARIABLE, "")
    assert "none are kept" in needs.kept().found
    assert needs.kept().met


def test_a_kernel_without_types_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(needs, "KERNEL_TYPES", tmp_path / "vmlinux")
    need = found()["kernel types (BTF)"]
    assert not need.met
    assert "CONFIG_DEBUG_INFO_BTF" in need.remedy


def test_an_old_kernel_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "release", lambda: "5.4.0-42-generic")
    assert not found()["kernel"].met
    monkeypatch.setattr(platform, "release", lambda: "6.1.0-13-amd64")
    assert found()["kernel"].met


def test_other_processors_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    backend = connect("ebpf", Target()).backend
    with pytest.raises(BackendError, match="x86-64"):
        backend.open(Interest(frozenset({"openat"})))
    backend.close()


def test_commands_and_files_are_refused() -> None:
    for target in (Target(command=("true",)), Target(pids=(1,)), Target(files=(Path("x"),))):
        with pytest.raises(BackendError, match="whole machine"):
            connect("ebpf", target)


def types(*structs: tuple[str, int, list[tuple[str, int, int]]]) -> bytes:
    """Return type information with structures, each by name, size and members (name, type, offset in bits)."""
    strings = b"\0"
    body = struct.pack("<IIII", 0, 1 << 24, 8, 64)  # type 1: an integer
    for name, size, members in structs:
        offset = len(strings)
        strings += name.encode() + b"\0"
        body += struct.pack("<III", offset if name else 0, 4 << 24 | len(members), size)
        for label, kind, bits in members:
            at = len(strings) if label else 0
            strings += label.encode() + b"\0" if label else b""
            body += struct.pack("<III", at, kind, bits)
    head = struct.pack("<HBBIIIII", 0xEB9F, 1, 0, 24, 0, len(body), len(body), len(strings))
    return head + body + strings


def test_members_of_unnamed_and_inner_structures_are_found() -> None:
    # Types are counted from 1: the integer, then these.
    found_types = KernelTypes(
        types(
            ("inner", 16, [("a", 1, 0), ("b", 1, 64)]),
            ("", 16, [("c", 1, 64)]),
            ("outer", 64, [("x", 1, 0), ("y", 2, 128), ("", 3, 256)]),
        )
    )
    assert found_types.offset("outer.y.b") == 24
    assert found_types.offset("outer.c") == 40
    assert found_types.size("outer") == 64
    for path in ("outer.z", "nothing.x"):
        with pytest.raises(TypesError, match="the kernel has no"):
            found_types.offset(path)


@pytest.mark.parametrize("data", [b"", b"\x9f\xeb", b"\xeb\x9f" + bytes(40)])
def test_what_is_no_type_information_is_refused(data: bytes) -> None:
    with pytest.raises(TypesError):
        KernelTypes(data)


@pytest.mark.skipif(not KERNEL_TYPES.exists(), reason="the kernel does not show its types")
def test_this_kernel_has_every_member() -> None:
    offsets = find_offsets(KernelTypes(KERNEL_TYPES.read_bytes()))
    program = compiler.read_program("main.c") + compiler.read_program("prefilters.c")
    unused = [name for name in offsets if name not in program]
    assert not unused
    assert all(value >= 0 or value == ABSENT for value in offsets.values())
