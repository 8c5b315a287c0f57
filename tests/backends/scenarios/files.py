"""Files that are opened, in all forms, and folders that change."""

from __future__ import annotations

from tests.backends.scenarios.scenario import (
    AS_GIVEN,
    BOTH_WAYS,
    FAILURE,
    FLAGS,
    IO_URING,
    KERNEL_FILES,
    NAMELESS,
    PATH_ONLY,
    Scenario,
)

OPENS = "evt.type in (open, openat, openat2)"
WRITTEN = f"{OPENS} and evt.is_open_write = true and fd.typechar = f and fd.num >= 0"
READ = f"{OPENS} and evt.is_open_read = true and fd.typechar = f and fd.num >= 0"

RING = """
import mmap
params = (ctypes.c_uint32 * 30)()
ring = libc.syscall(425, 4, ctypes.byref(params))
if ring < 0:
    sys.exit(0)
sq_head, sq_tail, sq_mask, sq_entries, sq_flags, sq_dropped, sq_array = params[10:17]
cells = mmap.mmap(ring, sq_array + 4 * params[0], offset=0)
entries = mmap.mmap(ring, 64 * params[0], offset=0x10000000)
path = ctypes.create_string_buffer(b"{folder}/a")
entries[0:64] = struct.pack("=BBHiQQIIQ24x", 18, 0, 0, -100, 0, ctypes.addressof(path), 0, os.O_RDONLY, 1)
cells[sq_array:sq_array + 4] = struct.pack("=I", 0)
cells[sq_tail:sq_tail + 4] = struct.pack("=I", 1)
libc.syscall(426, ring, 1, 1, 1, None, 0)
"""

