/* Reading of kernel structures by the offsets that the loader has found, and the per-CPU scratch space. */

#define FIELD(type, pointer, offset)                                                          \
    ({                                                                                        \
        type value_ = 0;                                                                      \
        bpf_probe_read_kernel(&value_, sizeof(value_), (const char *)(pointer) + (offset));   \
        value_;                                                                               \
    })
/* The same for a pointer of which the verifier knows the kernel's type: a plain load, far cheaper than a helper. */
#define DIRECT(type, pointer, offset) (*(type volatile *)((const char *)(pointer) + (offset)))
#define POINTER(pointer, offset) FIELD(const char *, pointer, offset)
/* The next pointer by a plain load. On some kernels it may be NULL for all that the verifier knows, so it is to be asked:
 * once, and with little left to do where it is, since the verifier goes on from both answers. Where it meets such a load it
 * looks through all types of the kernel, which takes it a millisecond: so they are for what is read often. */
#define NEXT(pointer, offset) DIRECT(const char *, pointer, offset)

/* Under its own names bcc looks these up among all symbols of the kernel, at each place where they are called, which
 * takes it longer than to compile everything; or it takes older ones, where it cannot see the symbols. */
static int (*read_user)(void *to, u32 size, const void *from) = (void *)BPF_FUNC_probe_read_user;
static int (*read_user_text)(void *to, u32 size, const void *from) = (void *)BPF_FUNC_probe_read_user_str;
static int (*read_kernel)(void *to, u32 size, const void *from) = (void *)BPF_FUNC_probe_read_kernel;
static int (*read_kernel_text)(void *to, u32 size, const void *from) = (void *)BPF_FUNC_probe_read_kernel_str;
#undef bpf_probe_read_kernel
#define bpf_probe_read_user read_user
#define bpf_probe_read_user_str read_user_text
#define bpf_probe_read_kernel read_kernel
#define bpf_probe_read_kernel_str read_kernel_text

/* Keep the compiler from replacing a check of a value by one of something else that the verifier cannot follow. */
#define AS_IT_IS(value) asm volatile("" : "+r"(value))

BPF_PERCPU_ARRAY(scratch, struct scratch, 1);
BPF_ARRAY(settings, struct settings, 1);
BPF_RINGBUF_OUTPUT(ring, 1); /* whoever makes it says how large it is */

static __always_inline struct scratch *own_scratch(void)
{
    int zero = 0;
    return scratch.lookup(&zero);
}

/* Room for a blob with at most TEXT_MAX bytes, NULL where none is left. */
static __always_inline struct blob *room(struct scratch *s)
{
    u64 at = s->used;
    if (at > BLOBS_SIZE - TEXT_MAX - sizeof(struct blob))
        return NULL;
    return (struct blob *)(s->blobs + at);
}

static __always_inline void keep(struct scratch *s, struct blob *blob, u32 kind, u64 length, u64 address)
{
    blob->kind = kind;
    blob->length = length;
    blob->address = address;
    s->used += sizeof(*blob) + ((length + 7) & ~7ULL);
}

static __always_inline void put_text(struct scratch *s, u64 address)
{
    struct blob *blob = room(s);
    if (!blob || !address)
        return;
    long length = bpf_probe_read_user_str(blob + 1, TEXT_MAX, (const void *)address);
    if (length > 0)
        keep(s, blob, TEXT, length, address);
}

static __always_inline void put_kernel_text(struct scratch *s, u32 kind, const char *address)
{
    struct blob *blob = room(s);
    if (!blob || !address)
        return;
    long length = bpf_probe_read_kernel_str(blob + 1, TEXT_MAX, address);
    if (length > 0)
        keep(s, blob, kind, length, 0);
}

static __always_inline void put_bytes(struct scratch *s, u32 kind, u64 address, u64 length)
{
    struct blob *blob = room(s);
    if (!blob || !address || !length)
        return;
    if (length > TEXT_MAX)
        length = TEXT_MAX;
    if (!bpf_probe_read_user(blob + 1, length, (const void *)address)) {
        keep(s, blob, kind, length, address);
        return;
    }
    /* The end may lie in a page that is not there; what precedes that page may be. */
    u64 rest = 4096 - (address & 4095);
    if (rest < length && rest <= TEXT_MAX && !bpf_probe_read_user(blob + 1, rest, (const void *)address))
        keep(s, blob, kind, rest, address);
}

/* A blob's space for a structure, filled in by the caller after this. */
#define PUT_STRUCT(s, blob_kind, address, type)                       \
    ({                                                                \
        struct blob *blob_ = room(s);                                 \
        type *found_ = NULL;                                          \
        if (blob_) {                                                  \
            found_ = (type *)(blob_ + 1);                             \
            __builtin_memset(found_, 0, sizeof(*found_));             \
            keep(s, blob_, blob_kind, sizeof(*found_), address);      \
        }                                                             \
        found_;                                                       \
    })

/* Write the record out, with the wake-up flags given. */
static __always_inline void send(struct scratch *s, void *context, u64 flags)
{
    u64 size = s->used;
    if (size > BLOBS_SIZE)
        size = BLOBS_SIZE;
    if (ring.ringbuf_output(&s->record, sizeof(s->record) + size, flags))
        s->counters[RING_FULL]++;
    else
        s->counters[SENT]++;
}

/* Fill in what every record has, for the current thread. */
static __always_inline void begin(struct scratch *s, u32 kind)
{
    const char *task = (const char *)bpf_get_current_task_btf();
    u64 ids = bpf_get_current_pid_tgid();
    const char *credentials = NEXT(task, TASK_CRED);
    const char *leader = NEXT(task, TASK_GROUP_LEADER);

    s->used = 0;
    s->record.time = bpf_ktime_get_boot_ns();
    s->record.pid = ids >> 32;
    s->record.tid = ids;
    s->record.uid = s->record.gid = s->record.ppid = 0;
    s->record.start = 0;
    if (credentials) {
        s->record.uid = DIRECT(u32, credentials, CRED_EUID);
        s->record.gid = DIRECT(u32, credentials, CRED_EUID + sizeof(u32)); /* right behind it */
    }
    if (leader) {
        const char *parent = NEXT(leader, TASK_REAL_PARENT);
        s->record.start = DIRECT(u64, leader, TASK_START);
        if (parent)
            s->record.ppid = DIRECT(u32, parent, TASK_TGID);
    }
    s->record.cpu = bpf_get_smp_processor_id();
    s->record.kind = kind;
    s->record.number = 0;
    s->record.result = 0;
    bpf_get_current_comm(s->record.comm, sizeof(s->record.comm));
}

#define IS_COMPAT 2 /* in the status of a thread: the call was made in the 32-bit way, with other numbers */

/* Whether the current call is a 32-bit one; at the end of an execution, whether it is of a 32-bit program. */
static __always_inline bool is_32_bit_call(void)
{
    return DIRECT(u32, bpf_get_current_task_btf(), TASK_STATUS) & IS_COMPAT;
}

static __always_inline bool is_own(void)
{
    int zero = 0;
    struct settings *chosen = settings.lookup(&zero);
    return chosen && chosen->own_pid == bpf_get_current_pid_tgid() >> 32;
}
