"""What the kernel side takes for host processes: none that the state finds in a container."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from refengine import load_rules
from refengine.backends.ebpf import binding, compiler
from refengine.backends.ebpf.containers import ContainedProcesses
from refengine.backends.ebpf.layout import RecordKind
from refengine.backends.ebpf.prefilter.facts import Facts
from refengine.backends.ebpf.prefilter.program import passes
from refengine.backends.ebpf.prefilter.table import decides
from refengine.condition.interpret import Interpreter
from refengine.fields.readers import SystemReader
from refengine.interest import interest_of
from refengine.source import Source
from refengine.state.containers.identity import container_of
from tests.kernel_records import Machine, record

ID = "0123456789abcdef" * 4
NAMES = (
    ID, f"docker-{ID}.scope", f"cri-containerd-{ID}.scope", f"libpod-{ID}", f"crio:{ID}", "docker", "libpod_parent",
    "kubepods.slice", "k8s.io", "default", "name", "lxc", "lxc.payload.a", "lxc.payload", "machine-a.scope", "machine.slice",
    "machine-qemu-1.scope", "systemd-nspawn@b.service", "systemd-udevd.service", "system.slice", "user.slice", "a" * 63,
    "a" * 64, "process_api", "f835cc9b9c6c5ce633c9c0eadfea4b5e", "default2", "k8s.io2", "lx", "machine", "x:docker-" + ID,
)  # fmt: skip
PATHS = st.lists(st.sampled_from(NAMES), max_size=4).map(lambda names: "/" + "/".join(names))


@pytest.fixture(scope="module")
def may_be_of_container(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], bool]:
    """Return what the kernel side's header says of the name of a control group."""
    if shutil.which("gcc") is None:
        pytest.skip("needs a C compiler")
    folder = tmp_path_factory.mktemp("names")
    header = compiler.HERE / "program" / "group_name.h"
    (folder / "names.c").write_text(
        "#include <stdio.h>\n#include <string.h>\ntypedef unsigned long long u64; typedef _Bool bool;\n"
        f"#define __always_inline inline\n{header.read_text()}\n"
        "int main(int argc, char **argv) {\n"
        "    for (int i = 1; i < argc; i++) {\n"
        "        u64 words[2] = {0};\n"
        "        size_t length = strlen(argv[i]);\n"
        "        memcpy(words, argv[i], length < 16 ? length : 16);\n"
        '        puts(is_name_of_container(words[0], words[1], length) ? "1" : "0");\n'
        "    }\n}\n"
    )
    program = folder / "names"
    subprocess.run(["gcc", "-O1", "-o", program, folder / "names.c"], check=True)
    answers = subprocess.check_output([program, *NAMES], text=True).split()
    return dict(zip(NAMES, (answer == "1" for answer in answers), strict=True)).__getitem__


def test_no_name_of_a_container_is_taken_for_the_hosts(may_be_of_container: Callable[[str], bool]) -> None:
    @settings(max_examples=500)
    @given(PATHS)
    def check(path: str) -> None:
        if container_of([("memory", path)]) is not None:
            assert any(map(may_be_of_container, path.split("/")[1:]))

    check()


def test_ordinary_names_are_the_hosts(may_be_of_container: Callable[[str], bool]) -> None:
    ordinary = (
        "system.slice",
        "user.slice",
        "systemd-udevd.service",
        "machine.slice",
        "a" * 63,
        "process_api",
        "default2",
    )
    assert not any(map(may_be_of_container, ordinary))


COMPARISONS = (
    "container.id != host", "container.id = host", "container.id in (host, 0123456789ab)", "container.id startswith ho",
    "container.name = host", "container.type != host", "container.type = docker", "container.full_id contains 0123",
    "container.image.repository in (a, b)", "container.image.repository endswith x", "container.privileged = true",
    "k8s.ns.name in (default)", "k8s.pod.uid = x", "container.label[x] = y", "container.mount.dest[/x] = /y",
    "container.duration < 1000", "container.image.tag regex 'a.*'",
)  # fmt: skip


@pytest.mark.parametrize("comparison", COMPARISONS)
@pytest.mark.parametrize(
    "cgroup", ["/user.slice", f"/docker/{ID}", "/kubepods/podaaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"]
)
@pytest.mark.parametrize("form", ["{}", "not {}"])
def test_what_matches_passes(comparison: str, cgroup: str, form: str) -> None:
    condition = form.format(comparison)
    text = f"- rule: A\n  desc: d\n  condition: evt.type = mkdir and {condition}\n  output: o\n  priority: INFO\n"
    (rule,) = load_rules(Source("rules.yaml", text)).rules
    machine = Machine()
    data = record(RecordKind.SYSCALL_EXIT, name="mkdir")
    event = machine.event(data)
    assert event.thread is not None
    event.thread.cgroups = (("memory", cgroup),)
    matches = Interpreter(SystemReader()).holds(rule.condition, event)
    precondition = interest_of([rule], decides).preconditions.get("mkdir", True)
    on_host = event.thread.container() is None
    if matches:
        assert passes("mkdir", precondition, Facts(0, on_host=on_host))
    elif on_host and precondition is not True:
        assert not passes("mkdir", precondition, Facts(0, on_host=True))
    assert passes("mkdir", precondition, Facts(0, on_host=False))


def test_a_set_without_room_is_no_set(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[tuple[int, int]] = []

    def update(map: int, key: int, value: bytes) -> None:
        if map == 1:
            raise OSError
        written.append((map, key))

    monkeypatch.setattr(binding, "update_map", update)
    processes = ContainedProcesses()
    processes.add(5)
    processes.use({"contained": 1, "containers": 2})
    processes.add(7)
    processes.complete()
    assert written == [(2, 1), (2, 0)]
