"""What is kept of compiled programs: the same as the compiler makes, and nothing that others could have written."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from refengine.backends.ebpf import cache, compiler
from refengine.backends.ebpf.cache import Cache, folder_of
from refengine.backends.ebpf.compiler import Request, read_program
from refengine.backends.ebpf.compiling import Compilation
from refengine.backends.ebpf.part import MapDefinition, Part, Program
from refengine.errors import BackendError
from tests.ebpf import require_ebpf

REQUEST = Request("int f(void *ctx) { return 0; }", ("-DA=1",))
PART = Part((MapDefinition("some", 1, 4, 8, 16, 0),), {"f": Program(bytes(range(24)), ((1, 0),))})


@pytest.fixture(autouse=True)
def _a_recipe(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Let tests that compile nothing run where there is nothing to compile with."""
    if "compiles" not in request.node.name:
        monkeypatch.setattr(cache, "recipe", lambda: b"recipe")


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    """Return a folder that holds one part."""
    folder = tmp_path / "kept"
    written = Cache(folder)
    written.write(REQUEST, PART)
    assert not written.refused
    return folder


def only_file(folder: Path) -> Path:
    (file,) = folder.iterdir()
    return file


def refusal(folder: Path) -> str:
    """Return why what is in the folder is refused."""
    kept = Cache(folder)
    assert kept.read(REQUEST) is None
    (reason,) = kept.refused
    return reason


def test_what_was_written_is_read(folder: Path) -> None:
    kept = Cache(folder)
    assert kept.read(REQUEST) == PART
    assert not kept.refused
    assert only_file(folder).stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700


def test_nothing_else_is_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Cache(folder)
    assert kept.read(Request(REQUEST.text + " ", REQUEST.flags)) is None
    assert kept.read(Request(REQUEST.text, ("-DA=2",))) is None
    assert kept.read(Request(REQUEST.text, ("-DA=1", "-DB=1"))) is None
    monkeypatch.setattr(cache, "recipe", lambda: b"another recipe")
    assert Cache(folder).read(REQUEST) is None
    assert not kept.refused


def test_the_recipe_follows_from_compiler_headers_modules_and_kernel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    kernel, library, headers = tmp_path / "vmlinux", tmp_path / "libbcc.so.0", tmp_path / "headers"
    headers.mkdir()
    header = headers / "a.h"
    for file in (kernel, library, header):
        file.write_text("x")
    monkeypatch.setattr(cache, "KERNEL_TYPES", kernel)
    monkeypatch.setattr(cache, "HEADERS", headers)
    monkeypatch.setattr(cache, "find_library", lambda: library)
    found = [cache.recipe()]
    assert found == [cache.recipe()]
    for file in (kernel, library, header):
        file.write_text("other")
        found.append(cache.recipe())
    (headers / "b.h").write_text("")
    found.append(cache.recipe())
    monkeypatch.setattr(cache, "_RECIPE", ("part.py",))
    found.append(cache.recipe())
    assert len(set(found)) == len(found) == 6


