"""A short-lived process that compiles the kernel side with bcc, loads it, and hands the descriptors over.

The compiler takes about 130 MB of memory, which go with this process. It reads a request as JSON from its
standard input and answers over the socket whose number is its first argument: one message with the answer as JSON and
the descriptors of maps and programs. What needs no request it does before there is one: it finds bcc, and the offsets
in the kernel's structures.

The file is run as it is; its second argument is the folder that the package is in.
"""

from __future__ import annotations

import gc
import json
import os
import re
import socket
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

HERE: Final = Path(__file__).resolve().parent
SYSTEM_PACKAGES: Final = "/usr/lib/python3/dist-packages"
MAPS: Final = ("ring", "settings", "plans", "scratch", "continuations", "names", "contained", "containers")
RAW_TRACEPOINTS: Final = ("sched_process_exec", "sched_process_fork", "sched_process_exit")

_INCLUDE: Final = re.compile(r'^#include "([a-z_]+\.h)"$', re.MULTILINE)
_LOG_TAIL: Final = 2000


def find_bcc() -> Any:
    """Return the module `bcc` of the system, which no package index has.

    The system's folder of packages comes last, so that nothing else is taken from it.

    :raises ImportError: when it is not installed.
    """
    if SYSTEM_PACKAGES not in sys.path:
        sys.path.append(SYSTEM_PACKAGES)
    import bcc  # type: ignore[import-not-found,unused-ignore]

    if not hasattr(bcc, "BPF"):
        raise ImportError("the module 'bcc' is another project of that name")
    return bcc


def read_program() -> str:
    """Return the C text with its own headers in place; bcc rewrites what is in the main text only."""
    folder = HERE / "program"

    def included(match: re.Match[str]) -> str:
        return (folder / match[1]).read_text(encoding="utf-8")

    return _INCLUDE.sub(included, (folder / "main.c").read_text(encoding="utf-8"))


def build(
    bcc: Any, offsets: Mapping[str, int], request: Mapping[str, Any]
) -> tuple[dict[str, Any], list[int]]:
    """Return the answer to a request, and the descriptors that it names in order.

    The answer has `error` with a kind and a text, or `descriptors`, the names, and `rejected`, the prefilters
    that the kernel did not take, with its reason.
    """
    os.environ["BCC_KERNEL_SOURCE"] = str(HERE / "headers")
    flags = [f"-D{name}={value}" for name, value in offsets.items()]
    flags.append(f"-DBY_RAW_TRACEPOINT={int(request['raw'])}")
    flags += [
        f"-DRING_PAGES={request['ring_pages']}",
        f"-DNAMES_MAX={request['names_max']}",
        "-Wno-unused-function",
        "-g0",  # nobody debugs the programs, and writing down their types takes an eighth of the time
        # bcc optimises what clang makes anyway; doing it twice takes longer, and loops that are unrolled too early
        # give the verifier more to look at.
        "-Xclang",
        "-disable-llvm-passes",
    ]
    text = "\n".join((read_program(), request["prefilters"]))
    try:
        program = bcc.BPF(text=text.encode(), cflags=flags)
    except Exception as error:
        return {"error": ["compile", str(error)]}, []
    names: list[str] = []
    descriptors: list[int] = []
    for name in (*MAPS, "entries") if request["raw"] else MAPS:
        names.append(name)
        descriptors.append(program[name].map_fd)
    for name in RAW_TRACEPOINTS:
        # bcc attaches these by itself; they are attached anew when everything is ready.
        program.detach_raw_tracepoint(name.encode())
    rejected: dict[str, str] = {}
    functions = [(f"raw_tracepoint__{name}", bcc.BPF.RAW_TRACEPOINT) for name in RAW_TRACEPOINTS]
    exits = ["begin_record", "copy_step", "every_exit", *request["programs"]]
    if request["raw"]:
        exits.append("any_exit")
    functions += [(name, bcc.BPF.RAW_TRACEPOINT if request["raw"] else bcc.BPF.TRACEPOINT) for name in exits]
    for name, kind in functions:
        try:
            loaded = program.load_func(name.encode(), kind)
        except Exception as error:
            if name not in request["programs"]:
                return {"error": ["verifier", f"{name}: {error}"]}, []
            rejected[name] = str(error)[-_LOG_TAIL:]
            continue
        names.append(name)
        descriptors.append(loaded.fd)
    return {"descriptors": names, "rejected": rejected}, descriptors


def main() -> None:
    """Answer the one request."""
    channel = socket.socket(fileno=int(sys.argv[1]))
    answer: dict[str, Any]
    descriptors: list[int] = []
    from refengine.backends.ebpf.btf import TypesError, read_kernel_types
    from refengine.backends.ebpf.offsets import find_offsets

    try:
        bcc = find_bcc()
        offsets = find_offsets(read_kernel_types())
    except ImportError as error:
        answer = {"error": ["bcc", str(error)]}
    except TypesError as error:
        answer = {"error": ["types", str(error)]}
    else:
        # What clang says goes to standard error, which the parent keeps.
        answer, descriptors = build(bcc, offsets, json.load(sys.stdin))
    data = json.dumps(answer).encode()
    channel.sendall(len(data).to_bytes(4, "little"))
    for start in range(0, len(descriptors), 100):
        socket.send_fds(channel, [b"d"], descriptors[start : start + 100])
    channel.sendall(data)
    channel.close()


if __name__ == "__main__":
    # The modules beside this one are no modules of their own.
    sys.path = [sys.argv[2], *(folder for folder in sys.path if Path(folder or ".").resolve() != HERE)]
    # Little of what is made here goes before the process does.
    gc.disable()
    with suppress(BrokenPipeError):
        main()
    sys.stdout.flush()
    # bcc's own end would take its time and has nothing to do that the kernel does not.
    os._exit(0)
