/* Names of control groups as container runtimes give them: all that `refengine/state/containers/identity.py` takes for
 * one, and some more.
 */

#define GROUP_NAME_LONG 64            /* from this length on a name may have the id of a container in it */
#define LXC 0x63786cULL               /* "lxc" */
#define MACHINE 0x2d656e696863616dULL /* "machine-" */
#define SYSTEMD 0x2d646d6574737973ULL /* "systemd-" */
#define NSPAWN 0x406e776170736eULL    /* "nspawn@" */
#define DEFAULT 0x746c7561666564ULL   /* "default" */
#define K8S_IO 0x6f692e73386bULL      /* "k8s.io" */
#define BYTES(count) ((1ULL << 8 * (count)) - 1)

/* Whether a name of that length may be of a container, given its first sixteen bytes, filled up with NULs. */
static __always_inline bool is_name_of_container(u64 first, u64 second, u64 length)
{
    return length >= GROUP_NAME_LONG || (first & BYTES(3)) == LXC || first == MACHINE || first == DEFAULT ||
           first == K8S_IO || (first == SYSTEMD && (second & BYTES(7)) == NSPAWN);
}