def test_a_file_that_was_changed_is_refused_and_made_again(folder: Path) -> None:
    file = only_file(folder)
    good = file.read_bytes()
    for place in (0, 70, len(good) // 2, len(good) - 1):
        bad = bytearray(good)
        bad[place] ^= 1
        file.write_bytes(bad)
        assert "it is damaged" in refusal(folder)
    for cut in (0, 10, len(good) - 1):
        file.write_bytes(good[:cut])
        assert "it is damaged" in refusal(folder)
    Cache(folder).write(REQUEST, PART)
    assert Cache(folder).read(REQUEST) == PART


@pytest.mark.parametrize("text", ["[]", "{}", '{"maps": [], "programs": {"f": ["AAAA", []]}}', "nothing"])
def test_a_file_of_another_form_is_refused(folder: Path, text: str) -> None:
    data = text.encode()
    only_file(folder).write_bytes(cache._digest(data) + b"\n" + data)
    assert refusal(folder)


def test_what_others_can_write_to_is_refused(folder: Path) -> None:
    file = only_file(folder)
    for mode in (0o620, 0o602, 0o666):
        file.chmod(mode)
        assert "others can write to it" in refusal(folder)
    file.chmod(0o600)
    for mode in (0o770, 0o702, 0o1777):
        folder.chmod(mode)
        assert "others can write to it" in refusal(folder)
        kept = Cache(folder)
        kept.write(Request("other", ()), PART)
        assert "others can write to it" in kept.refused[0]
    folder.chmod(0o700)
    assert only_file(folder) == file
    assert Cache(folder).read(REQUEST) == PART


@pytest.mark.root
def test_what_belongs_to_others_is_refused(folder: Path) -> None:
    file = only_file(folder)
    os.chown(file, 1234, 0)
    assert "belongs to the user 1234" in refusal(folder)
    os.chown(file, 0, 0)
    os.chown(folder, 1234, 0)
    assert "belongs to the user 1234" in refusal(folder)


def test_only_files_are_read(folder: Path, tmp_path: Path) -> None:
    file = only_file(folder)
    elsewhere = tmp_path / "elsewhere"
    file.rename(elsewhere)
    file.symlink_to(elsewhere)
    assert str(file) in refusal(folder)
    file.unlink()
    os.mkfifo(file, 0o600)
    assert "it is no file" in refusal(folder)


def test_a_folder_that_cannot_be_is_told_once(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    kept = Cache(tmp_path / "file" / "kept")
    kept.write(REQUEST, PART)
    kept.write(REQUEST, PART)
    assert len(kept.refused) == 1


def test_what_was_used_last_stays(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = only_file(folder)
    size = first.stat().st_size
    monkeypatch.setattr(cache, "SIZE_MAX", 2 * size + 100)
    os.utime(first, (1, 1))
    Cache(folder).write(Request("second", ()), PART)
    second = next(file for file in folder.iterdir() if file != first)
    os.utime(second, (2, 2))
    assert Cache(folder).read(REQUEST) == PART  # which makes it the last one used
    Cache(folder).write(Request("third", ()), PART)
    assert first.exists()
    assert not second.exists()
    assert len(list(folder.iterdir())) == 2


def test_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert folder_of({"XDG_CACHE_HOME": "/x"}) == Path("/var/cache/refengine")
    assert folder_of({cache.VARIABLE: "/y"}) == Path("/y")
    assert folder_of({cache.VARIABLE: ""}) is None
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert folder_of({"XDG_CACHE_HOME": "/x"}) == Path("/x/refengine")
    for caches in ({}, {"XDG_CACHE_HOME": "relative"}):
        assert folder_of(caches) == Path.home() / ".cache/refengine"


def test_without_a_folder_nothing_is_kept() -> None:
    kept = Cache(None)
    kept.write(REQUEST, PART)
    assert kept.read(REQUEST) is None
    assert kept.contents() is None
    assert not kept.refused


def test_what_it_compiles_is_the_same_when_it_was_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    require_ebpf()
    wanted = [
        Request(read_program("main.c"), ("-DBY_RAW_TRACEPOINT=0",)),
        Request(
            read_program("prefilters.c") + "\nint f(void *ctx) { return 0; }", ("-DBY_RAW_TRACEPOINT=1",)
        ),
    ]
    kept = Cache(tmp_path / "kept")
    cold = dict(Compilation(wanted, kept).parts())
    assert {"every_exit", "copy_step", "begin_record"} < set(cold[0].programs)
    assert set(cold[1].programs) == {"f"}
    # A compiler that was asked would end at once.
    monkeypatch.setattr(compiler, "__file__", str(tmp_path / "none.py"))
    warm = dict(Compilation(wanted, Cache(tmp_path / "kept")).parts())
    assert warm == cold
    with pytest.raises(BackendError, match="ended early"):
        dict(Compilation(wanted, Cache(None)).parts())


def test_it_compiles_the_same_whether_symbols_are_seen_or_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    require_ebpf()
    wanted = [Request(read_program("main.c"), ("-DBY_RAW_TRACEPOINT=0",))]
    text = Path(compiler.__file__).read_text(encoding="utf-8").replace("    _hide_symbols()\n", "")
    seeing = tmp_path / "compiler.py"
    seeing.write_text(text.replace("Path(__file__)", f"Path({compiler.__file__!r})"), encoding="utf-8")
    hidden = dict(Compilation(wanted, Cache(None)).parts())
    monkeypatch.setattr(compiler, "__file__", str(seeing))
    assert dict(Compilation(wanted, Cache(None)).parts()) == hidden


def test_what_it_compiles_not_is_told_with_the_place() -> None:
    require_ebpf()
    wanted = [Request("int f(void *ctx) { return nothing; }", ())]
    with pytest.raises(BackendError, match="undeclared identifier 'nothing'"):
        dict(Compilation(wanted, Cache(None)).parts())
