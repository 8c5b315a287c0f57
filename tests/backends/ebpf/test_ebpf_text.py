"""What the text of a path tells: never what the interpreter denies, and the same in C as in Python."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from refengine import load_rules
from refengine.backends.ebpf import compiler
from refengine.backends.ebpf.prefilter.facts import AT_FDCWD, Facts, Level
from refengine.backends.ebpf.prefilter.program import passes
from refengine.backends.ebpf.prefilter.table import atom, decides
from refengine.backends.ebpf.prefilter.text import Text, text_of
from refengine.backends.precondition import Comparison
from refengine.condition.interpret import Interpreter
from refengine.fields.readers import SystemReader
from refengine.interest import interest_of
from refengine.rulefile.rule import Rule
from refengine.source import Source
from tests.kernel_records import Machine, opened

COMPARISONS = (
    "fd.name = /etc/shadow", "fd.name != /etc/shadow", "fd.name in (/a, /etc/pam.d/x, /etc/security/limits.conf)",
    "fd.name startswith /etc/", "fd.name startswith /etc/security/limits.conf", "fd.name endswith w",
    "fd.name endswith /shadow", "fd.name endswith security/limits.conf", "fd.directory = /", "fd.directory != /",
    "fd.directory = /etc", "fd.directory in (/etc/pam.d, /etc/security)", "fd.filename = shadow", "fd.filename != x",
    "fd.filename = limits.conf", "fd.name pmatch (/etc/pam.d, /a)", "fd.name glob /etc/*.conf", "fd.name glob '*shadow'",
    "fd.name glob /a", "fd.name pmatch (/)", "fd.nameraw contains ../", "evt.arg.name = /etc/shadow",
    "evt.arg.name endswith A>", "evt.arg.name != /a", "fs.path.name != /a", "fs.path.name startswith /etc/pam.d",
    "fd.name endswith LONG", "fd.name startswith /PATH", "fd.filename = PATH_TOO_LONG", "fd.name = x", "fd.name endswith '>x'",
)  # fmt: skip
PIECES = st.sampled_from(
    (b"/", b"/", b".", b"..", b"./", b"etc", b"shadow", b"pam.d", b"x", b"a", b"security", b"limits.conf", b"w", b"\x01",
     b"\x7f", b"\xc3\xa9", b" ", b"~", b"abcdefgh", b"<NA>", b"/etc/", b"/.ssh/", b"d" * 30, b"d" * 100)
)  # fmt: skip
TEXTS = st.lists(PIECES, max_size=8).map(b"".join)
FOLDERS = st.sampled_from(
    (b"/", b"/etc", b"/etc/pam.d", b"/etc/security", b"/a", b"/abcdefg", b"/abcdefgh", b"/x/" + b"d" * 31, b"/" + b"d" * 32,
     b"/x\x01y", b"/e\x01tc", b"/\xc3\xa9", b"/etc/a..b", b"/" + b"/".join([b"d" * 200] * 6), b"/0123456789abcdef",
     b"/0123456789abcdefg", b"/p/0123456789abcdef01234567", b"/" + b"d" * 240)
)  # fmt: skip
CALLS = st.builds(
    lambda raw, cwd, directory, flags, result: {
        "path": raw,
        "cwd": cwd,
        "directory": directory,
        "flags": flags,
        "result": result,
    },
    TEXTS,
    st.one_of(st.none(), FOLDERS),
    st.sampled_from((AT_FDCWD, AT_FDCWD, 5)),
    st.sampled_from((0, 1, 0o200000)),
    st.sampled_from((3, -1, -2)),
)


def rule_with(condition: str) -> Rule:
    text = f"- rule: A\n  desc: d\n  condition: evt.type = openat and {condition}\n  output: o\n  priority: INFO\n"
    (rule,) = load_rules(Source("rules.yaml", text)).rules
    return rule


def facts(call: dict[str, object]) -> Facts:
    seen = dict(call)
    return Facts(raw=seen.pop("path"), **seen)  # type: ignore[arg-type]


@pytest.mark.parametrize("condition", COMPARISONS)
@given(call=CALLS)
def test_a_hint_is_as_the_interpreter_has_it_where_it_is_known(
    condition: str, call: dict[str, object]
) -> None:
    rule = rule_with(condition)
    found = interest_of([rule], decides).preconditions["openat"]
    assert isinstance(found, Comparison)
    matches = Interpreter(SystemReader()).holds(rule.condition, Machine().event(opened(**call)))  # type: ignore[arg-type]
    decided = atom("openat", found)
    assert decided is not None
    hint = decided.at(Level.TEXT)
    assert hint is not None
    for each in (hint, decided):
        outcome = each.holds(facts(call))
        assert outcome is None or outcome is matches
    if matches is found.holds:
        assert passes("openat", found, facts(call))


@pytest.mark.parametrize(
    ("condition", "text", "cwd"),
    [
        ("fd.name = /etc/shadow", b"/usr/lib/libc.so.6", b"/"),
        ("fd.name = /etc/shadow", b"main.c", b"/root"),
        ("fd.name = /etc/shadow", b"./main.c", b"/root"),
        ("fd.directory = /etc/pam.d", b"sub/main.c", b"/root"),
        ("fd.directory = /etc/pam.d", b"main.c", b"/root"),
        ("fd.name startswith /etc/", b"/usr/lib/libc.so.6", b"/"),
        ("fd.filename = shadow", b".git/HEAD", b"/root"),
        ("fd.nameraw contains ..", b"/home/me/.cache/x", b"/root"),
    ],
)
def test_ordinary_files_are_done_with_by_their_text(condition: str, text: bytes, cwd: bytes) -> None:
    found = interest_of([rule_with(condition)], decides).preconditions["openat"]
    assert isinstance(found, Comparison)
    decided = atom("openat", found)
    assert decided is not None
    hint = decided.at(Level.TEXT)
    assert hint is not None
    assert hint.holds(Facts(3, flags=0, raw=text, cwd=cwd)) is False


HARNESS = r"""
#include <stdio.h>
#include <string.h>
typedef unsigned char u8; typedef unsigned short u16; typedef unsigned int u32; typedef int s32;
typedef unsigned long long u64; typedef long long s64; typedef _Bool bool;
#define true 1
#define false 0
#define NULL ((void *)0)
#define __always_inline inline
#define DIRECT(type, pointer, offset) (*(type volatile *)((const char *)(pointer) + (offset)))
#define WORKING_DIRECTORY_NUMBER -100
#define TASK_FS 0
#define FS_PWD 0
#define PATH_MNT 0
#define PATH_DENTRY 8
#define VFSMOUNT_ROOT 0
#define DENTRY_PARENT 0
#define DENTRY_NAME 24
#include "record.h"
struct dentry { u64 parent, hash_and_length, name; char shortname[40]; } dentry;
struct { u64 root; } mount;
struct { void *mount, *dentry; } fs = {&mount, &dentry};
struct { void *fs; } task = {&fs};
static void *bpf_get_current_task_btf(void) { return &task; }
static s64 bpf_probe_read_user_str(void *to, u32 size, const void *from)
{
    memset(to, 0xa5, size);
    u64 length = strlen(from);
    if (length >= size) { memcpy(to, from, size); ((char *)to)[size - 1] = 0; return size; }
    memcpy(to, from, length + 1);
    return length + 1;
}
#include "text.h"
static int read_bytes(char *to)
{
    int length;
    if (scanf("%d", &length) != 1) return -1;
    for (int i = 0; i < length; i++) { unsigned byte; if (scanf("%x", &byte) != 1) return -1; to[i] = byte; }
    to[length] = 0;
    return length;
}
static void put(u64 end, u64 known)
{
    int count = 0;
    for (int i = 0; i < 8; i++) count += (known >> 8 * i & 0xff) != 0;
    printf(" %d", count);
    for (int i = 8 - count; i < 8; i++) printf(" %02x", (unsigned)(end >> 8 * i & 0xff));
}
int main(void)
{
    static char raw[8192], leaf[8192];
    int directory, length;
    while (read_bytes(raw) >= 0 && (length = read_bytes(leaf)) >= 0 && scanf("%d", &directory) == 1) {
        struct facts facts = {}, *f = &facts;
        struct given_text text;
        memset(dentry.shortname, 0x5a, sizeof(dentry.shortname));
        dentry.hash_and_length = (u64)length << 32 | 77;
        if (length < 40) memcpy(dentry.shortname, leaf, length + 1);
        mount.root = length ? 0 : (u64)&dentry;
        read_text(f, &text, (u64)raw, directory, (const char *)&task, ~0ULL);
        if (!f->plain) { printf("0\n"); continue; }
        printf("1 %d", f->absolute);
        put(f->end, f->end_known);
        put(f->folder_end, f->absolute ? 0 : f->folder_end_known);
        printf("\n");
    }
    return 0;
}
"""


@pytest.fixture(scope="module")
def in_c(tmp_path_factory: pytest.TempPathFactory) -> Iterator[subprocess.Popen[str]]:
    if shutil.which("gcc") is None:
        pytest.skip("needs a C compiler")
    folder = tmp_path_factory.mktemp("text")
    (folder / "harness.c").write_text(HARNESS)
    headers = f"-I{Path(compiler.HERE) / 'program'}"
    subprocess.run(["gcc", "-O1", "-w", headers, "-o", folder / "harness", folder / "harness.c"], check=True)
    with subprocess.Popen(
        ["stdbuf", "-oL", folder / "harness"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()


def bytes_line(data: bytes) -> str:
    return " ".join((str(len(data)), *(f"{byte:02x}" for byte in data)))


@given(raw=TEXTS, cwd=FOLDERS, directory=st.sampled_from((AT_FDCWD, 5)))
@example(raw=b"/" + b"a" * 253, cwd=b"/", directory=5)
@example(raw=b"/" + b"a" * 254, cwd=b"/", directory=5)
@example(raw=b"./", cwd=b"/a", directory=AT_FDCWD)
@example(raw=b"./x", cwd=b"/a", directory=AT_FDCWD)
@example(raw=b"./a/b", cwd=b"/a", directory=5)
@example(raw=b".", cwd=b"/a", directory=AT_FDCWD)
@settings(max_examples=400)
def test_the_kernel_side_sees_the_same(
    in_c: subprocess.Popen[str], raw: bytes, cwd: bytes, directory: int
) -> None:
    assert in_c.stdin is not None
    assert in_c.stdout is not None
    leaf = cwd.rpartition(b"/")[2]
    in_c.stdin.write(f"{bytes_line(raw)} {bytes_line(leaf)} {directory}\n")
    in_c.stdin.flush()
    answer = in_c.stdout.readline().split()
    found = text_of(Facts(3, raw=raw, cwd=cwd, directory=directory))
    if found is None:
        assert answer == ["0"]
        return
    assert answer[:2] == ["1", str(int(raw.startswith(b"/")))]
    size = int(answer[2])
    end, rest = bytes.fromhex("".join(answer[3 : 3 + size])), answer[3 + size :]
    folder_end = bytes.fromhex("".join(rest[1:]))
    assert Text(found.start, end, folder_end) == found
