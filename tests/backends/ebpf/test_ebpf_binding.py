"""The calls to the kernel leave nothing behind for the collector of garbage."""

from __future__ import annotations

import gc
import os

import pytest

from refengine.backends.ebpf import binding


def test_no_call_makes_a_cycle_of_references() -> None:
    # What is no map is refused with and without privileges.
    descriptor = os.open("/dev/null", os.O_RDONLY)
    try:
        gc.collect()
        gc.disable()
        for _ in range(100):
            with pytest.raises(OSError, match=r"\[Errno \d+\]"):
                binding.update_map(descriptor, 1, b"\1")
        assert gc.collect() < 100
    finally:
        gc.enable()
        os.close(descriptor)
