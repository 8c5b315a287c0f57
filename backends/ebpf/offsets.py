"""The kernel structures that the program reads, and where their members are on the running kernel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from refengine.backends.ebpf.btf import KernelTypes, TypesError

ABSENT: Final = -1

_MEMBERS: Final[Mapping[str, tuple[str, ...]]] = {
    "TASK_CRED": ("task_struct.cred",),
    "TASK_STATUS": ("task_struct.thread_info.status",),
    "TASK_GROUP_LEADER": ("task_struct.group_leader",),
    "TASK_START": ("task_struct.start_boottime", "task_struct.real_start_time"),
    "TASK_REAL_PARENT": ("task_struct.real_parent",),
    "TASK_TGID": ("task_struct.tgid",),
    "TASK_PID": ("task_struct.pid",),
    "TASK_FILES": ("task_struct.files",),
    "TASK_FS": ("task_struct.fs",),
    "TASK_MM": ("task_struct.mm",),
    "TASK_SIGNAL": ("task_struct.signal",),
    "TASK_THREAD_PID": ("task_struct.thread_pid",),
    "TASK_VFORK_DONE": ("task_struct.vfork_done",),
    "TASK_EXIT_CODE": ("task_struct.exit_code",),
    "TASK_CGROUPS": ("task_struct.cgroups",),
    "TASK_MINOR_FAULTS": ("task_struct.min_flt",),
    "TASK_MAJOR_FAULTS": ("task_struct.maj_flt",),
    "CRED_EUID": ("cred.euid",),
    "CRED_INHERITABLE": ("cred.cap_inheritable",),
    "CRED_PERMITTED": ("cred.cap_permitted",),
    "CRED_EFFECTIVE": ("cred.cap_effective",),
    "SIGNAL_LIVE": ("signal_struct.live",),
    "SIGNAL_TTY": ("signal_struct.tty",),
    "SIGNAL_PIDS": ("signal_struct.pids",),
    "SIGNAL_RLIM": ("signal_struct.rlim",),
    "PID_LEVEL": ("pid.level",),
    "PID_NUMBERS": ("pid.numbers",),
    "UPID_NR": ("upid.nr",),
    "TTY_DRIVER": ("tty_struct.driver",),
    "TTY_INDEX": ("tty_struct.index",),
    "TTY_DRIVER_MAJOR": ("tty_driver.major",),
    "TTY_DRIVER_MINOR": ("tty_driver.minor_start",),
    "MM_EXE_FILE": ("mm_struct.exe_file",),
    "MM_ARG_START": ("mm_struct.arg_start",),
    "MM_ARG_END": ("mm_struct.arg_end",),
    "MM_ENV_START": ("mm_struct.env_start",),
    "MM_ENV_END": ("mm_struct.env_end",),
    "MM_TOTAL": ("mm_struct.total_vm",),
    "BPRM_FILENAME": ("linux_binprm.filename",),
    "FS_PWD": ("fs_struct.pwd",),
    "FILES_FDT": ("files_struct.fdt",),
    "FDT_MAX": ("fdtable.max_fds",),
    "FDT_FD": ("fdtable.fd",),
    "FILE_PATH": ("file.f_path", "file.__f_path"),
    "FILE_INODE": ("file.f_inode",),
    "FILE_FLAGS": ("file.f_flags",),
    "FILE_MODE": ("file.f_mode",),
    "FILE_PRIVATE": ("file.private_data",),
    "PATH_MNT": ("path.mnt",),
    "PATH_DENTRY": ("path.dentry",),
    "VFSMOUNT_ROOT": ("vfsmount.mnt_root",),
    "MOUNT_MNT": ("mount.mnt",),
    "MOUNT_PARENT": ("mount.mnt_parent",),
    "MOUNT_POINT": ("mount.mnt_mountpoint",),
    "DENTRY_PARENT": ("dentry.d_parent",),
    "DENTRY_NAME": ("dentry.d_shortname", "dentry.d_iname"),
    "INODE_MODE": ("inode.i_mode",),
    "INODE_NUMBER": ("inode.i_ino",),
    "INODE_SB": ("inode.i_sb",),
    "INODE_UID": ("inode.i_uid",),
    "INODE_GID": ("inode.i_gid",),
    "INODE_CTIME_SECONDS": ("inode.i_ctime_sec", "inode.__i_ctime.tv_sec", "inode.i_ctime.tv_sec"),
    "INODE_CTIME_REST": ("inode.i_ctime_nsec", "inode.__i_ctime.tv_nsec", "inode.i_ctime.tv_nsec"),
    "INODE_MTIME_SECONDS": ("inode.i_mtime_sec", "inode.__i_mtime.tv_sec", "inode.i_mtime.tv_sec"),
    "INODE_MTIME_REST": ("inode.i_mtime_nsec", "inode.__i_mtime.tv_nsec", "inode.i_mtime.tv_nsec"),
    "SB_DEVICE": ("super_block.s_dev",),
    "SB_MAGIC": ("super_block.s_magic",),
    "SOCKET_SK": ("socket.sk",),
    "SOCK_FAMILY": ("sock.__sk_common.skc_family",),
    "SOCK_TYPE": ("sock.sk_type",),
    "SOCK_PROTOCOL": ("sock.sk_protocol",),
    "SOCK_STATE": ("sock.__sk_common.skc_state",),
    "SOCK_LOCAL4": ("sock.__sk_common.skc_rcv_saddr",),
    "SOCK_PEER4": ("sock.__sk_common.skc_daddr",),
    "SOCK_LOCAL6": ("sock.__sk_common.skc_v6_rcv_saddr",),
    "SOCK_PEER6": ("sock.__sk_common.skc_v6_daddr",),
    "SOCK_LOCAL_PORT": ("sock.__sk_common.skc_num",),
    "SOCK_PEER_PORT": ("sock.__sk_common.skc_dport",),
    "UNIX_ADDRESS": ("unix_sock.addr",),
    "UNIX_PEER_SOCK": ("unix_sock.peer",),
    "UNIX_ADDRESS_LENGTH": ("unix_address.len",),
    "UNIX_ADDRESS_NAME": ("unix_address.name",),
    "CSS_SET_UNIFIED": ("css_set.dfl_cgrp",),
    "CSS_SET_CONTROLLERS": ("css_set.subsys",),
    "CONTROLLER_CGROUP": ("cgroup_subsys_state.cgroup",),
    "CGROUP_NODE": ("cgroup.kn",),
    "KERNFS_PARENT": ("kernfs_node.__parent", "kernfs_node.parent"),
    "KERNFS_NAME": ("kernfs_node.name",),
}
"""Each constant of the program, and the members that it may be the offset of, the newest kernel's first."""

