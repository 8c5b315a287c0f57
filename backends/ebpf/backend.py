"""The eBPF backend: watches the whole machine from inside the kernel."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from time import monotonic
from typing import Final

from refengine.backends.base import Capabilities, Interest, Statistics
from refengine.backends.ebpf import binding
from refengine.backends.ebpf.cache import Cache, folder_of
from refengine.backends.ebpf.captures import captures, packed, with_directory
from refengine.backends.ebpf.compiling import Compilation
from refengine.backends.ebpf.completion import Completion
from refengine.backends.ebpf.containers import ContainedProcesses
from refengine.backends.ebpf.events import Decoder
from refengine.backends.ebpf.layout import COUNTERS, NAME_IN_SET, SCRATCH_SIZE, SETTINGS, Counter
from refengine.backends.ebpf.loading import RAW_TRACEPOINT_PREFIX, Loaded
from refengine.backends.ebpf.needs import check
from refengine.backends.ebpf.part import Part
from refengine.backends.ebpf.plan import Plan, make_plan
from refengine.backends.ebpf.prefilter.program import Prefilters, make_prefilters, second_part
from refengine.backends.ebpf.prefilter.table import decides
from refengine.backends.ebpf.requests import requests
from refengine.backends.ebpf.ring import PAGE_SIZE, Ring
from refengine.backends.ebpf.tracepoints import tracepoints_of_exits
from refengine.errors import BackendError
from refengine.event import Event
from refengine.tables.syscalls import BY_NUMBER

RING_PAGES: Final = 4096
"""Pages of the ring buffer, a power of two: 16 MB."""

RAW_TRACEPOINTS: Final = ("sched_process_exec", "sched_process_fork", "sched_process_exit")

TRACEPOINTS_MAX: Final = 64
"""For more system calls than this there is one program at the exit of all of them.

