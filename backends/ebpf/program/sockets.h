/* What prefilters know of the socket that a call is about: its kind, its protocol and both ends.
 *
 * `refengine/backends/ebpf/prefilter/sockets.py` has the same in Python, and says why; letters are those of its
 * enumerations. What is 0 is not known.
 */

#define SOCKET_STREAM 1
#define SOCKET_RAW 3
#define STATE_LISTENS 10
#define IN_PROGRESS -115
#define ADDRESS_MIN 8 /* bytes of the shortest address that is looked at, and of one of IPv6 */
#define SIZE_INET6 24
#define INET6_PLACE 8
#define MAPPED 0xffff0000 /* the third word of an IPv4 address that is written as one of IPv6 */

enum use { HOLDS = 1, CONNECTS, ACCEPTS, SENDS, SENDS_MESSAGE, RECEIVES };
enum form { FORM_UNKNOWN, FORM_NONE, FORM_LISTENING, FORM_PAIR, FORM_EITHER_WAY };

struct ends {
    u32 source[4];      /* addresses; those of IPv4 are written as ones of IPv6 */
    u32 destination[4];
    u32 size;           /* of an address in bytes, by its family */
    u16 source_port;
    u16 destination_port;
    u32 kind;
    u32 protocol;
    u32 form;
    u32 connected;
};

/* The beginning of a socket's address, and what more there is of one of IPv6. */
struct address {
    u16 family;
    u8 port[2];
    u32 inet;
};

BPF_PERCPU_ARRAY(sockets, struct ends, 1);

static __always_inline struct ends *own_ends(void)
{
    int zero = 0;
    return sockets.lookup(&zero);
}

/* `open_file` for the current thread, by plain loads as far as possible. */
static __always_inline const char *own_open_file(u32 number)
{
    const char *files = DIRECT(const char *, bpf_get_current_task_btf(), TASK_FILES);
    if (!files || number >= DESCRIPTOR_LIMIT)
        return NULL;
    const char *table = DIRECT(const char *, files, FILES_FDT);
    if (!table || number >= DIRECT(u32, table, FDT_MAX))
        return NULL;
    return POINTER(DIRECT(const char *, table, FDT_FD), (u64)number * 8);
}

static __always_inline void write_mapped(u32 *address, u32 inet)
{
    address[0] = address[1] = 0;
    address[2] = MAPPED;
    address[3] = inet;
}

/* Whether an address is one of IPv4, or the unspecified one. */
static __always_inline bool is_inet(const u32 *address)
{
    return !address[0] && !address[1] && (address[2] == MAPPED || (!address[2] && !address[3]));
}

static __always_inline void swap_ends(struct ends *e)
{
#pragma unroll
    for (int i = 0; i < 4; i++) {
        u32 word = e->source[i];
        e->source[i] = e->destination[i];
        e->destination[i] = word;
    }
    u16 port = e->source_port;
    e->source_port = e->destination_port;
    e->destination_port = port;
}

static __always_inline void know_nothing(struct ends *e)
{
    e->kind = e->protocol = e->form = e->connected = 0;
}

/* Take two ends for a connection, of IPv4 if both are; `alike` tells that they are of one family. */
static __always_inline void use_pair(struct ends *e, u32 form, bool alike)
{
    e->form = form;
    if (is_inet(e->source) && is_inet(e->destination))
        e->size = 4;
    else if (alike && e->size == 16)
        e->size = 16;
    else
        return know_nothing(e);
    e->kind = e->size == 4 ? '4' : '6';
}

