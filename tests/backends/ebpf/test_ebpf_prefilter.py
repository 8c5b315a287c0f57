"""Prefilters: never wrong when they exclude an event, and useful on the rules that people have."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refengine import load_rules
from refengine.backends.ebpf.layout import BlobKind, RecordKind
from refengine.backends.ebpf.plan import make_plan
from refengine.backends.ebpf.prefilter.facts import Facts, Level
from refengine.backends.ebpf.prefilter.program import expression, make_prefilters, passes, second_part
from refengine.backends.ebpf.prefilter.table import atom, decides
from refengine.backends.precondition import Comparison, Precondition
from refengine.condition.interpret import Interpreter
from refengine.fields.readers import SystemReader
from refengine.interest import interest_of
from refengine.rulefile.rule import Rule
from refengine.source import Source
from tests.corpus import corpus
from tests.kernel_records import PATH_ADDRESS, Machine, blob, opened, record

NAMES = (
    "/etc/shadow", "/etc/pam.d", "/etc/pam.d/x", "/", "/etc", "shadow", "./shadow", "../etc/shadow", "x",
    "/etc//shadow", "/etc/./shadow", "/etc/../etc/shadow", "/etc/shadow/", "/etc/shadow/.", "/etc/shadow/..",
    "/home/a/.ssh/id_rsa", "/home/a/..b/c", "/home/a../x", "/tmp/release_agent", "/tmp/\x01shadow", "/tmp/\u00e9",
    "/" + "a" * 254, "/" + "a" * 255, "/" + "a" * 300, "a/b", ".", "..", "./.", "/12345678", "/1234567", "/etc/\x7f",
    "/var/log/syslog", "", "/\udcff",
)  # fmt: skip
FOLDERS = (None, b"/", b"/etc", b"/etc/pam.d", b"/" + b"d" * 250, b"/a b", b"/\xc3\xa9")
COMMS = (b"cat", b"sshd", b"bash", b"123456789012345", b"", b"\xff")

COMPARISONS = (
    "evt.is_open_read = true", "evt.is_open_write = true", "evt.is_open_write = false", "fd.num >= 0", "fd.num = -1",
    "fd.num in (3, 4)", "evt.rawres < 0", "evt.res = ENOENT", "evt.res != SUCCESS", "evt.res startswith E",
    "evt.res in (SUCCESS, EACCES)", "evt.failed = true", "fd.typechar = f", "fd.typechar != d", "fd.typechar = o",
    "fd.type = file", "fd.type in (file, directory)", "fd.name = /etc/shadow", "fd.name != /etc/shadow",
    "fd.name in (/etc/shadow, /x, /1234567, /12345678)", "fd.name startswith /etc", "fd.name startswith /etc/",
    "fd.name endswith shadow", "fd.name endswith /shadow", "fd.directory = /etc", "fd.directory in (/, /etc/pam.d)",
    "fd.directory != /etc", "fd.filename = shadow", "fd.filename != shadow", "fd.filename in (x, syslog)",
    "fd.nameraw contains ../", "fd.nameraw glob '*../*'", "proc.name = cat", "proc.name != cat",
    "proc.name in (cat, sshd, bash, sh, zsh, ksh)", "proc.name in (cat, sshd)", "proc.name startswith ca",
    "user.uid = 0", "user.uid > 100", "proc.cmdline contains x", "fd.name contains shadow", "fd.name pmatch (/etc, /home/*/.ssh)", "fd.name pmatch (etc/shadow)",
    "fd.name pmatch (/*/x, /var/log/)", "fd.name glob /etc/*", "fd.name glob *shadow", "fd.name glob /etc/shadow",
    "fd.name glob /h*/[a-z]/*_rsa", "fs.path.name = /etc/shadow", "fs.path.name != /etc/shadow",
    "fs.path.name startswith /etc", "fs.path.name pmatch (/etc)", "fs.path.name glob '*/.ssh/*'",
    "fd.name contains /.", "fd.name contains m.d/", "fd.name contains sh", "fd.filename contains hado", "fd.name contains LONG",
    "fd.directory contains m.d", "fs.path.name contains d/x",
    "evt.arg.flags contains O_CREAT", "evt.arg.flags contains O_DIRECTORY", "evt.arg.flags contains O_TMPFILE",
    "evt.arg.flags contains O_", "evt.arg.flags contains RDONLY", "evt.arg.flags contains CREAT", "evt.arg[3] contains O_CREAT",
)  # fmt: skip


def conditions(comparisons: tuple[str, ...]) -> st.SearchStrategy[str]:
    """Return conditions of the comparisons given, joined and negated in any way."""
    return st.recursive(
        st.sampled_from(comparisons),
        lambda inner: st.one_of(
            inner.map(lambda text: f"not ({text})"),
            st.tuples(inner, inner).map(lambda pair: f"({pair[0]}) and ({pair[1]})"),
            st.tuples(inner, inner).map(lambda pair: f"({pair[0]}) or ({pair[1]})"),
        ),
        max_leaves=8,
    )


CALLS = st.fixed_dictionaries(
    {
        "path": st.one_of(
            st.none(), st.sampled_from(NAMES).map(lambda name: name.encode("utf-8", "surrogateescape"))
        ),
        "flags": st.sampled_from((0, 1, 2, 3, 0o200000, 0o200001, 0o2000000, 0o100, 0o20200000)),
        "result": st.sampled_from((-2, -13, -1, -999, 0, 3, 4, 1000)),
        "directory": st.sampled_from((-100, 5)),
        "cwd": st.sampled_from(FOLDERS),
        "comm": st.sampled_from(COMMS),
        "uid": st.sampled_from((0, 1000)),
    }
)


def rule_with(condition: str) -> Rule:
    text = f"- rule: A\n  desc: d\n  condition: >-\n    evt.type = openat and ({condition})\n  output: o\n  priority: INFO\n"
    (rule,) = load_rules(Source("rules.yaml", text)).rules
    return rule


def facts(call: Mapping[str, object]) -> Facts:
    """Return what the kernel side sees of a call."""
    seen = dict(call)
    return Facts(raw=seen.pop("path"), **seen)  # type: ignore[arg-type]


def matches(rule: Rule, call: Mapping[str, object]) -> bool:
    """Return the interpreter's verdict on the call."""
    event = Machine().event(opened(**call))  # type: ignore[arg-type]
    return Interpreter(SystemReader()).holds(rule.condition, event)


