/* Paths of open files, from the leaf up, as the kernel itself would show them. */

#define DEPTH_MAX 48
/* Where a path is only looked for quickly: the verifier goes through every pair of these. */
#define QUICK_DEPTH_MAX 14
#define QUICK_CLIMB_MAX 8

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
    if (at <= length + 1 || at > TEXT_MAX + 2)
        return false;
    at -= length + 1;
    if (at > TEXT_MAX)
        return false;
    s->path[at] = '/';
    bpf_probe_read_kernel(s->path + at + 1, length, name);
    s->at = at;
    return true;
}

/* Put the dentry that is kept in `s` and what is above it in front; return whether that is the whole.
 *
 * The state of the loop is in memory, as above.
 */
static __always_inline bool climb(struct scratch *s, u64 end, int limit)
{
    struct name_and_parent entry;

    for (int depth = 0; depth < limit; depth++) {
        u64 dentry = s->dentry, mount = s->mount;
        if (dentry == s->root) {
            u64 whole = mount - MOUNT_MNT;
            u64 above = FIELD(u64, whole, MOUNT_PARENT);
            if (above == whole || !above)
                return true;
            s->dentry = FIELD(u64, whole, MOUNT_POINT);
            s->mount = above + MOUNT_MNT;
            s->root = FIELD(u64, s->mount, VFSMOUNT_ROOT);
            continue;
        }
        bpf_probe_read_kernel(&entry, sizeof(entry), (const void *)(dentry + DENTRY_PARENT));
        if ((u64)entry.parent == dentry && s->at != end)
            return true;
        if (!prepend(s, entry.name, entry.hash_and_length >> 32))
            return false;
        if ((u64)entry.parent == dentry)
            return true;
        s->dentry = (u64)entry.parent;
    }
    return false;
}

/* Write a path into `s->path`, so that it ends at `end`; nothing for the root. Return whether it is whole. */
static __always_inline bool build_path(struct scratch *s, const char *path, u64 end)
{
    s->at = end;
    s->mount = FIELD(u64, path, PATH_MNT);
    s->dentry = FIELD(u64, path, PATH_DENTRY);
    s->root = FIELD(u64, s->mount, VFSMOUNT_ROOT);
    return climb(s, end, DEPTH_MAX);
}

/* The same for the working directory of the current thread, by plain loads as far as its mount goes. */
static __always_inline bool build_working_directory(struct scratch *s, u64 end)
{
    const char *fs = DIRECT(const char *, bpf_get_current_task_btf(), TASK_FS);
    if (!fs)
        return false;
    const char *mount = DIRECT(const char *, fs, FS_PWD + PATH_MNT);
    const char *dentry = DIRECT(const char *, fs, FS_PWD + PATH_DENTRY);
    if (!mount || !dentry)
        return false;
    s->at = end;
    s->mount = (u64)mount;
    s->root = (u64)DIRECT(const char *, mount, VFSMOUNT_ROOT);
    s->dentry = (u64)dentry;
    for (int depth = 0; depth < QUICK_DEPTH_MAX && s->dentry != s->root; depth++) {
        const char *here = dentry;
        dentry = DIRECT(const char *, here, DENTRY_PARENT);
        u64 length = DIRECT(u64, here, DENTRY_PARENT + 8) >> 32;
        if (!dentry || !prepend(s, DIRECT(const char *, here, DENTRY_PARENT + 16), length))
            return false;
        s->dentry = (u64)dentry;
    }
    return climb(s, end, QUICK_CLIMB_MAX);
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

/* An empty blob says that there is a path, and that it is deeper or longer than can be shown here. */
static __always_inline void put_path(struct scratch *s, u32 kind, u64 address, const char *path)
{
    if (!build_path(s, path, TEXT_MAX)) {
        struct blob *blob = room(s);
        if (blob)
            keep(s, blob, kind, 0, address);
        return;
    }
    if (s->at == TEXT_MAX)
        prepend(s, "", 0);
    put_built(s, kind, address);
}