_SIZES: Final[Mapping[str, str]] = {"INODE_SIZE": "inode", "UPID_SIZE": "upid"}
_OPTIONAL_MEMBERS: Final[Mapping[str, str]] = {"TASK_LOGINUID": "task_struct.loginuid"}
_OPTIONAL_CONSTANTS: Final[Mapping[str, str]] = {"MEMORY_CONTROLLER": "memory_cgrp_id"}


def find_offsets(types: KernelTypes) -> dict[str, int]:
    """Return the value of every constant; what a kernel may be built without is `ABSENT` where it is.

    :raises TypesError: when the kernel lacks something else, which the message names.
    """
    found = {name: _first(types, paths) for name, paths in _MEMBERS.items()}
    found.update((name, types.size(struct)) for name, struct in _SIZES.items())
    for name, path in _OPTIONAL_MEMBERS.items():
        try:
            found[name] = types.offset(path)
        except TypesError:
            found[name] = ABSENT
    for name, constant in _OPTIONAL_CONSTANTS.items():
        try:
            found[name] = types.constant(constant)
        except TypesError:
            found[name] = ABSENT
    return found


def _first(types: KernelTypes, paths: tuple[str, ...]) -> int:
    for path in paths[:-1]:
        try:
            return types.offset(path)
        except TypesError:
            continue
    return types.offset(paths[-1])