FILES = (
    Scenario(
        "open for writing",
        "echo x > {folder}/a",
        f"{WRITTEN} and fd.name = {{folder}}/a",
        ("fd.name", "proc.name"),
        (("{folder}/a", "sh"),),
    ),
    Scenario(
        "open for reading",
        "cat {folder}/a",
        f"{READ} and fd.name = {{folder}}/a",
        ("fd.name", "proc.name"),
        (("{folder}/a", "cat"),),
    ),
    Scenario(
        "open both ways",
        "os.close(os.open('a', os.O_RDWR))",
        f"{READ} and evt.is_open_write = true and fd.name = {{folder}}/a",
        ("fd.name",),
        (("{folder}/a",),),
        "python",
        frozenset({BOTH_WAYS}),
    ),
    Scenario(
        "a file that stays open",
        "os.open('a', os.O_RDWR); import time; time.sleep(2)",
        f"{READ} and evt.is_open_write = true and fd.name = {{folder}}/a",
        ("fd.name",),
        (("{folder}/a",),),
        "python",
    ),
    Scenario(
        "append",
        "echo x >> {folder}/a",
        f"{WRITTEN} and fd.name = {{folder}}/a and evt.arg.flags contains O_APPEND",
        ("fd.name",),
        (("{folder}/a",),),
        traits=frozenset({FLAGS}),
    ),
    Scenario(
        "truncate at opening",
        ": > {folder}/a",
        f"{WRITTEN} and fd.name = {{folder}}/a and evt.arg.flags contains O_TRUNC",
        ("fd.name",),
        (("{folder}/a",),),
        traits=frozenset({FLAGS}),
    ),
    Scenario(
        "create a file",
        "echo x > {folder}/new",
        f"{OPENS} and evt.is_open_create = true and fd.name = {{folder}}/new",
        ("fd.name",),
        (("{folder}/new",),),
    ),
    Scenario(
        "open an existing file with O_CREAT",
        "echo x > {folder}/a",
        f"{OPENS} and evt.is_open_create = true and fd.name = {{folder}}/a",
        ("fd.name",),
        (),
    ),
    Scenario(
        "a relative path",
        "cd sub; echo x > ../b",
        f"{WRITTEN} and fd.name = {{folder}}/b",
        ("fd.name", "fd.filename", "fd.directory"),
        (("{folder}/b", "b", "{folder}"),),
    ),
    Scenario(
        "a path from a folder's descriptor",
        "at = os.open('sub', os.O_RDONLY); os.close(os.open('c', os.O_WRONLY | os.O_CREAT, dir_fd=at))",
        f"{WRITTEN} and fd.name = {{folder}}/sub/c",
        ("fd.name",),
        (("{folder}/sub/c",),),
        "python",
    ),
    Scenario(
        "a path with dots",
        "cat {folder}/sub/.././a",
        f"{READ} and fd.name = {{folder}}/a",
        ("fd.name",),
        (("{folder}/a",),),
    ),
    Scenario(
        "through a symbolic link",
        "cat {folder}/link",
        f"{READ} and fd.name = {{folder}}/link",
        ("fd.name",),
        (("{folder}/link",),),
        traits=frozenset({AS_GIVEN}),
    ),
    Scenario(
        "a name with blanks and quotes",
        'echo x > "{folder}/it\'s one"',
        f'{WRITTEN} and fd.name = "{{folder}}/it\'s one"',
        ("fd.name",),
        (("{folder}/it's one",),),
    ),
    Scenario(
        "a name that is not ASCII",
        "echo x > {folder}/größe",
        f"{WRITTEN} and fd.name = {{folder}}/größe",
        ("fd.filename",),
        (("größe",),),
    ),
    Scenario(
        "a folder is opened",
        "os.close(os.open('sub', os.O_RDONLY | os.O_DIRECTORY))",
        f"{OPENS} and evt.is_open_read = true and fd.typechar = d and fd.name = {{folder}}/sub",
        ("fd.name", "fd.type"),
        (("{folder}/sub", "directory"),),
        "python",
    ),
    Scenario(
        "a place is opened",
        "os.close(os.open('a', os.O_PATH))",
        f"{OPENS} and fd.name = {{folder}}/a",
        ("fd.name",),
        (("{folder}/a",),),
        "python",
        frozenset({PATH_ONLY}),
    ),
    Scenario(
        "a file without a name",
        "os.close(os.open('{folder}', os.O_TMPFILE | os.O_RDWR))",
        f"{OPENS} and fd.name = {{folder}} and evt.arg.flags contains O_TMPFILE",
        ("fd.name",),
        (("{folder}",),),
        "python",
        frozenset({NAMELESS, FLAGS}),
    ),
    Scenario(
        "a file that is not there",
        "cat {folder}/missing",
        f"{OPENS} and evt.res = ENOENT and fd.name = {{folder}}/missing",
        ("fd.name", "evt.res"),
        (("{folder}/missing", "ENOENT"),),
        traits=frozenset({FAILURE}),
    ),
    Scenario(
        "writing to a folder",
        "echo x > {folder}/sub",
        f"{OPENS} and evt.failed = true and fd.name = {{folder}}/sub",
        ("evt.res",),
        (("EISDIR",),),
        traits=frozenset({FAILURE}),
    ),
    Scenario(
        "openat2",
        "path = ctypes.create_string_buffer(b'{folder}/a'); how = struct.pack('=QQQ', os.O_RDONLY, 0, 0); libc.syscall(437, -100, path, how, 24)",
        "evt.type = openat2 and fd.name = {folder}/a",
        ("evt.type", "fd.name"),
        (("openat2", "{folder}/a"),),
        "python",
    ),
    Scenario(
        "creat",
        "path = ctypes.create_string_buffer(b'{folder}/new'); libc.syscall(85, path, 0o600)",
        "evt.type = creat and fd.name = {folder}/new",
        ("evt.type", "evt.arg.mode"),
        (("creat", "0600"),),
        "python",
    ),
    Scenario(
        "a thread opens a file",
        "import threading; t = threading.Thread(target=lambda: os.close(os.open('a', os.O_RDONLY))); t.start(); t.join()",
        f"{READ} and fd.name = {{folder}}/a",
        ("fd.name", "thread.ismain"),
        (("{folder}/a", "false"),),
        "python",
    ),
    Scenario(
        "two programs and one file",
        "cat {folder}/a; head -n1 {folder}/a",
        f"{READ} and fd.name = {{folder}}/a",
        ("proc.name",),
        (("cat",), ("head",)),
    ),
    Scenario(
        "redirection before a program",
        "cat < {folder}/a > {folder}/b",
        f"{OPENS} and fd.name in ({{folder}}/a, {{folder}}/b)",
        ("fd.name", "evt.is_open_write"),
        (("{folder}/a", "false"), ("{folder}/b", "true")),
    ),
    Scenario(
        "one of the kernel's files",
        "cat /proc/version",
        f"{READ} and fd.name = /proc/version",
        ("fd.name",),
        (("/proc/version",),),
        traits=frozenset({KERNEL_FILES}),
    ),
    Scenario(
        "a device",
        "echo x > /dev/null; cat /dev/zero | head -c1",
        f"{OPENS} and fd.name in (/dev/null, /dev/zero)",
        ("fd.name", "evt.is_open_write"),
        (("/dev/null", "true"), ("/dev/zero", "false")),
    ),
    Scenario(
        "an open by io_uring",
        RING,
        f"{OPENS} and fd.name = {{folder}}/a",
        ("fd.name",),
        (("{folder}/a",),),
        "python",
        frozenset({IO_URING}),
    ),
    Scenario(
        "make a folder",
        "mkdir {folder}/new",
        "evt.type in (mkdir, mkdirat) and fs.path.name = {folder}/new",
        ("fs.path.name", "proc.name"),
        (("{folder}/new", "mkdir"),),
    ),
    Scenario(
        "remove a folder",
        "rmdir {folder}/sub",
        "evt.type in (rmdir, unlinkat) and fs.path.name = {folder}/sub",
        ("fs.path.name", "proc.name"),
        (("{folder}/sub", "rmdir"),),
    ),
    Scenario(
        "remove a file",
        "rm {folder}/a",
        "evt.type in (unlink, unlinkat) and fs.path.name = {folder}/a",
        ("fs.path.name", "proc.name"),
        (("{folder}/a", "rm"),),
    ),
    Scenario(
        "remove a file that is not there",
        "try: os.unlink('{folder}/missing')\nexcept OSError: pass",
        "evt.type in (unlink, unlinkat) and evt.res = ENOENT and evt.args contains {folder}/missing",
        ("evt.res",),
        (("ENOENT",),),
        "python",
        frozenset({FAILURE}),
    ),
    Scenario(
        "rename a file",
        "mv {folder}/a {folder}/b",
        "evt.type in (rename, renameat, renameat2) and fs.path.source = {folder}/a",
        ("fs.path.source", "fs.path.target"),
        (("{folder}/a", "{folder}/b"),),
    ),
    Scenario(
        "rename a folder and write in it",
        "mv {folder}/sub {folder}/dir; echo x > {folder}/dir/f",
        f"{WRITTEN} and fd.name = {{folder}}/dir/f",
        ("fd.name",),
        (("{folder}/dir/f",),),
    ),
    Scenario(
        "a hard link",
        "ln {folder}/a {folder}/b",
        "evt.type in (link, linkat) and fs.path.target = {folder}/a",
        ("fs.path.source", "fs.path.target"),
        (("{folder}/b", "{folder}/a"),),
    ),
    Scenario(
        "a symbolic link",
        "ln -s /etc/passwd {folder}/b",
        "evt.type in (symlink, symlinkat) and evt.arg.target = /etc/passwd",
        ("evt.arg.target", "proc.name"),
        (("/etc/passwd", "ln"),),
    ),
    Scenario(
        "change the mode",
        "chmod 4755 {folder}/a",
        "evt.type in (chmod, fchmodat) and evt.arg.mode contains S_ISUID and fs.path.name = {folder}/a",
        ("fs.path.name", "proc.name"),
        (("{folder}/a", "chmod"),),
    ),
    Scenario(
        "change the mode by a descriptor",
        "os.fchmod(os.open('a', os.O_RDONLY), 0o700)",
        "evt.type = fchmod and fd.name = {folder}/a",
        ("fd.name", "evt.arg.mode"),
        (("{folder}/a", "S_IXUSR|S_IWUSR|S_IRUSR"),),
        "python",
    ),
    Scenario(
        "change the mode of nothing",
        "try: os.chmod('{folder}/missing', 0o600)\nexcept OSError: pass",
        "evt.type in (chmod, fchmodat) and evt.failed = true and evt.res = ENOENT",
        ("evt.res",),
        (("ENOENT",),),
        runs="python",
        traits=frozenset({FAILURE}),
    ),
    Scenario(
        "change the owner",
        "os.chown('{folder}/a', os.getuid(), os.getgid())",
        "evt.type in (chown, lchown, fchownat) and evt.res = SUCCESS and evt.args contains {folder}/a",
        ("evt.res",),
        (("SUCCESS",),),
        "python",
    ),
    Scenario(
        "a named pipe",
        "mkfifo {folder}/pipe",
        "evt.type in (mknod, mknodat) and evt.args contains {folder}/pipe",
        ("proc.name",),
        (("mkfifo",),),
    ),
)
"""The scenarios of this kind."""
