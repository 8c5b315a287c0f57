/* Executions, births and ends of processes. */

#define OVERLAY_MAGIC 0x794c7630
#define PIDTYPE_PGID 2
#define PIDTYPE_SID 3
#define SHARES_MEMORY 0x100
#define SHARES_DIRECTORY 0x200
#define SHARES_FILES 0x400
#define IS_VFORK 0x4000
#define IS_THREAD 0x10000
#define UNSET 0xffffffff

/* The number of a `struct pid` in the outermost and the innermost namespace. */
static __always_inline u32 outer_number(const char *pid)
{
    return pid ? FIELD(u32, pid, PID_NUMBERS + UPID_NR) : 0;
}

static __always_inline u32 inner_number(const char *pid)
{
    u32 level = pid ? FIELD(u32, pid, PID_LEVEL) : 0;
    if (level > 32)
        return 0;
    return pid ? FIELD(u32, pid, PID_NUMBERS + level * UPID_SIZE + UPID_NR) : 0;
}

static __always_inline u64 nanoseconds(const char *inode, u64 seconds, u64 rest)
{
    return FIELD(u64, inode, seconds) * 1000000000ULL + FIELD(u32, inode, rest);
}

static __always_inline void describe_file(struct program *found, const char *inode)
{
    found->inode = FIELD(u64, inode, INODE_NUMBER);
    found->changed = nanoseconds(inode, INODE_CTIME_SECONDS, INODE_CTIME_REST);
    found->modified = nanoseconds(inode, INODE_MTIME_SECONDS, INODE_MTIME_REST);
    found->mode = FIELD(u16, inode, INODE_MODE);
    found->owner = FIELD(u32, inode, INODE_UID);
    found->group = FIELD(u32, inode, INODE_GID);
    if (FIELD(u64, POINTER(inode, INODE_SB), SB_MAGIC) == OVERLAY_MAGIC) {
        /* The upper layer's dentry follows the inode that an overlay filesystem embeds in its own. */
        found->upper_layer = POINTER(inode, INODE_SIZE) != NULL;
        found->lower_layer = !found->upper_layer;
    }
}

static __always_inline u32 terminal(const char *signal)
{
    const char *tty = POINTER(signal, SIGNAL_TTY);
    if (!tty)
        return 0;
    const char *driver = POINTER(tty, TTY_DRIVER);
    u32 major = FIELD(u32, driver, TTY_DRIVER_MAJOR);
    u32 minor = FIELD(u32, driver, TTY_DRIVER_MINOR) + FIELD(u32, tty, TTY_INDEX);
    return (minor & 0xff) | major << 8 | (minor & ~0xff) << 12;
}

static __always_inline void describe_program(struct program *found, const char *task, const char *mm)
{
    const char *credentials = POINTER(task, TASK_CRED);
    const char *signal = POINTER(task, TASK_SIGNAL);
    const char *leader = POINTER(task, TASK_GROUP_LEADER);
    const char *group = POINTER(signal, SIGNAL_PIDS + PIDTYPE_PGID * 8);
    found->inheritable = FIELD(u64, credentials, CRED_INHERITABLE);
    found->permitted = FIELD(u64, credentials, CRED_PERMITTED);
    found->effective = FIELD(u64, credentials, CRED_EFFECTIVE);
    found->mapped = FIELD(u64, mm, MM_TOTAL);
    found->minor_faults = FIELD(u64, task, TASK_MINOR_FAULTS);
    found->major_faults = FIELD(u64, task, TASK_MAJOR_FAULTS);
    found->descriptor_limit = FIELD(u64, signal, SIGNAL_RLIM + 7 * 16);
    found->tty = terminal(signal);
    found->pgid = outer_number(group);
    found->vpgid = inner_number(group);
    found->sid = inner_number(POINTER(signal, SIGNAL_PIDS + PIDTYPE_SID * 8));
    found->vpid = inner_number(POINTER(leader, TASK_THREAD_PID));
    found->vtid = inner_number(POINTER(task, TASK_THREAD_PID));
#if TASK_LOGINUID >= 0
    found->loginuid = FIELD(u32, task, TASK_LOGINUID);
#else
    found->loginuid = UNSET;
#endif
}

static __always_inline void put_cgroups(struct scratch *s, const char *task)
{
    const char *set = POINTER(task, TASK_CGROUPS);
    put_cgroup(s, 0, POINTER(POINTER(set, CSS_SET_UNIFIED), CGROUP_NODE));
#if MEMORY_CONTROLLER >= 0
    const char *controller = POINTER(set, CSS_SET_CONTROLLERS + MEMORY_CONTROLLER * 8);
    if (controller)
        put_cgroup(s, 1, POINTER(POINTER(controller, CONTROLLER_CGROUP), CGROUP_NODE));
#endif
}

