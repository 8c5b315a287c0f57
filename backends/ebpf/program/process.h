/* Executions, births and ends of processes. At all of them the current thread is the one that executes, makes or ends. */

#define OVERLAY_MAGIC 0x794c7630
#define PIDTYPE_PGID 2
#define PIDTYPE_SID 3
#define SHARES_MEMORY 0x100
#define SHARES_DIRECTORY 0x200
#define SHARES_FILES 0x400
#define IS_VFORK 0x4000
#define IS_THREAD 0x10000
#define UNSET 0xffffffff

/* The number of a `struct pid` in a namespace, the outermost one being of level 0. */
static __always_inline u32 number_at(const char *pid, u32 level)
{
    if (!pid || level > 32)
        return 0;
    return FIELD(u32, pid, PID_NUMBERS + level * UPID_SIZE + UPID_NR);
}

/* The same in its innermost one. */
static __always_inline u32 inner_number(const char *pid)
{
    return number_at(pid, pid ? FIELD(u32, pid, PID_LEVEL) : 0);
}

static __always_inline u64 nanoseconds(const char *inode, u64 seconds, u64 rest)
{
    return DIRECT(u64, inode, seconds) * 1000000000ULL + DIRECT(u32, inode, rest);
}

static __always_inline void describe_file(struct program *found, const char *inode)
{
    if (!inode)
        return;
    found->inode = DIRECT(u64, inode, INODE_NUMBER);
    found->changed = nanoseconds(inode, INODE_CTIME_SECONDS, INODE_CTIME_REST);
    found->modified = nanoseconds(inode, INODE_MTIME_SECONDS, INODE_MTIME_REST);
    found->mode = DIRECT(u16, inode, INODE_MODE);
    found->owner = DIRECT(u32, inode, INODE_UID);
    found->group = DIRECT(u32, inode, INODE_GID);
    if (FIELD(u64, POINTER(inode, INODE_SB), SB_MAGIC) == OVERLAY_MAGIC) {
        /* The upper layer's dentry follows the inode that an overlay filesystem embeds in its own. */
        found->upper_layer = POINTER(inode, INODE_SIZE) != NULL;
        found->lower_layer = !found->upper_layer;
    }
}

static __always_inline u32 terminal(const char *tty)
{
    if (!tty)
        return 0;
    const char *driver = POINTER(tty, TTY_DRIVER);
    u32 major = FIELD(u32, driver, TTY_DRIVER_MAJOR);
    u32 minor = FIELD(u32, driver, TTY_DRIVER_MINOR) + FIELD(u32, tty, TTY_INDEX);
    return (minor & 0xff) | major << 8 | (minor & ~0xff) << 12;
}

/* The numbers of the current process and its groups, as it sees them itself. */
static __always_inline void describe_numbers(struct program *found, const char *task, const char *signal)
{
    const char *own = POINTER(task, TASK_THREAD_PID);
    const char *group = POINTER(signal, SIGNAL_PIDS + PIDTYPE_PGID * 8);
    const char *session = POINTER(signal, SIGNAL_PIDS + PIDTYPE_SID * 8);
    found->pgid = number_at(group, 0);
    if (!FIELD(u32, own, PID_LEVEL)) {
        /* Not in a namespace of its own, where there would be other numbers. */
        found->vpgid = found->pgid;
        found->sid = number_at(session, 0);
        found->vpid = DIRECT(u32, task, TASK_TGID);
        found->vtid = DIRECT(u32, task, TASK_PID);
        return;
    }
    found->vpgid = inner_number(group);
    found->sid = inner_number(session);
    found->vpid = inner_number(POINTER(POINTER(task, TASK_GROUP_LEADER), TASK_THREAD_PID));
    found->vtid = inner_number(own);
}

