/* The kernel side: what happens at the exits of system calls and in the lives of processes, as records. */

#include <linux/types.h>
#include <uapi/linux/ptrace.h>

#include "record.h"
#include "memory.h"
#include "path.h"
#include "descriptor.h"
#include "capture.h"
#include "group_name.h"
#include "containers.h"
#include "process.h"
#include "facts.h"
#include "text.h"
#include "name.h"
#include "sockets.h"

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

/* Copy one thing after another for a call that something before this has let pass, then write the record out.
 *
 * Each step is a run of its own, so that the verifier looks at one only.
 */
int copy_step(struct exit_context *ctx)
{
    struct scratch *s = own_scratch();
    if (!s)
        return 0;
    if (copy_next(s, CALL_NUMBER(ctx)))
        continuations.call(ctx, COPY);
    send(s, ctx, 0);
    return 0;
}

int begin_record(struct exit_context *ctx)
{
    struct scratch *s = own_scratch();
    if (!s)
        return 0;
    if (begin_call(s, CALL_NUMBER(ctx), CALL_RESULT(ctx)))
        continuations.call(ctx, COPY);
    send(s, ctx, 0);
    return 0;
}

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

/* The exit of a system call of which every event is wanted. */
int every_exit(struct exit_context *ctx)
{
    struct scratch *s = own_scratch();
    if (!s)
        return 0;
    s->counters[SEEN]++;
    return pass(ctx, s);
}

#if BY_RAW_TRACEPOINT
BPF_PROG_ARRAY(entries, 512);

/* The exit of any system call: what is not wanted has no entry, and is done with. */
int any_exit(struct exit_context *ctx)
{
    if (is_32_bit_call()) {
        struct scratch *s = own_scratch();
        if (s)
            s->counters[CALLS_32]++;
        return 0;
    }
    entries.call(ctx, CALL_NUMBER(ctx));
    return 0;
}
#endif
