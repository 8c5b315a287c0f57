/* The exit of a system call: the record of it, with what its plan asks for of the program's memory. */

BPF_ARRAY(plans, struct plan, 512);

#define VECTOR_MAX 64
#define WHOLE_MAX 1024
#define NO_DESCRIPTOR -1

struct message {
    u64 name;
    u64 name_length;
    u64 vector;
    u64 count;
    u64 control;
    u64 control_length;
};

/* The saved registers from r10 on, which hold all arguments. */
struct saved {
    u64 r10, r9, r8, ax, cx, dx, si, di, orig_ax;
};

#define SAVED_OFFSET 56

static __always_inline void read_arguments(struct record *record)
{
    struct saved saved = {};
    const char *registers = (const char *)bpf_task_pt_regs((void *)bpf_get_current_task_btf());
    bpf_probe_read_kernel(&saved, sizeof(saved), registers + SAVED_OFFSET);
    record->args[0] = saved.di;
    record->args[1] = saved.si;
    record->args[2] = saved.dx;
    record->args[3] = saved.r10;
    record->args[4] = saved.r8;
    record->args[5] = saved.r9;
}

/* Add a vector of buffers: the table, then the first buffers. The entries are spans themselves. */
static __always_inline void add_vector(struct span *spans, u64 address, u64 count)
{
    if (count > VECTOR_MAX)
        count = VECTOR_MAX;
    spans[0].address = address;
    spans[0].length = count * sizeof(struct span);
    u64 buffers = count < BUFFERS_MAX ? count : BUFFERS_MAX;
    AS_IT_IS(buffers);
    if (buffers > BUFFERS_MAX)
        return;
    bpf_probe_read_user(spans + 1, buffers * sizeof(struct span), (const void *)address);
}

static __always_inline u64 argument(const struct record *record, u32 position)
{
    return position < 6 ? record->args[position] : (u64)(s64)WORKING_DIRECTORY_NUMBER;
}

/* Whether there is a relative path at the address. */
static __always_inline bool is_relative(u64 address)
{
    char first = '/';
    bpf_probe_read_user(&first, 1, (const void *)address);
    return first != '/';
}

/* Each kind of capture only says what to copy, so that every way of copying is in the program just once. */
static __always_inline void carry_out(struct scratch *s, const struct capture *wanted)
{
    u64 address = argument(&s->record, wanted->argument);
    u64 other = argument(&s->record, wanted->length);
    u64 size = wanted->size;
    s64 result = s->record.result;
    s64 number = NO_DESCRIPTOR;
    u32 length = 0;
    struct message message = {};
    struct span *spans = s->spans;
    const char *path = NULL;

    __builtin_memset(spans, 0, sizeof(s->spans));
    switch (wanted->kind) {
    case CAPTURE_ENTRY:
        other = 0;
        bpf_probe_read_user(&other, sizeof(other), (const void *)(address + size * sizeof(other)));
        address = other;
        /* fall through */
    case CAPTURE_TEXT:
        put_text(s, address);
        return;
    case CAPTURE_BYTES:
        spans[0].address = address;
        spans[0].length = size;
        break;
    case CAPTURE_BUFFER:
        spans[0].address = address;
        spans[0].length = other < size ? other : size;
        break;
    case CAPTURE_RESULT:
        spans[0].address = address;
        if (result > 0)
            spans[0].length = result < size ? result : size;
        break;
    case CAPTURE_SIZED:
        bpf_probe_read_user(&length, sizeof(length), (const void *)other);
        spans[0].address = address;
        spans[0].length = length < size ? length : size;
        spans[1].address = other;
        spans[1].length = sizeof(length);
        break;
    case CAPTURE_VECTOR:
        add_vector(spans, address, other);
        break;
    case CAPTURE_MESSAGE:
        bpf_probe_read_user(&message, sizeof(message), (const void *)address);
        add_vector(spans, message.vector, message.count);
        spans[SPANS_MAX - 3].address = message.name;
        spans[SPANS_MAX - 3].length = (u32)message.name_length;
        spans[SPANS_MAX - 2].address = message.control;
        spans[SPANS_MAX - 2].length = message.control_length;
        spans[SPANS_MAX - 1].address = address;
        spans[SPANS_MAX - 1].length = sizeof(message);
        break;
    case CAPTURE_DESCRIPTOR:
        number = (u32)address;
        break;
    case CAPTURE_CREATED:
        number = result;
        break;
    case CAPTURE_DIRECTORY:
        if (!size && !is_relative(other))
            return;
        if ((s32)address == WORKING_DIRECTORY_NUMBER)
            path = POINTER(bpf_get_current_task(), TASK_FS) + FS_PWD;
        else
            number = (u32)address;
        break;
    }
    if (number >= 0)
        path = put_descriptor(s, number);
    if (path) {
        put_path(s, number >= 0 ? DESCRIPTOR_PATH : WORKING_DIRECTORY, number >= 0 ? number : 0, path);
        return;
    }
    for (int i = 0; i < SPANS_MAX; i++) {
        /* Tables and addresses are copied whole. */
        u64 limit = size > WHOLE_MAX ? size : WHOLE_MAX;
        if (i > 0 && i <= BUFFERS_MAX && wanted->kind != CAPTURE_SIZED)
            limit = size;
        if (spans[i].length)
            put_bytes(s, MEMORY, spans[i].address, spans[i].length < limit ? spans[i].length : limit);
    }
}

/* Begin the record of a call; return whether there is anything to copy for it. */
static __always_inline bool begin_call(struct scratch *s, u32 number, s64 result)
{
    int key = number;
    struct plan *plan = plans.lookup(&key);
    begin(s, SYSCALL_EXIT);
    read_arguments(&s->record);
    s->record.number = number;
    s->record.result = result;
    s->step = 0;
    return plan && plan->captures[0].kind != NOTHING;
}

/* Copy the next thing; return whether there is another. */
static __always_inline bool copy_next(struct scratch *s, u32 number)
{
    int key = number;
    struct plan *plan = plans.lookup(&key);
    u64 step = s->step;
    if (!plan || step >= CAPTURES_MAX)
        return false;
    carry_out(s, &plan->captures[step]);
    step = s->step + 1;
    s->step = step;
    return step < CAPTURES_MAX && plan->captures[step].kind != NOTHING;
}