/* Read both ends: its own becomes the source. */
static __always_inline void read_internet(struct ends *e, const char *sock, u32 family)
{
    e->source_port = FIELD(u16, sock, SOCK_LOCAL_PORT);
    u16 port = FIELD(u16, sock, SOCK_PEER_PORT);
    e->destination_port = port << 8 | port >> 8;
    e->kind = family == FAMILY_INET ? '4' : '6';
    if (family == FAMILY_INET) {
        e->size = 4;
        write_mapped(e->source, FIELD(u32, sock, SOCK_LOCAL4));
        write_mapped(e->destination, FIELD(u32, sock, SOCK_PEER4));
    } else {
        e->size = 16;
        bpf_probe_read_kernel(e->source, 16, sock + SOCK_LOCAL6);
        bpf_probe_read_kernel(e->destination, 16, sock + SOCK_PEER6);
    }
    u32 protocol = FIELD(u16, sock, SOCK_PROTOCOL), type = FIELD(u16, sock, SOCK_TYPE);
    if (type == SOCKET_RAW)
        e->protocol = 'r';
    else if (protocol == 6)
        e->protocol = 't';
    else if (protocol == 17)
        e->protocol = 'u';
    else if (protocol == 1 || protocol == 58)
        e->protocol = 'i';
    if (port)
        e->form = FORM_PAIR;
    else if (e->source_port && (type != SOCKET_STREAM || FIELD(u8, sock, SOCK_STATE) == STATE_LISTENS))
        e->form = FORM_LISTENING;
}

/* The socket as it is told of where the event tells nothing else. */
static __always_inline void use_named(struct ends *e)
{
    if (e->form == FORM_PAIR && e->source_port < e->destination_port)
        swap_ends(e);
    if (e->form == FORM_LISTENING) {
        e->destination_port = e->source_port;
        __builtin_memcpy(e->destination, e->source, 16);
    }
    if (e->form == FORM_UNKNOWN && e->protocol != 'r')
        e->protocol = 0;
}

enum given { GIVEN_NOTHING, GIVEN_INTERNET, GIVEN_UNIX, GIVEN_OTHER, GIVEN_UNREADABLE };

/* Read the address that a call has been given; one of the internet becomes the destination of `e`, if there is one. */
static __always_inline u32 read_address(struct ends *e, u64 address, u32 length, u32 *family)
{
    struct address given = {};
    if (length < ADDRESS_MIN)
        return GIVEN_UNREADABLE;
    if (bpf_probe_read_user(&given, sizeof(given), (const void *)address))
        return GIVEN_UNREADABLE;
    *family = given.family;
    if (given.family == FAMILY_INET) {
        write_mapped(e->destination, given.inet);
    } else if (given.family == FAMILY_INET6 && length >= SIZE_INET6) {
        if (bpf_probe_read_user(e->destination, 16, (const void *)(address + INET6_PLACE)))
            return GIVEN_UNREADABLE;
    } else {
        return given.family == FAMILY_UNIX ? GIVEN_UNIX : GIVEN_OTHER;
    }
    e->destination_port = given.port[0] << 8 | given.port[1];
    return GIVEN_INTERNET;
}

static __always_inline void use_connection(struct facts *f, struct ends *e)
{
    u32 own = e->kind == '4' ? FAMILY_INET : FAMILY_INET6, family = 0;
    struct ends before;
    bool certain = e->protocol == 't' || e->protocol == 'i' || e->protocol == 'r';
    /* The address is read over the destination, which is wanted where it is none of the internet. */
    __builtin_memcpy(before.destination, e->destination, 16);
    before.destination_port = e->destination_port;
    u32 given = read_address(e, f->args[1], f->args[2], &family);
    if (given == GIVEN_UNREADABLE || given == GIVEN_UNIX)
        return know_nothing(e);
    e->connected = true;
    if (given == GIVEN_INTERNET)
        return use_pair(e, certain ? FORM_PAIR : FORM_EITHER_WAY, family == own);
    __builtin_memcpy(e->destination, before.destination, 16);
    e->destination_port = before.destination_port;
    use_named(e);
}

/* Read the address that data are sent to. */
static __always_inline u32 read_destination(struct facts *f, struct ends *e, u32 use, u32 *family)
{
    u64 place[2] = {}; /* where it is, and its length */
    if (use == SENDS) {
        const char *registers = (const char *)bpf_task_pt_regs((void *)bpf_get_current_task_btf());
        place[0] = DIRECT(u64, registers, SAVED_R8);
        place[1] = DIRECT(u64, registers, SAVED_R9);
    } else if (bpf_probe_read_user(place, sizeof(place), (const void *)f->args[1])) {
        return GIVEN_UNREADABLE;
    }
    return place[0] ? read_address(e, place[0], place[1], family) : GIVEN_NOTHING;
}

