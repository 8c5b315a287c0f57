/* The exits of system calls: what programs at them are given, and what follows. */

#if BY_RAW_TRACEPOINT
/* One tracepoint for the exits of all system calls: the number is in the saved registers. */
#define exit_context bpf_raw_tracepoint_args
#define CALL_RESULT(ctx) ((s64)(ctx)->args[1])
#define CALL_NUMBER(ctx) call_number()

static __always_inline u32 call_number(void)
{
    const char *registers = (const char *)bpf_task_pt_regs((void *)bpf_get_current_task_btf());
    return DIRECT(u64, registers, SAVED_ORIG_AX);
}
#else
/* What the tracepoints of the exit of one system call give. */
struct exit_context {
    u64 common;
    s32 number;
    s32 padding;
    s64 result;
};
#define CALL_RESULT(ctx) ((ctx)->result)
#define CALL_NUMBER(ctx) ((ctx)->number)
#endif

#define BEGIN 0
#define COPY 1

/* What programs go on with: these two, then the second parts of prefilters. */
BPF_PROG_ARRAY(continuations, 512);

/* Let an event pass, unless it is of this program's own making: few events come so far as to be asked. */
static __always_inline int pass(struct exit_context *ctx, struct scratch *s)
{
    if (is_own())
        return 0;
    continuations.call(ctx, BEGIN);
    s->counters[NO_CAPTURE]++;
    return 0;
}

/* Let the second part of a prefilter decide; where the kernel has not taken it, the event passes. */
static __always_inline int go_on(struct exit_context *ctx, struct scratch *s, u32 part)
{
    continuations.call(ctx, part);
    return pass(ctx, s);
}

/* No rule can match the event. */
static __always_inline int reject(struct scratch *s)
{
    s->counters[FILTERED]++;
    return 0;
}