A tracepoint of its own costs calls that nobody wants about 60 ns where the common one costs 100, but the kernel takes
60 ms to give each of them back.
"""

_BATCH: Final = 1024
"""Records that are taken at once: few enough that what is made of them is still in the processor's cache when rules
look at it, and that signals and time limits are looked at in between."""

_WARNING_32: Final = (
    "there are 32-bit programs or calls on this machine, and what is done by 32-bit calls is not seen: of such programs "
    "only executions, births and ends are"
)

_ABSENT: Final[Mapping[str, str]] = {
    "fd.is_upper_layer": "records of opened files do not tell the layers of overlay filesystems",
    "fd.is_lower_layer": "records of opened files do not tell the layers of overlay filesystems",
}

CAPABILITIES: Final = Capabilities(
    source="syscall",
    event_types=None,
    privileges="root, or CAP_BPF, CAP_PERFMON and CAP_SYS_PTRACE",
    keeps=frozenset({"CAP_BPF", "CAP_PERFMON", "CAP_SYS_PTRACE", "CAP_DAC_READ_SEARCH"}),
    absent_fields=_ABSENT,
    told_as_another={"execveat": "execve"},
    decides=decides,
)


class EbpfBackend:
    """Watches every process of the machine but this one.

    `seed` is called once records are being written, to take in what is there already; those of `contained` are in
    containers then. `snap_length` is how many bytes of a buffer an event carries. Before anything is attached, prefilters are
    waited for to be there in full, for `patience` seconds at the most.
    """

    name = "ebpf"
    capabilities = CAPABILITIES

    def __init__(
        self,
        seed: Callable[[], None],
        contained: ContainedProcesses,
        *,
        snap_length: int = 80,
        ring_pages: int = RING_PAGES,
        patience: float = 0.0,
    ) -> None:
        self._seed = seed
        self._contained = contained
        self._snap_length = snap_length
        self._ring_pages = ring_pages
        self._patience = patience
        self._is_late = False
        self._loaded: Loaded | None = None
        self._ring: Ring | None = None
        self._decoder: Decoder | None = None
        self._attached: list[int] = []
        self._delivered = 0
        self._tracepoints: Mapping[int, int] | None = None
        self._statistics = Statistics()
        self._prefilters: Prefilters | None = None
        self._cache: Cache | None = None
        self._completion: Completion | None = None
        self._processors = 0

    @property
    def exit_code(self) -> int | None:
        """None: there is no command."""
        return None

    def open(self, interest: Interest) -> None:
        """Load the kernel side and attach it to what `interest` needs.

        :raises BackendError: with the reason and the remedy.
        """
        if self._loaded is not None:
            raise BackendError("the ebpf backend is open already")
        for need in check():
            if not need.met:
                raise BackendError(
                    f"the ebpf backend cannot run here: {need.name}: {need.found}; {need.remedy}"
                )
        self._processors = possible_processors()
        plan = make_plan(interest)
        prefilters = make_prefilters(plan, interest.preconditions)
        self._tracepoints = _tracepoints([number for number in plan.calls if number not in prefilters.never])
        raw = self._tracepoints is None
        self._prefilters = prefilters
        self._cache = cache = Cache(folder_of(os.environ))
        entries = {
            "ring": self._ring_pages * PAGE_SIZE,
            "names": sum(map(len, prefilters.names.values())) + 1,
        }
        self._loaded = loaded = Loaded(raw=raw, entries=entries)
        try:
            self._load(loaded, prefilters, cache, raw=raw)
            self._ring = Ring(loaded.descriptors["ring"], self._ring_pages * PAGE_SIZE)
            self._decoder = Decoder(plan, self._snap_length, self._delivered)
            self._configure(plan, prefilters, loaded.descriptors)
            self._is_late = self._patience > 0 and not self.complete(self._patience)
            self._attach(plan, prefilters, loaded.descriptors)
        except OSError as error:
            self.close()
            raise BackendError(f"the kernel refuses the programs: {error.strerror or error}") from error
        except BaseException:
            self.close()
            raise
        self._contained.use(loaded.descriptors)
        self._seed()
        self._contained.complete()

    def _load(self, loaded: Loaded, prefilters: Prefilters, cache: Cache, *, raw: bool) -> None:
        """Load what has to be there, and begin with what may come later.

        :raises BackendError: with the reason and the remedy.
        """
        processors = len(os.sched_getaffinity(0))
        wanted = requests(prefilters, raw=raw, processors=processors)
        compilation = Compilation((*wanted.first, *wanted.later), cache)
        parts = compilation.parts()
        missing, early = len(wanted.first), []
        try:
            while missing:
                place, part = next(parts)
                if place < len(wanted.first):
                    loaded.load(part, processors)
                    missing -= 1
                else:
                    early.append(part)
            for name, reason in loaded.rejected.items():
                if name not in prefilters.texts:
                    raise BackendError(
                        f"the kernel does not take the program '{name}': {reason}; "
                        "it may be older than 5.15, which is the oldest that is known to take it"
                    )
        except BaseException:
            parts.close()
            raise
        self._completion = Completion(_rest(early, parts), loaded, prefilters.parts, compilation.stop)

    def complete(self, patience: float = 0.0) -> bool:
        """Return True when prefilters are in place in full, or it is known why not; False after `patience` seconds.

        Until they are, some events pass that they will exclude.
        """
        completion = self._completion  # which is taken away at the end
        return completion is None or completion.wait(patience)

    def _configure(self, plan: Plan, prefilters: Prefilters, descriptors: Mapping[str, int]) -> None:
        for key, names in prefilters.names.items():
            for name in names:
                binding.update_map(descriptors["names"], NAME_IN_SET.pack(name, key), b"\1")
        table = captures(self._snap_length, identify=plan.identify, arguments=plan.environment)
        for number, watched in plan.calls.items():
            wanted = table.get(watched.name, ())
            binding.update_map(
                descriptors["plans"], number, packed(with_directory(wanted) if watched.directory else wanted)
            )
        settings = SETTINGS.pack(os.getpid(), plan.environment, plan.threads, 0)
        binding.update_map(descriptors["settings"], 0, settings)
        for place, program in enumerate(("begin_record", "copy_step")):
            binding.update_map(
                descriptors["continuations"], place, descriptors[program].to_bytes(4, "little")
            )

    def _attach(self, plan: Plan, prefilters: Prefilters, descriptors: Mapping[str, int]) -> None:
        for name in RAW_TRACEPOINTS:
            program = descriptors[f"{RAW_TRACEPOINT_PREFIX}{name}"]
            self._attached.append(binding.attach_raw_tracepoint(name, program))
        # A prefilter that the kernel has rejected is not there: then every event passes.
        programs = {
            number: descriptors.get(prefilters.functions.get(number, ""), descriptors["every_exit"])
            for number in plan.calls
            if number not in prefilters.never
        }
        if self._tracepoints is None:
            for number, program in programs.items():
                binding.update_map(descriptors["entries"], number, program.to_bytes(4, "little"))
            self._attached.append(binding.attach_raw_tracepoint("sys_exit", descriptors["any_exit"]))
            return
        for number, id in self._tracepoints.items():
            self._attached.append(binding.attach_tracepoint(id, programs[number]))

    def read(self, timeout: float) -> Sequence[Event] | None:
        """Return the next events, none of them after `timeout` seconds without any."""
        ring, decoder = self._ring, self._decoder
        if ring is None or decoder is None:
            return None
        end = monotonic() + timeout
        ring.wait(timeout)
        events = decoder.events(ring.take(_BATCH))
        # Records may tell of no event, and one that is still being written keeps back what is behind it.
        while not events and (left := end - monotonic()) > 0:
            ring.wait(left)
            events = decoder.events(ring.take(_BATCH))
        self._delivered = decoder.delivered
        return events

    def warnings(self) -> Sequence[str]:
        """Return what is not as it should be, in sentences for people."""
        return tuple(self._all_warnings())

    def _all_warnings(self) -> Iterator[str]:
        if self._cache is not None:
            yield from self._cache.refused
        if self._prefilters is not None and self._loaded is not None:
            yield from _refusals(self._prefilters, {**self._prefilters.left_out, **self._loaded.rejected})
        if self._completion is not None and self._completion.fault is not None:
            yield self._completion.fault
        elif self._is_late:
            yield (
                f"the second parts of prefilters have not been loaded within {self._patience:g} seconds: "
                "until they are, more events pass than need to"
            )
        if any(self.statistics().unwatched.values()):
            yield _WARNING_32

    def statistics(self) -> Statistics:
        """Return the counters so far, those of the kernel added up over the processors."""
        loaded = self._loaded
        if loaded is not None:
            counts = self._count(loaded.descriptors["scratch"])
            dropped = {"the ring buffer is full": counts[Counter.RING_FULL]}
            if counts[Counter.NO_CAPTURE]:
                dropped["a program could not go on"] = counts[Counter.NO_CAPTURE]
            unwatched = {
                "32-bit programs": counts[Counter.PROGRAMS_32],
                "32-bit calls": counts[Counter.CALLS_32],
            }
            self._statistics = Statistics(
                counts[Counter.SEEN], self._delivered, counts[Counter.FILTERED], dropped, unwatched
            )
        return self._statistics

    def _count(self, map: int) -> list[int]:
        stride = SCRATCH_SIZE + 7 & ~7
        data = binding.read_map(map, 0, stride * self._processors)
        counts = [COUNTERS.unpack_from(data, start) for start in range(0, len(data) - COUNTERS.size, stride)]
        return [sum(column) for column in zip(*counts, strict=True)]

    def close(self) -> None:
        """Detach everything, and give back what was held."""
        loaded = self._loaded
        if loaded is None:
            return
        self.statistics()
        self._loaded = None
        self._contained.leave()
        if self._completion is not None:
            self._completion.close()
            self._completion = None
        for descriptor in self._attached:
            os.close(descriptor)
        self._attached.clear()
        if self._ring is not None:
            self._ring.close()
            self._ring = None
        loaded.close()


def _rest(
    early: Sequence[Part], parts: Generator[tuple[int, Part], None, None]
) -> Generator[Part, None, None]:
    with closing(parts):
        yield from early
        for _, part in parts:
            yield part


def _refusals(prefilters: Prefilters, rejected: Mapping[str, str]) -> Iterator[str]:
    """Yield what the kernel has not taken, with its reason and what follows."""
    for number, name in prefilters.functions.items():
        call = BY_NUMBER[number].name
        part = second_part(name)
        if name in rejected:
            reason = rejected[name].splitlines()[0]
            yield f"the kernel does not take the prefilter of {call} ({reason}): every such event is evaluated outside of it"
        elif part in rejected:
            reason = rejected[part].splitlines()[0]
            yield (
                f"the kernel does not take the second part of the prefilter of {call} ({reason}): "
                "events that their arguments and the beginning or end of the path do not exclude are evaluated outside of it"
            )


def _tracepoints(wanted: Sequence[int]) -> Mapping[int, int] | None:
    """Return the tracepoints of these calls, None where one program is to watch the exits of all."""
    known = tracepoints_of_exits() if len(wanted) <= TRACEPOINTS_MAX else None
    return None if known is None else {call: known[call] for call in wanted if call in known}


def possible_processors() -> int:
    """Return for how many processors the kernel keeps values."""
    text = Path("/sys/devices/system/cpu/possible").read_text(encoding="ascii").strip()
    return int(text.replace("-", ",").split(",")[-1]) + 1
