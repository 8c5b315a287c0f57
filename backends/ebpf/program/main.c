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

#define BEGIN 0
#define COPY 1

BPF_PROG_ARRAY(continuations, 2);

/* Copy one thing after another for a call that something before this has let pass, then write the record out.
 *
 * Each step is a run of its own, so that the verifier looks at one only.
 */
int copy_step(struct exit_context *ctx)
{
    struct scratch *s = own_scratch();
    if (!s)
        return 0;
    if (copy_next(s, ctx->number))
        continuations.call(ctx, COPY);
    send(s, ctx, 0);
    return 0;
}

int begin_record(struct exit_context *ctx)
{
    struct scratch *s = own_scratch();
    if (!s)
        return 0;
    if (begin_call(s, ctx->number, ctx->result))
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
