"""The bytes of a capture file, decompressed where need be, in chunks of bounded size.

A file is read, not mapped: a mapped file that somebody cuts short meanwhile kills the process, and one path then
serves plain and compressed files, pipes and files that still grow.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from refengine.errors import BackendError, RefengineError

CHUNK = 1 << 18
"""Bytes that are read at a time."""

_GZIP_MAGIC = b"\x1f\x8b"
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_ZSTD_PIECE = 256
_GZIP_WINDOW = 31  # zlib's code for the largest window and a gzip header


class CaptureError(RefengineError):
    """What is wrong with a capture; `offset` is that in the decompressed content where it was found."""

    def __init__(self, message: str, offset: int = 0) -> None:
        self.offset = offset
        super().__init__(message)


def open_capture(path: Path) -> BinaryIO:
    """Open the file at `path` for reading.

    :raises BackendError: when there is no such file, it is a folder, or it must not be read.
    """
    try:
        return path.open("rb", buffering=0)
    except OSError as error:
        raise BackendError(f"cannot read the capture {path}: {error.strerror}") from error


def chunks(file: BinaryIO) -> Iterator[bytes]:
    """Yield the content of `file`, decompressed; what kind it is, its first bytes say.

    :raises BackendError: when the file needs a library that is not installed.
    :raises CaptureError: after the last good chunk, when the compressed data are broken or cut.
    """
    head = file.read(4)
    while 0 < len(head) < 4 and (more := file.read(4 - len(head))):
        head += more
    if head.startswith(_GZIP_MAGIC):
        return _gzip_chunks(file, head)
    if head == _ZSTD_MAGIC:
        return _zstd_chunks(file, head)
    return _plain_chunks(file, head)


def _plain_chunks(file: BinaryIO, head: bytes) -> Iterator[bytes]:
    if head:
        yield head
    while chunk := file.read(CHUNK):
        yield chunk


def _gzip_chunks(file: BinaryIO, head: bytes) -> Iterator[bytes]:
    compressed = head
    inflater = zlib.decompressobj(_GZIP_WINDOW)
    while compressed or (compressed := file.read(CHUNK >> 4)):
        if inflater.eof:  # gzip files may be concatenated
            inflater = zlib.decompressobj(_GZIP_WINDOW)
        try:
            chunk = inflater.decompress(compressed, CHUNK)
        except zlib.error as error:
            raise CaptureError(f"the compressed data are corrupted ({error})") from error
        compressed = inflater.unused_data if inflater.eof else inflater.unconsumed_tail
        if chunk:
            yield chunk
    if not inflater.eof:
        raise CaptureError("the compressed data end early")


def _zstd_chunks(file: BinaryIO, head: bytes) -> Iterator[bytes]:
    try:
        import zstandard
    except ImportError as error:
        raise BackendError(
            "the capture is compressed with zstd, which needs the package zstandard: "
            "pip install 'refengine[zstd]', or decompress the file with unzstd first"
        ) from error
    return _inflated_zstd(file, head, zstandard)


def _inflated_zstd(file: BinaryIO, head: bytes, zstandard: object) -> Iterator[bytes]:
    decompressor = zstandard.ZstdDecompressor()  # type: ignore[attr-defined]
    inflater = decompressor.decompressobj()
    compressed = head
    # The library gives all that a piece of input makes: four bytes may stand for 128 KiB. Small pieces bound that.
    while compressed or (compressed := file.read(_ZSTD_PIECE)):
        if inflater.eof:
            inflater = decompressor.decompressobj()
        try:
            chunk = inflater.decompress(compressed)
        except zstandard.ZstdError as error:  # type: ignore[attr-defined]
            raise CaptureError(f"the compressed data are corrupted ({error})") from error
        compressed = inflater.unused_data if inflater.eof else b""
        if chunk:
            yield chunk
    if not inflater.eof:
        raise CaptureError("the compressed data end early")