def precondition(*rules: Rule) -> Precondition:
    return interest_of(rules, decides).preconditions.get("openat", True)


@given(conditions(COMPARISONS), CALLS)
def test_what_matches_passes(condition: str, call: dict[str, object]) -> None:
    rule = rule_with(condition)
    if matches(rule, call):
        assert passes("openat", precondition(rule), facts(call))


@pytest.mark.parametrize("condition", COMPARISONS)
@given(call=CALLS)
def test_each_comparison_is_as_the_interpreter_has_it_where_it_is_known(
    condition: str, call: dict[str, object]
) -> None:
    rule = rule_with(condition)
    found = precondition(rule)
    if isinstance(found, Comparison):
        decided = atom("openat", found)
        assert decided is not None
        outcome = decided.holds(facts(call))
        assert outcome is None or outcome is matches(rule, call)
    else:
        assert found is True


@pytest.mark.corpus
@pytest.mark.parametrize(
    "file", ["falco_rules.yaml", "falco-incubating_rules.yaml", "falco-sandbox_rules.yaml"]
)
def test_public_rules_pass_what_they_match(file: str) -> None:
    rules = [
        rule
        for rule in load_rules(corpus(f"rules/{file}")).enabled("syscall")
        if "openat" in rule.event_types
    ]
    joined = precondition(*rules)
    assert joined is not True

    @given(CALLS)
    def check(call: dict[str, object]) -> None:
        event = Machine().event(opened(**call))  # type: ignore[arg-type]
        interpreter = Interpreter(SystemReader())
        if any(interpreter.holds(rule.condition, event) for rule in rules):
            assert passes("openat", joined, facts(call))

    check()


@pytest.mark.corpus
def test_public_rules_exclude_ordinary_files() -> None:
    joined = precondition(*load_rules(corpus("rules/falco_rules.yaml")).enabled("syscall"))
    ordinary = Facts(3, b"cat", 1000, 0, b"/usr/lib/x86_64-linux-gnu/libc.so.6")
    assert not passes("openat", joined, ordinary)
    assert passes("openat", joined, Facts(3, b"cat", 1000, 0, b"/etc/shadow"))
    assert not passes("openat", joined, Facts(3, b"cat", 1000, 0, b"notes.txt", cwd=b"/home/me"))
    assert passes("openat", joined, Facts(3, b"cat", 1000, 0, b"shadow", cwd=b"/etc"))


