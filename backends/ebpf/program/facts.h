/* What prefilters look at: the result, arguments and thread of a call, and the file name that it means.
 *
 * Prefilters are generated from the rules. A name is known when its text is certain to be what rules see: short,
 * of plain characters, and with nothing in it that would have to be resolved.
 */

#define NAME_LIMIT 256
#define NAME_START (TEXT_MAX + 1)
#define HIGH_BITS 0x8080808080808080ULL
#define LOW_BITS 0x7f7f7f7f7f7f7f7fULL
#define EACH_BYTE 0x0101010101010101ULL

/* The high bit of each byte that equals the character. */
static __always_inline u64 bytes_equal(u64 word, u64 character)
{
    u64 differences = word ^ character * EACH_BYTE;
    return ~(((differences & LOW_BITS) + LOW_BITS) | differences | LOW_BITS);
}

/* The place of the highest byte that is not 0. (The compiler's own way of counting zeros ends bcc's.) */
static __always_inline u64 last_byte(u64 word)
{
    u64 place = 0;
    if (word >> 32) {
        place = 4;
        word >>= 32;
    }
    if (word >> 16) {
        place += 2;
        word >>= 16;
    }
    return place + (word >> 8 ? 1 : 0);
}

/* Eight bytes of the name, from a place in it. */
static __always_inline u64 word_at(struct scratch *s, const struct facts *f, u64 place)
{
    u64 at = f->at;
    if (at > NAME_START)
        return 0;
    return *(const u64 *)(s->path + at + (place & (NAME_LIMIT - 1)));
}

static __always_inline struct facts *begin_facts(struct scratch *s, s64 result)
{
    struct facts *f = &s->facts;
    s->counters[SEEN]++;
    f->result = result;
    f->known = f->no_dots = f->has_flags = false;
    return f;
}

/* Read the arguments of the call that prefilters look at, from the saved registers. */
static __always_inline void read_call(struct facts *f)
{
    const char *registers = (const char *)bpf_task_pt_regs((void *)bpf_get_current_task_btf());
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

BPF_HASH(names, struct name_in_set, u8, NAMES_MAX);

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

/* Look at eight bytes of the name, of which those in `valid` are of it; the end counts as a slash in `end`. */
static __always_inline void look_at(struct facts *f, u64 word, u64 valid, u64 end, u64 place)
{
    u64 slashes = bytes_equal(word, '/');
    u64 dots = bytes_equal(word, '.');
    u64 ends = slashes | end;
    u64 before = f->ends, dots_before = f->dots;
    u64 after_slash = ends << 8 | before >> 56;
    u64 after_dot = dots << 8 | dots_before >> 56;
    u64 two_dots = after_dot & (dots << 16 | dots_before >> 48);

    /* Control characters, those beyond ASCII, and DEL. */
    f->odd |= (word | bytes_equal(word & 0xe0e0e0e0e0e0e0e0ULL, 0) | bytes_equal(word, 0x7f)) & HIGH_BITS & valid;
    /* Empty components, and those of one or two dots. */
    f->unresolved |= ends & (after_slash | (after_dot & (ends << 16 | before >> 48)) |
                             (two_dots & (ends << 24 | before >> 40)));
    f->twice |= dots & after_dot;
    f->ends = ends;
    f->dots = dots;
    if (slashes) {
        f->slashes = slashes;
        f->slash = place;
    }
}

/* Look the name over: whether it is plain and already resolved, and where its last slash is.
 *
 * What one step hands to the next is kept in memory, for the same reason as in `prepend`.
 */
static __always_inline void look_over(struct scratch *s, struct facts *f)
{
    u64 at = f->at, place = 0;
    if (at > NAME_START)
        return;
    const char *name = s->path + at;

    f->ends = f->dots = f->odd = f->unresolved = f->twice = f->slashes = 0;
    for (; place < NAME_LIMIT - 8; place += 8) {
        if (place + 8 > f->length)
            break;
        look_at(f, *(const u64 *)(name + place), ~0ULL, 0, place);
    }
    u64 left = (f->length - place) & 7;
    u64 valid = (1ULL << (left * 8)) - 1;
    look_at(f, *(const u64 *)(name + place) & valid, valid, 0x80ULL << (left * 8), place);
    f->slash += last_byte(f->slashes);
    f->no_dots = !f->odd && !f->twice;
    f->known = !f->odd && !f->unresolved;
}

/* Find the name that a path means; leave it unknown where that is not simple. */
static __always_inline void read_name(struct scratch *s, struct facts *f, u64 address, s64 directory)
{
    s64 got = bpf_probe_read_user_str(s->path + NAME_START, NAME_LIMIT, (const void *)address);
    if (got < 2 || got >= NAME_LIMIT)
        return;
    f->at = NAME_START;
    f->length = got - 1;
    if (s->path[NAME_START] != '/') {
        if ((s32)directory != WORKING_DIRECTORY_NUMBER)
            return;
        /* The slash between the two is before the text, or the one of a leading "./". */
        u64 end = TEXT_MAX;
        if (s->path[NAME_START] == '.' && s->path[NAME_START + 1] == '/')
            end = TEXT_MAX + 2;
        else
            s->path[TEXT_MAX] = '/';
        if (!build_working_directory(s, end))
            return;
        f->length += NAME_START - s->at;
        f->at = s->at;
    }
    if (f->length >= NAME_LIMIT || f->at > NAME_START)
        return;
    look_over(s, f);
}