/* Count a 32-bit call by which a process or thread is born or ends; all 32-bit calls are counted elsewhere if they can. */
static __always_inline void note_32_bit_call(struct scratch *s)
{
#if !BY_RAW_TRACEPOINT
    if (is_32_bit_call())
        s->counters[CALLS_32]++;
#endif
}

RAW_TRACEPOINT_PROBE(sched_process_exec)
{
    struct scratch *s = own_scratch();
    int zero = 0;
    struct settings *chosen = settings.lookup(&zero);
    if (!s || !chosen)
        return 0;
    const char *task = (const char *)ctx->args[0];
    const char *bprm = (const char *)ctx->args[2];
    const char *mm = POINTER(task, TASK_MM);
    const char *file = POINTER(mm, MM_EXE_FILE);
    s->counters[SEEN]++;
    if (is_32_bit_call())
        s->counters[PROGRAMS_32]++;
    follow_execution(task);
    begin(s, EXECUTION);
    struct program *found = PUT_STRUCT(s, PROGRAM, 0, struct program);
    if (found) {
        describe_program(found, task, mm);
        describe_file(found, POINTER(file, FILE_INODE));
    }
    u64 start = FIELD(u64, mm, MM_ARG_START);
    put_bytes(s, ARGUMENTS, start, FIELD(u64, mm, MM_ARG_END) - start);
    put_path(s, PROGRAM_PATH, 0, file + FILE_PATH);
    put_kernel_text(s, CALLED_PATH, POINTER(bprm, BPRM_FILENAME));
    put_path(s, WORKING_DIRECTORY, 0, POINTER(task, TASK_FS) + FS_PWD);
    put_cgroups(s, task);
    if (chosen->environment) {
        start = FIELD(u64, mm, MM_ENV_START);
        put_bytes(s, ENVIRONMENT, start, FIELD(u64, mm, MM_ENV_END) - start);
    }
    send(s, ctx, 0);
    return 0;
}

RAW_TRACEPOINT_PROBE(sched_process_fork)
{
    struct scratch *s = own_scratch();
    int zero = 0;
    struct settings *chosen = settings.lookup(&zero);
    if (!s || !chosen)
        return 0;
    note_32_bit_call(s);
    const char *parent = (const char *)ctx->args[0];
    const char *task = (const char *)ctx->args[1];
    u32 pid = FIELD(u32, task, TASK_TGID);
    u32 flags = 0;
    if (pid == FIELD(u32, parent, TASK_TGID))
        flags |= IS_THREAD;
    if (!(flags & IS_THREAD))
        follow_birth(parent, pid);
    if (flags & IS_THREAD && !chosen->threads)
        return 0;
    s->counters[SEEN]++;
    begin(s, BIRTH);
    read_arguments(&s->record);
    struct child *child = PUT_STRUCT(s, CHILD, 0, struct child);
    if (child) {
        const char *number = POINTER(task, TASK_THREAD_PID);
        if (POINTER(task, TASK_MM) == POINTER(parent, TASK_MM))
            flags |= SHARES_MEMORY;
        if (POINTER(task, TASK_FS) == POINTER(parent, TASK_FS))
            flags |= SHARES_DIRECTORY;
        if (POINTER(task, TASK_FILES) == POINTER(parent, TASK_FILES))
            flags |= SHARES_FILES;
        if (POINTER(task, TASK_VFORK_DONE))
            flags |= IS_VFORK;
        child->pid = pid;
        child->tid = FIELD(u32, task, TASK_PID);
        child->vtid = inner_number(number);
        child->vpid = inner_number(POINTER(POINTER(task, TASK_GROUP_LEADER), TASK_THREAD_PID));
        child->start = FIELD(u64, task, TASK_START);
        child->flags = flags;
        child->parent = FIELD(u32, POINTER(task, TASK_REAL_PARENT), TASK_TGID);
        s->record.number = FIELD(u32, bpf_task_pt_regs((void *)bpf_get_current_task_btf()), SAVED_ORIG_AX);
        s->record.result = child->tid;
    }
    send(s, ctx, BPF_RB_NO_WAKEUP);
    return 0;
}

RAW_TRACEPOINT_PROBE(sched_process_exit)
{
    struct scratch *s = own_scratch();
    int zero = 0;
    struct settings *chosen = settings.lookup(&zero);
    if (!s || !chosen)
        return 0;
    note_32_bit_call(s);
    const char *task = (const char *)ctx->args[0];
    const char *signal = POINTER(task, TASK_SIGNAL);
    if (FIELD(s32, signal, SIGNAL_LIVE) == 0)
        follow_end(task);
    else if (!chosen->threads)
        return 0;
    s->counters[SEEN]++;
    begin(s, END);
    s->record.result = FIELD(s32, task, TASK_EXIT_CODE);
    s->record.args[0] = FIELD(s32, signal, SIGNAL_LIVE) == 0;
    send(s, ctx, chosen->threads ? 0 : BPF_RB_NO_WAKEUP);
    return 0;
}