ARGUMENTS = {
    "ptrace": (
        "evt.arg.request = PTRACE_ATTACH", "evt.arg.request contains PTRACE_ATTACH", "evt.arg.request contains PTRACE",
        "evt.arg.request != PTRACE_ATTACH", "evt.arg.request in (PTRACE_ATTACH, PTRACE_SEIZE)",
        "evt.arg.request = PTRACE_UNKNOWN", "evt.arg.request startswith PTRACE_P", "evt.arg[3] = PTRACE_ATTACH",
        "evt.arg.flags = x", "evt.rawarg.flags = 1", "not evt.arg.flags contains x",
    ),
    "socket": (
        "evt.arg.domain contains AF_PACKET", "evt.arg.domain = AF_INET", "evt.arg.domain != AF_INET",
        "evt.arg.domain = 2", "evt.arg.domain in (77, AF_UNIX)", "evt.arg.domain != 77", "evt.arg.domain startswith AF_IN",
        "evt.arg.domain = 4294967295", "evt.arg[1] endswith INET6", "evt.arg.domain = ''", "evt.arg.domain != 77",
    ),
    "bpf": (
        "evt.arg.cmd = 5", "evt.arg.cmd = BPF_PROG_LOAD", "evt.arg.cmd in (BPF_MAP_CREATE, 77)", "evt.arg.cmd = -1",
        "evt.arg.cmd contains MAP", "evt.arg.cmd != BPF_PROG_LOAD",
    ),
    "chmod": (
        "evt.arg.mode contains S_ISUID", "evt.arg.mode contains S_ISGID", "evt.arg.mode contains S_IXOTH",
        "evt.arg.mode in (S_ISUID, S_ISGID)", "evt.arg.mode != S_ISUID", "evt.arg.mode contains S_I",
    ),
    "fchmod": ("evt.arg.mode contains S_ISUID", "evt.arg.filename = x"),
    "fchmodat": ("evt.arg.mode contains S_ISUID",),
}  # fmt: skip
VALUES = (
    *range(48),
    *range(0x4200, 0x4210),
    77,
    0x1234,
    0o4755,
    0o6000,
    0o7777,
    0o170755,
    0xFFFFFFFF,
    1 << 32,
    (1 << 32) + 5,
)


@pytest.mark.parametrize(
    ("event_type", "comparison"), [(name, each) for name, found in ARGUMENTS.items() for each in found]
)
def test_arguments_that_are_shown_by_name(event_type: str, comparison: str) -> None:
    text = f"- rule: A\n  desc: d\n  condition: evt.type = {event_type} and {comparison}\n  output: o\n  priority: INFO\n"
    (rule,) = load_rules(Source("rules.yaml", text)).rules
    found = interest_of([rule], decides).preconditions.get(event_type, True)
    interpreter = Interpreter(SystemReader())
    for value in VALUES:
        args = (value, value, value)
        event = Machine().event(record(RecordKind.SYSCALL_EXIT, name=event_type, args=args))
        matches = interpreter.holds(rule.condition, event)
        assert passes(event_type, found, Facts(0, args=args)) is (matches if found is not True else True)


@pytest.mark.parametrize(
    ("event_type", "comparison"),
    [
        ("chmod", "evt.arg.mode contains S_ISUID"),
        ("chmod", "evt.arg.mode contains S_ISGID"),
        ("socket", "evt.arg.domain contains AF_PACKET"),
        ("bpf", "evt.arg.cmd = 5"),
        ("unlink", "evt.arg.newpath startswith /bin"),
        ("openat", "evt.arg.flags contains O_CREAT"),
        ("openat", "fd.name contains fish_history"),
        ("renameat2", "evt.arg.oldpath contains fish_read_history"),
        ("symlinkat", "evt.arg.target in (/etc/shadow, /etc/sudoers)"),
        ("link", "evt.arg.oldpath in (/etc/shadow, /etc/sudoers)"),
    ],
)
def test_arguments_of_public_rules_are_decided(event_type: str, comparison: str) -> None:
    text = f"- rule: A\n  desc: d\n  condition: evt.type = {event_type} and {comparison}\n  output: o\n  priority: INFO\n"
    interest = interest_of(load_rules(Source("rules.yaml", text)).rules, decides)
    assert interest.preconditions[event_type] is not True


