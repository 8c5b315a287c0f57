/* Which processes may be in containers, for prefilters: all others are on the host for certain.
 *
 * The rules see the control groups that a process had at its last execution, or that its maker had. So it is marked
 * for good at its birth if its maker is, and at each execution if its control groups then are like those of a
 * container; user space marks those that it finds in `/proc`. A mark too many only lets events pass.
 */

#define CGROUP_DEPTH_MAX 16
#define CONTAINED_MAX 32768
#define GROUP_NAME_READ (GROUP_NAME_LONG + 8) /* as much of a control group's name as is looked at */

/* What is true of the set: that all who were there have been looked at, and that somebody found no room in it. */
enum condition { COMPLETE = 0, OVERFULL = 1 };

BPF_HASH(contained, u32, u8, CONTAINED_MAX);
BPF_ARRAY(containers, u32, 2);

static __always_inline bool is_complete(void)
{
    int complete = COMPLETE, overfull = OVERFULL;
    u32 *has_all = containers.lookup(&complete), *lacks_some = containers.lookup(&overfull);
    return has_all && lacks_some && *has_all && !*lacks_some;
}

/* Whether the current process is certain to be in no container. */
static __always_inline bool is_on_host(void)
{
    u32 pid = bpf_get_current_pid_tgid() >> 32;
    return is_complete() && !contained.lookup(&pid);
}

static __always_inline void mark_contained(u32 pid)
{
    u8 marked = 1;
    int overfull = OVERFULL;
    u32 yes = 1;
    if (contained.update(&pid, &marked))
        containers.update(&overfull, &yes);
}

/* Whether a control group or one above it has a name as runtimes give them. */
static __always_inline bool is_like_a_container(const char *node)
{
    union {
        char text[GROUP_NAME_READ];
        u64 words[2];
    } name;

    for (int depth = 0; depth < CGROUP_DEPTH_MAX; depth++) {
        const char *above = node ? POINTER(node, KERNFS_PARENT) : NULL;
        if (!above)
            return false;
        name.words[0] = name.words[1] = 0;
        long size = bpf_probe_read_kernel_str(name.text, sizeof(name.text), POINTER(node, KERNFS_NAME));
        if (size < 1 || is_name_of_container(name.words[0], name.words[1], size - 1))
            return true;
        node = above;
    }
    return true;
}

static __always_inline bool may_be_contained(const char *task)
{
    const char *set = POINTER(task, TASK_CGROUPS);
    if (is_like_a_container(POINTER(POINTER(set, CSS_SET_UNIFIED), CGROUP_NODE)))
        return true;
#if MEMORY_CONTROLLER >= 0
    const char *controller = POINTER(set, CSS_SET_CONTROLLERS + MEMORY_CONTROLLER * 8);
    if (controller && is_like_a_container(POINTER(POINTER(controller, CONTROLLER_CGROUP), CGROUP_NODE)))
        return true;
#endif
    return false;
}

/* Put the path of a control group; note in `s` whether it or one above it may be a container's. */
static __always_inline void put_cgroup(struct scratch *s, u64 which, const char *node)
{
    s->at = TEXT_MAX;
    for (int depth = 0; depth < CGROUP_DEPTH_MAX; depth++) {
        const char *above = node ? POINTER(node, KERNFS_PARENT) : NULL;
        struct blob *blob = room(s);
        if (!blob)
            break;
        if (!above) {
            if (s->at == TEXT_MAX)
                prepend(s, "", 0);
            return put_built(s, CGROUP, which);
        }
        /* Names of control groups have no length of their own. */
        u64 *words = (u64 *)(blob + 1);
        words[0] = words[1] = 0;
        long size = bpf_probe_read_kernel_str(words, 256, POINTER(node, KERNFS_NAME));
        if (size <= 1 || !prepend(s, (const char *)words, (size - 1) & 255))
            break;
        s->contained |= is_name_of_container(words[0], words[1], size - 1);
        node = above;
    }
    s->contained = true;
}

/* Put the control groups of the current process, which executes a program, and mark it if need be. */
static __always_inline void put_cgroups(struct scratch *s, const char *task)
{
    const char *set = POINTER(task, TASK_CGROUPS);

    s->contained = false;
    put_cgroup(s, 0, POINTER(POINTER(set, CSS_SET_UNIFIED), CGROUP_NODE));
#if MEMORY_CONTROLLER >= 0
    const char *controller = POINTER(set, CSS_SET_CONTROLLERS + MEMORY_CONTROLLER * 8);
    if (controller)
        put_cgroup(s, 1, POINTER(POINTER(controller, CONTROLLER_CGROUP), CGROUP_NODE));
#endif
    if (s->contained)
        mark_contained(DIRECT(u32, task, TASK_TGID));
}

static __always_inline void follow_birth(const char *maker, u32 pid)
{
    u32 its = DIRECT(u32, maker, TASK_TGID);
    /* While user space is still looking who is there, it may not have come to the maker. */
    if (contained.lookup(&its) || (!is_complete() && may_be_contained(maker)))
        mark_contained(pid);
}

static __always_inline void follow_end(const char *task)
{
    u32 pid = DIRECT(u32, task, TASK_TGID);
    contained.delete(&pid);
}
