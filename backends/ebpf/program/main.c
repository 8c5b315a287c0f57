/* The kernel side: what happens at the exits of system calls and in the lives of processes, as records. */

#include <linux/types.h>
#include <uapi/linux/ptrace.h>

#include "record.h"
#include "memory.h"
#include "path.h"
#include "descriptor.h"
#include "capture.h"
#include "process.h"
#include "facts.h"

/* What tracepoints of system call exits give. */
struct exit_context {
    u64 common;
    s32 number;
    s32 padding;
    s64 result;
};

BPF_PROG_ARRAY(continuations, 1);

/* Any system call that the program before this one has let pass. */
int capture_exit(struct exit_context *ctx)
{
    struct scratch *s = own_scratch();
    if (s)
        capture_call(ctx, s, ctx->number, ctx->result);
    return 0;
}

/* Let an event pass. */
static __always_inline int pass(struct exit_context *ctx, struct scratch *s)
{
    continuations.call(ctx, 0);
    s->counters[NO_CAPTURE]++;
    return 0;
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
    if (!s || is_own())
        return 0;
    s->counters[SEEN]++;
    return pass(ctx, s);
}