static __always_inline void describe_program(struct program *found, const char *task, const char *mm)
{
    const char *credentials = NEXT(task, TASK_CRED);
    const char *signal = NEXT(task, TASK_SIGNAL);
    if (!credentials || !signal)
        return;
    found->inheritable = DIRECT(u64, credentials, CRED_INHERITABLE);
    found->permitted = DIRECT(u64, credentials, CRED_PERMITTED);
    found->effective = DIRECT(u64, credentials, CRED_EFFECTIVE);
    found->mapped = DIRECT(u64, mm, MM_TOTAL);
    found->minor_faults = DIRECT(u64, task, TASK_MINOR_FAULTS);
    found->major_faults = DIRECT(u64, task, TASK_MAJOR_FAULTS);
    found->descriptor_limit = DIRECT(u64, signal, SIGNAL_RLIM + 7 * 16);
    found->tty = terminal(POINTER(signal, SIGNAL_TTY));
    describe_numbers(found, task, signal);
#if TASK_LOGINUID >= 0
    found->loginuid = DIRECT(u32, task, TASK_LOGINUID);
#else
    found->loginuid = UNSET;
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
    const char *task = (const char *)bpf_get_current_task_btf();
    const char *bprm = (const char *)ctx->args[2];
    const char *mm = NEXT(task, TASK_MM);
    const char *file = mm ? NEXT(mm, MM_EXE_FILE) : NULL;
    if (!file)
        return 0; /* a program has both */
    s->counters[SEEN]++;
    if (is_32_bit_call())
        s->counters[PROGRAMS_32]++;
    begin(s, EXECUTION);
    struct program *found = PUT_STRUCT(s, PROGRAM, 0, struct program);
    if (found) {
        describe_program(found, task, mm);
        describe_file(found, NEXT(file, FILE_INODE));
    }
    u64 start = DIRECT(u64, mm, MM_ARG_START);
    put_bytes(s, ARGUMENTS, start, DIRECT(u64, mm, MM_ARG_END) - start);
    put_path(s, PROGRAM_PATH, 0, file + FILE_PATH);
    put_kernel_text(s, CALLED_PATH, POINTER(bprm, BPRM_FILENAME));
    put_path(s, WORKING_DIRECTORY, 0, POINTER(task, TASK_FS) + FS_PWD);
    put_cgroups(s, task);
    if (chosen->environment) {
        start = DIRECT(u64, mm, MM_ENV_START);
        put_bytes(s, ENVIRONMENT, start, DIRECT(u64, mm, MM_ENV_END) - start);
    }
    send(s, ctx, 0);
    return 0;
}

/* Whether a thread that is being made is one of the maker's process. (Asked anew each time, as the verifier would follow
 * an answer that is kept through all that comes after.) */
static __always_inline bool is_thread_of(const char *maker, u32 pid)
{
    return pid == DIRECT(u32, maker, TASK_TGID);
}

static __always_inline void describe_child(struct child *child, const char *task, u32 pid, const char *maker)
{
    const char *parent = POINTER(task, TASK_REAL_PARENT);
    child->pid = child->tid = pid;
    child->vpid = child->vtid = inner_number(POINTER(task, TASK_THREAD_PID));
    if (is_thread_of(maker, pid)) {
        child->flags |= IS_THREAD;
        child->tid = FIELD(u32, task, TASK_PID);
        child->vpid = inner_number(POINTER(POINTER(task, TASK_GROUP_LEADER), TASK_THREAD_PID));
    }
    if (FIELD(u64, task, TASK_MM) == DIRECT(u64, maker, TASK_MM))
        child->flags |= SHARES_MEMORY;
    if (FIELD(u64, task, TASK_FS) == DIRECT(u64, maker, TASK_FS))
        child->flags |= SHARES_DIRECTORY;
    if (FIELD(u64, task, TASK_FILES) == DIRECT(u64, maker, TASK_FILES))
        child->flags |= SHARES_FILES;
    if (POINTER(task, TASK_VFORK_DONE))
        child->flags |= IS_VFORK;
    child->start = FIELD(u64, task, TASK_START);
    child->parent = parent == maker ? DIRECT(u32, maker, TASK_TGID) : FIELD(u32, parent, TASK_TGID);
}

RAW_TRACEPOINT_PROBE(sched_process_fork)
{
    struct scratch *s = own_scratch();
    int zero = 0;
    struct settings *chosen = settings.lookup(&zero);
    if (!s || !chosen)
        return 0;
    note_32_bit_call(s);
    const char *maker = (const char *)bpf_get_current_task_btf();
    const char *task = (const char *)ctx->args[1];
    u32 pid = FIELD(u32, task, TASK_TGID);
    if (!is_thread_of(maker, pid))
        follow_birth(maker, pid);
    else if (!chosen->threads)
        return 0;
    s->counters[SEEN]++;
    begin(s, BIRTH);
    read_arguments(&s->record);
    struct child *child = PUT_STRUCT(s, CHILD, 0, struct child);
    if (child) {
        describe_child(child, task, pid, maker);
        s->record.number = DIRECT(u32, bpf_task_pt_regs((void *)maker), SAVED_ORIG_AX);
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
    const char *task = (const char *)bpf_get_current_task_btf();
    const char *signal = NEXT(task, TASK_SIGNAL);
    bool is_last = signal && DIRECT(s32, signal, SIGNAL_LIVE) == 0;
    if (is_last)
        follow_end(task);
    else if (!chosen->threads)
        return 0;
    s->counters[SEEN]++;
    begin(s, END);
    s->record.result = DIRECT(s32, task, TASK_EXIT_CODE);
    s->record.args[0] = is_last;
    send(s, ctx, chosen->threads ? 0 : BPF_RB_NO_WAKEUP);
    return 0;
}
