"""What may come after watching has begun: the second parts of prefilters, without which more events pass."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from threading import Thread

from refengine.backends.ebpf import binding
from refengine.backends.ebpf.loading import Loaded
from refengine.backends.ebpf.part import Part
from refengine.errors import BackendError


class Completion:
    """A thread that loads `parts` as they come, and puts each program at its place among the continuations.

    `stop` has `parts` come to an end. `fault` says what went wrong, None while nothing has.
    """

    def __init__(
        self,
        parts: Generator[Part, None, None],
        loaded: Loaded,
        places: Mapping[str, int],
        stop: Callable[[], None],
    ) -> None:
        self._parts = parts
        self._loaded = loaded
        self._places = places
        self._stop = stop
        self._stopped = False
        self.fault: str | None = None
        self._thread = Thread(target=self._run, name="ebpf-completion", daemon=True)
        self._thread.start()

    def wait(self, patience: float) -> bool:
        """Return True when nothing more is to come, False where that takes longer than `patience` seconds."""
        self._thread.join(patience)
        return not self._thread.is_alive()

    def close(self) -> None:
        """Leave what has not come yet; a program that the kernel is looking at is waited for."""
        self._stopped = True
        self._stop()
        self._thread.join()

    def _run(self) -> None:
        descriptors = self._loaded.descriptors
        try:
            for part in self._parts:
                if self._stopped:
                    break
                self._loaded.load(part, 1)
                for name in part.programs:
                    if name in descriptors:
                        program = descriptors[name].to_bytes(4, "little")
                        binding.update_map(descriptors["continuations"], self._places[name], program)
        except (BackendError, OSError) as error:
            if not self._stopped:
                self.fault = f"prefilters stay without their second parts: {error}"
        finally:
            self._parts.close()