def linked(path: bytes | None, result: int, cwd: bytes | None, name: str = "symlink") -> bytes:
    """Return the record of a call with two paths, of which this is the first and `/new` the second."""
    blobs = [blob(BlobKind.TEXT, b"/new\0", PATH_ADDRESS + 8192)]
    if path is not None:
        blobs.append(blob(BlobKind.TEXT, path + b"\0", PATH_ADDRESS))
    if cwd is not None:
        blobs.append(blob(BlobKind.WORKING_DIRECTORY, cwd))
    args = (PATH_ADDRESS, PATH_ADDRESS + 8192)
    return record(RecordKind.SYSCALL_EXIT, name=name, result=result, args=args, blobs=blobs)


TWO_PATHS = {
    "symlink": (
        "evt.arg.target = /etc/shadow", "evt.arg.target in (/etc/shadow, /etc/pam.d)", "evt.arg.target startswith /etc/",
        "evt.arg.target = shadow", "evt.arg.linkpath = /new", "evt.arg.target != /etc/shadow", "fs.path.name = /new",
    ),
    "link": (
        "evt.arg.oldpath = /etc/shadow", "evt.arg.oldpath in (/etc/shadow, /etc/pam.d)", "evt.arg.oldpath contains .ssh",
        "evt.arg.newpath = /new", "evt.arg.oldpath endswith shadow", "fs.path.source = /etc/shadow", "fs.path.name = /new",
    ),
    "rename": (
        "evt.arg.oldpath startswith /etc/", "evt.arg.oldpath contains /.", "evt.arg.oldpath pmatch (/etc)",
        "evt.arg.newpath startswith /n", "evt.arg.name = /etc/shadow", "fs.path.target = /new", "evt.arg.oldpath != /etc/shadow",
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("event_type", "comparison"), [(name, each) for name, found in TWO_PATHS.items() for each in found]
)
@given(
    call=st.fixed_dictionaries(
        {
            "path": st.one_of(
                st.none(),
                st.sampled_from((*NAMES, "<NA>")).map(lambda name: name.encode("utf-8", "surrogateescape")),
            ),
            "result": st.sampled_from((-2, 0)),
            "cwd": st.sampled_from(FOLDERS),
        }
    )
)
def test_the_first_of_two_paths(event_type: str, comparison: str, call: Mapping[str, object]) -> None:
    text = f"- rule: A\n  desc: d\n  condition: evt.type = {event_type} and {comparison}\n  output: o\n  priority: INFO\n"
    (rule,) = load_rules(Source("rules.yaml", text)).rules
    found = interest_of([rule], decides).preconditions.get(event_type, True)
    event = Machine().event(linked(**call, name=event_type))  # type: ignore[arg-type]
    if Interpreter(SystemReader()).holds(rule.condition, event):
        assert passes(event_type, found, facts(call))


def test_links_to_other_files_than_rules_name_are_excluded() -> None:
    for event_type, parameter in (("symlink", "target"), ("linkat", "oldpath")):
        text = (
            f"- rule: A\n  desc: d\n  condition: evt.type = {event_type} and evt.arg.{parameter} in (/etc/shadow, /etc)\n"
            "  output: o\n  priority: INFO\n"
        )
        found = interest_of(load_rules(Source("rules.yaml", text)).rules, decides).preconditions[event_type]
        assert passes(event_type, found, Facts(0, raw=b"/etc/shadow"))
        assert not passes(event_type, found, Facts(0, raw=b"/usr/lib/x.so", cwd=b"/"))
        assert not passes(event_type, found, Facts(0, raw=b"lib/x.so", cwd=b"/usr"))


PATH_ARGUMENTS = (
    "evt.arg.path = /etc/shadow", "evt.arg.path != /etc/shadow", "evt.arg.path startswith /etc/",
    "evt.arg.path endswith shadow", "evt.arg.path pmatch (/etc, /home/*/.ssh)", "evt.arg.path glob /etc/*",
    "evt.arg.path in (/etc/shadow, /x)", "evt.arg.path endswith NA>", "evt.arg.path startswith /x",
)  # fmt: skip


@pytest.mark.parametrize("comparison", PATH_ARGUMENTS)
@given(
    call=st.fixed_dictionaries(
        {
            "path": st.one_of(
                st.none(),
                st.sampled_from((*NAMES, "<NA>", "./<NA>", "/etc/<NA>")).map(
                    lambda name: name.encode("utf-8", "surrogateescape")
                ),
            ),
            "result": st.sampled_from((-2, 0)),
            "cwd": st.sampled_from(FOLDERS),
        }
    )
)
def test_paths_among_the_arguments(comparison: str, call: Mapping[str, object]) -> None:
    text = f"- rule: A\n  desc: d\n  condition: evt.type = mkdir and {comparison}\n  output: o\n  priority: INFO\n"
    (rule,) = load_rules(Source("rules.yaml", text)).rules
    found = interest_of([rule], decides).preconditions["mkdir"]
    assert isinstance(found, Comparison)
    event = Machine().event(made(**call))  # type: ignore[arg-type]
    decided = atom("mkdir", found)
    assert decided is not None
    outcome = decided.holds(facts(call))
    assert outcome is None or outcome is Interpreter(SystemReader()).holds(rule.condition, event)


def made(path: bytes | None, result: int, cwd: bytes | None) -> bytes:
    """Return the record of a `mkdir`."""
    blobs = [] if path is None else [blob(BlobKind.TEXT, path + b"\0", PATH_ADDRESS)]
    if cwd is not None:
        blobs.append(blob(BlobKind.WORKING_DIRECTORY, cwd))
    return record(
        RecordKind.SYSCALL_EXIT, name="mkdir", result=result, args=(PATH_ADDRESS, 0o755), blobs=blobs
    )


def test_calls_with_the_same_formula_share_a_program() -> None:
    text = (
        "- rule: A\n  desc: d\n  condition: evt.type in (open, openat, openat2) and fd.name = /x\n"
        "  output: o\n  priority: INFO\n"
    )
    interest = interest_of(load_rules(Source("rules.yaml", text)).rules, decides)
    found = make_prefilters(make_plan(interest), interest.preconditions)
    assert set(found.functions) == {2, 257, 437}
    assert len(set(found.functions.values())) == 1


def test_no_text_of_rules_gets_into_the_program() -> None:
    rule = rule_with(
        'fd.name = "/x; return 0; /*" or proc.name = "*/ evil" or fd.filename in ("a\\"b", "c)d")'
    )
    interest = interest_of([rule], decides)
    text = "".join(make_prefilters(make_plan(interest), interest.preconditions).texts.values())
    assert "prefilter_257" in text
    assert not {"evil", "/*", '"'} & {word for word in ("evil", "/*", '"') if word in text}


def test_what_costs_little_is_decided_first() -> None:
    rule = rule_with("proc.name = cat and fd.name = /etc/shadow and evt.is_open_read = true and fd.num >= 0")
    steps = [expression("openat", precondition(rule), level) for level in Level]
    assert "comm" not in steps[Level.NAME]
    assert "word_at" not in steps[Level.ARGUMENTS]
    assert "flags" not in steps[Level.RESULT]
    assert steps[Level.THREAD].index("flags") < steps[Level.THREAD].index("word_at")


def test_what_makes_the_name_is_a_part_of_its_own() -> None:
    rule = rule_with("proc.name = cat and fd.name = /etc/shadow and evt.is_open_read = true")
    interest = interest_of([rule], decides)
    found = make_prefilters(make_plan(interest), interest.preconditions)
    ((part, place),) = found.parts.items()
    name = found.functions[257]
    assert part == second_part(name)
    programs = found.texts
    assert f"go_on(ctx, s, {place})" in programs[name]
    assert "read_name" not in programs[name]
    assert "read_name" in programs[part]
    assert sum("[SEEN]++" in program for program in programs.values()) == 1


def test_what_needs_no_name_has_one_part() -> None:
    interest = interest_of([rule_with("proc.name = cat and evt.is_open_read = true")], decides)
    assert not make_prefilters(make_plan(interest), interest.preconditions).parts


def test_calls_that_no_rule_can_match_are_not_attached_to() -> None:
    rule = rule_with("evt.rawres = 5")
    interest = interest_of([rule], decides)
    found = make_prefilters(make_plan(interest), {"openat": False})
    assert found.never == {257}
    assert not found.functions


def test_executions_that_went_well_are_told_of_elsewhere() -> None:
    text = "- rule: A\n  desc: d\n  condition: evt.type = execve and proc.name = x\n  output: o\n  priority: INFO\n"
    interest = interest_of(load_rules(Source("rules.yaml", text)).rules, decides)
    found = make_prefilters(make_plan(interest), interest.preconditions)
    assert set(found.functions) == set(make_plan(interest).calls)
    assert "if (!(f->result < 0))" in "".join(found.texts.values())
