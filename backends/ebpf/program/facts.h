/* What prefilters, which are generated from the rules, look at: the result, arguments and thread of a call. */

static __always_inline struct facts *begin_facts(struct scratch *s, s64 result)
{
    struct facts *f = &s->facts;
    f->result = result;
    f->known = f->plain = f->has_flags = false;
    return f;
}

/* Read the arguments of the call that prefilters look at, from the saved registers. */
static __always_inline void read_call(struct facts *f, const char *task)
{
    const char *registers = (const char *)bpf_task_pt_regs((void *)task);
    f->args[0] = DIRECT(u64, registers, SAVED_DI);
    f->args[1] = DIRECT(u64, registers, SAVED_SI);
    f->args[2] = DIRECT(u64, registers, SAVED_DX);
}

static __always_inline void use_flags(struct facts *f, u64 flags)
{
    f->flags = flags;
    f->has_flags = true;
}

/* Read the flags of an openat2, which come in a structure. */
static __always_inline void read_how(struct facts *f, u64 address)
{
    u64 flags = 0;
    f->has_flags = !bpf_probe_read_user(&flags, sizeof(flags), (const void *)address);
    f->flags = flags;
}

/* A name in a set of names, which is known by a number. */
struct name_in_set {
    u64 comm[2];
    u64 set;
};

BPF_HASH(names, struct name_in_set, u8, 1); /* whoever makes it says how many there are */

static __always_inline bool is_named(struct facts *f, u64 set)
{
    struct name_in_set key = {};
    key.comm[0] = f->comm[0];
    key.comm[1] = f->comm[1];
    key.set = set;
    return names.lookup(&key) != NULL;
}

static __always_inline void read_thread(struct facts *f)
{
    bpf_get_current_comm(f->comm, sizeof(f->comm));
    f->uid = FIELD(u32, POINTER(bpf_get_current_task(), TASK_CRED), CRED_EUID);
}
