/* The kernel side: what happens at the exits of system calls and in the lives of processes, as records.
 *
 * This is what does not depend on the rules; prefilters are parts of their own. */

#include <linux/types.h>
#include <uapi/linux/ptrace.h>

#include "numbers.h"
#include "record.h"
#include "memory.h"
#include "path.h"
#include "descriptor.h"
#include "capture.h"
#include "group_name.h"
#include "containers.h"
#include "process.h"
#include "exits.h"

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