static __always_inline void use_sending(struct facts *f, struct ends *e, u32 use)
{
    u32 own = e->kind == '4' ? FAMILY_INET : FAMILY_INET6, family = 0;
    struct ends unused;
    u32 given = read_destination(f, &unused, use, &family);
    if (given == GIVEN_UNREADABLE || given == GIVEN_UNIX || (given == GIVEN_INTERNET && family != own))
        return know_nothing(e);
    e->connected = given == GIVEN_INTERNET || (given == GIVEN_NOTHING && e->form == FORM_PAIR);
    use_named(e);
    if (given == GIVEN_INTERNET) {
        /* The ends become those of this exchange, by what is known of earlier ones. */
        e->form = FORM_UNKNOWN;
        if (e->kind == '6')
            e->kind = 'I';
    }
}

/* What is no socket of the internet; another thread may have put it in the place of one while the call was made. */
static __always_inline void use_another_family(struct facts *f, struct ends *e, u32 use, bool done)
{
    u32 family = 0, given = GIVEN_OTHER;
    struct ends unused;

    e->form = FORM_NONE;
    e->protocol = '-';
    if (use == ACCEPTS) {
        e->protocol = e->kind == 'u' ? 0 : 'N';
        e->kind = e->kind == 'u' ? 'W' : 'N';
        return;
    }
    if (!done || use == HOLDS)
        return;
    if (use == CONNECTS)
        given = read_address(&unused, f->args[1], f->args[2], &family);
    else if (use != RECEIVES)
        given = read_destination(f, &unused, use, &family);
    bool is_its_own = given == GIVEN_NOTHING || given == (e->kind == 'u' ? GIVEN_UNIX : GIVEN_OTHER);
    if ((e->kind != 'u' && e->kind != 'n') || use == RECEIVES || !is_its_own)
        know_nothing(e);
}

static __always_inline void read_ends(struct facts *f, struct ends *e, u32 use)
{
    s64 result = f->result;
    know_nothing(e);
    if (use == ACCEPTS && result < 0) {
        e->kind = e->protocol = 'N';
        e->form = FORM_NONE;
        return;
    }
    const char *file = own_open_file(use == ACCEPTS ? result : f->args[0]);
    if (!file)
        return;
    bool done = result >= 0 || (use == CONNECTS && result == IN_PROGRESS);
    u32 format = FIELD(u16, POINTER(file, FILE_INODE), INODE_MODE) & FORMAT_MASK;
    if (format != FORMAT_SOCKET) {
        e->kind = format == FORMAT_DIRECTORY ? 'd' : format == FORMAT_PIPE ? 'p' : 'f';
        return use_another_family(f, e, use, done);
    }
    const char *sock = POINTER(POINTER(file, FILE_PRIVATE), SOCKET_SK);
    u32 family = FIELD(u16, sock, SOCK_FAMILY);
    if (family != FAMILY_INET && family != FAMILY_INET6) {
        e->kind = family == FAMILY_UNIX ? 'u' : family == FAMILY_NETLINK ? 'n' : 'o';
        return use_another_family(f, e, use, done);
    }
    read_internet(e, sock, family);
    if (use == HOLDS || !done)
        return use_named(e);
    if (use == ACCEPTS) {
        if (e->form != FORM_PAIR)
            __builtin_memset(e->destination, 0, 16);
        swap_ends(e);
        e->protocol = 't';
        return use_pair(e, FORM_PAIR, true);
    }
    if (use == CONNECTS)
        return use_connection(f, e);
    bool paired = e->form == FORM_PAIR;
    if (e->protocol == 't' && paired) {
        e->connected = true;
        return use_named(e);
    }
    if (use == RECEIVES || e->protocol == 't' || !e->protocol) {
        know_nothing(e);
        e->connected = paired;
        return;
    }
    use_sending(f, e, use);
}
