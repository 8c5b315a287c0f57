/* Paths of open files and of control groups, from the leaf up, as the kernel itself would show them. */

#define DEPTH_MAX 48
#define CGROUP_DEPTH_MAX 16

struct name_and_parent {
    const char *parent;
    u64 hash_and_length;
    const char *name;
};

/* Put one component in front of what has been built; return whether there was room.
 *
 * The place is kept in memory on purpose: the verifier then forgets what it knew of it, so that it need not
 * look at every iteration of the loops below anew.
 */
static __always_inline bool prepend(struct scratch *s, const char *name, u64 length)
{
    u64 at = s->at;
    if (length > 255)
        length = 255;
    if (at <= length + 1 || at > TEXT_MAX)
        return false;
    at -= length + 1;
    if (at >= TEXT_MAX)
        return false;
    s->path[at] = '/';
    bpf_probe_read_kernel(s->path + at + 1, length, name);
    s->at = at;
    return true;
}

/* Write the path of a dentry below a mount to the end of `s->path`. */
static __always_inline void build_path(struct scratch *s, const char *path)
{
    const char *mount = POINTER(path, PATH_MNT);
    const char *dentry = POINTER(path, PATH_DENTRY);
    const char *root = POINTER(mount, VFSMOUNT_ROOT);
    struct name_and_parent entry;

    s->at = TEXT_MAX;
    for (int depth = 0; depth < DEPTH_MAX; depth++) {
        if (dentry == root) {
            const char *whole = mount - MOUNT_MNT;
            const char *above = POINTER(whole, MOUNT_PARENT);
            if (above == whole || !above)
                break;
            dentry = POINTER(whole, MOUNT_POINT);
            mount = above + MOUNT_MNT;
            root = POINTER(mount, VFSMOUNT_ROOT);
            continue;
        }
        bpf_probe_read_kernel(&entry, sizeof(entry), dentry + DENTRY_PARENT);
        if (entry.parent == dentry && s->at != TEXT_MAX)
            break;
        if (!prepend(s, entry.name, entry.hash_and_length >> 32))
            break;
        if (entry.parent == dentry)
            break;
        dentry = entry.parent;
    }
    if (s->at == TEXT_MAX)
        prepend(s, "", 0);
}

static __always_inline void put_built(struct scratch *s, u32 kind, u64 address)
{
    struct blob *blob = room(s);
    u64 at = s->at;
    if (!blob || at >= TEXT_MAX)
        return;
    u64 length = TEXT_MAX - at;
    if (length > TEXT_MAX || bpf_probe_read_kernel(blob + 1, length, s->path + at))
        return;
    keep(s, blob, kind, length, address);
}

static __always_inline void put_path(struct scratch *s, u32 kind, u64 address, const char *path)
{
    build_path(s, path);
    put_built(s, kind, address);
}

static __always_inline void put_cgroup(struct scratch *s, u64 which, const char *node)
{
    s->at = TEXT_MAX;
    for (int depth = 0; depth < CGROUP_DEPTH_MAX && node; depth++) {
        const char *above = POINTER(node, KERNFS_PARENT);
        if (!above)
            break;
        /* Names of control groups have no length of their own. */
        struct blob *blob = room(s);
        if (!blob)
            return;
        long length = bpf_probe_read_kernel_str(blob + 1, 256, POINTER(node, KERNFS_NAME));
        if (length <= 1)
            break;
        if (!prepend(s, (const char *)(blob + 1), (length - 1) & 255))
            return;
        node = above;
    }
    if (s->at == TEXT_MAX)
        prepend(s, "", 0);
    put_built(s, CGROUP, which);
}
