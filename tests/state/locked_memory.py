"""A process whose memory nobody can read: `python locked_memory.py FOLDER SECONDS`, as root.

It serves a filesystem of one file, whose content and status never come. One process reads the file and so has its first
page locked; another maps it past the cache, for which the kernel waits for that page with the lock of the process's
memory held. The number of that process and of its descriptor of the file are written to standard output. All of it ends
after the seconds given.
"""

import ctypes
import os
import select
import signal
import struct
import sys
import time

INIT, LOOKUP, GETATTR, OPEN, READ = 26, 1, 3, 14, 15
FORGET = (2, 42)
KEEP_CACHE, DIRECT = 2, 1
ROOT, FILE = 1, 2
SIZE = 1 << 20

libc = ctypes.CDLL(None, use_errno=True)


def attributes(node: int) -> bytes:
    mode = 0o40755 if node == ROOT else 0o100755
    return struct.pack("=6Q10I", node, SIZE, 8, 0, 0, 0, 0, 0, 0, mode, 1, 0, 0, 0, 4096, 0)


def serve(device: int, seconds: float) -> None:
    end = time.monotonic() + seconds
    opened = 0
    while time.monotonic() < end:
        if not select.select([device], [], [], 0.05)[0]:
            continue
        operation, unique, node = struct.unpack_from("=4xIQQ", os.read(device, 1 << 18))
        error, answer = 0, b""
        if operation in (READ, *FORGET) or (operation == GETATTR and node == FILE):
            continue
        if operation == INIT:
            answer = struct.pack("=IIIIHHIIHHI28x", 7, 31, 0, 0, 12, 10, 1 << 16, 1, 0, 0, 0)
        elif operation == LOOKUP:
            answer = struct.pack("=QQQQII", FILE, 0, 1 << 30, 0, 0, 0) + attributes(FILE)
        elif operation == GETATTR:
            answer = struct.pack("=QII", 1 << 30, 0, 0) + attributes(node)
        elif operation == OPEN:
            answer = struct.pack("=QII", 1, DIRECT if opened else KEEP_CACHE, 0)
            opened += 1
        else:
            error = -38
        os.write(device, struct.pack("=IiQ", 16 + len(answer), error, unique) + answer)
    os._exit(0)


def main(folder: str, seconds: float) -> None:
    device = os.open("/dev/fuse", os.O_RDWR)
    options = f"fd={device},rootmode=40000,user_id=0,group_id=0,allow_other"
    if libc.mount(b"locked", folder.encode(), b"fuse", 0, options.encode()) != 0:
        sys.exit(os.strerror(ctypes.get_errno()))
    if os.fork() == 0:
        serve(device, seconds)
    os.close(device)
    first = os.open(f"{folder}/file", os.O_RDONLY)
    second = os.open(f"{folder}/file", os.O_RDONLY)
    libc.umount2(folder.encode(), 2)
    if os.fork() == 0:
        try:
            os.pread(first, 10, 0)
        finally:
            os._exit(0)
    time.sleep(0.2)
    os.write(1, f"{os.getpid()} {second}\n".encode())
    libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
    libc.mmap(None, 4096, 1, 2, second, 0)
    signal.pause()


main(sys.argv[1], float(sys.argv[2]))
