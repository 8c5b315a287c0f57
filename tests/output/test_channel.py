from __future__ import annotations

import os
import resource
import signal
from pathlib import Path

import pytest

from refengine.output.channel import ChannelClosedError, ChannelError, FileChannel, StreamChannel


def test_each_line_is_out_at_once() -> None:
    reader, writer = os.pipe()
    with os.fdopen(writer, "w", encoding="utf-8") as stream, os.fdopen(reader, "rb", 0) as out:
        channel = StreamChannel(stream)
        channel.write("one")
        assert out.read(100) == b"one\n"


def test_buffered_lines_wait_for_the_end() -> None:
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    with os.fdopen(writer, "w", encoding="utf-8") as stream, os.fdopen(reader, "rb", 0) as out:
        channel = StreamChannel(stream, buffered=True)
        channel.write("one")
        assert out.read(100) is None
        channel.close()
        assert out.read(100) == b"one\n"


def test_a_reader_that_is_gone_is_told_apart_from_other_failures() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    stream = os.fdopen(writer, "w", encoding="utf-8")
    with pytest.raises(ChannelClosedError):
        StreamChannel(stream).write("one")
    with pytest.raises(BrokenPipeError):
        stream.close()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_an_error() -> None:
    channel = FileChannel(Path("/dev/full"), keep_alive=True)
    with pytest.raises(ChannelError, match="/dev/full: No space left"):
        channel.write("one")
    channel.close()
    channel.close()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_what_is_buffered_and_does_not_fit_is_an_error_at_the_end() -> None:
    channel = FileChannel(Path("/dev/full"), keep_alive=True, buffered=True)
    channel.write("one")
    with pytest.raises(ChannelError):
        channel.close()


def test_a_file_that_fills_up_keeps_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "alerts"
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    channel = FileChannel(path, keep_alive=True)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (6, limits[1]))
        channel.write("one")
        channel.write("two")  # of which there is room for a part
        with pytest.raises(ChannelError, match="File too large"):
            channel.write("three")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)
    channel.write("three")
    channel.close()
    assert path.read_text() == "one\ntwo\nthree\n"


def test_a_pipe_is_ready_only_while_it_has_room() -> None:
    reader, writer = os.pipe()
    with os.fdopen(writer, "w", encoding="utf-8") as stream, os.fdopen(reader, "rb", 0):
        channel = StreamChannel(stream)
        assert channel.ready("one")
        assert not channel.ready("x" * 5000)
        os.set_blocking(writer, False)
        try:
            while True:
                os.write(writer, b"x" * 4096)
        except BlockingIOError:
            pass
        assert not channel.ready("one")


@pytest.mark.parametrize("keep_alive", [True, False])
def test_a_file_is_appended_to(tmp_path: Path, keep_alive: bool) -> None:
    path = tmp_path / "alerts"
    path.write_text("before\n")
    channel = FileChannel(path, keep_alive=keep_alive)
    channel.write("one")
    assert path.read_text() == "before\none\n"
    channel.close()
    channel.close()


def test_without_keep_alive_a_moved_file_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "alerts"
    channel = FileChannel(path)
    channel.write("one")
    path.rename(tmp_path / "old")
    channel.write("two")
    assert path.read_text() == "two\n"


def test_a_file_that_cannot_be_opened_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ChannelError, match="Is a directory"):
        FileChannel(tmp_path)
