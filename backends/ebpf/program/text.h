/* What the text of a path tells of the name that it means, before anything else is looked at.
 *
 * A text is plain when the name has it as it is: it is the whole name, or the end of it where it is relative. Its
 * ends are then compared with those of the names that rules ask for, which most calls do not get past.
 */

#define NAME_LIMIT 256
#define HIGH_BITS 0x8080808080808080ULL
#define LOW_BITS 0x7f7f7f7f7f7f7f7fULL
#define EACH_BYTE 0x0101010101010101ULL
#define INLINE_NAME_MAX 31 /* of the characters that a dentry itself holds, on all kernels */

/* A text as the program gave it, and the slash that joins it to the directory in front of it. */
struct given_text {
    u64 joint;
    u64 words[NAME_LIMIT / 8];
};

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

/* The mask of the last bytes of a word. */
static __always_inline u64 last_bytes(u64 count)
{
    return count >= 8 ? ~0ULL : ~(~0ULL >> 8 * count);
}

/* The eight bytes that end after `count` of the second word, 7 at most. */
static __always_inline u64 ending(u64 before, u64 word, u64 count)
{
    return before >> 8 * count | word << 1 << (63 - 8 * count);
}

/* Of each of these, high bits are set where it is so for any byte, and others may be. */
static __always_inline u64 any_zero(u64 word)
{
    return (word - EACH_BYTE) & ~word;
}

/* Control characters, those beyond ASCII, and DEL. */
static __always_inline u64 any_odd(u64 word)
{
    return word | (word - ' ' * EACH_BYTE) | (word + EACH_BYTE);
}

/* Two slashes, two dots, or a dot and a slash: the path may have to be resolved.
 *
 * After this a slash is 0 and a dot is 1, so that of two bytes one after another neither may be more than 1, and not
 * the later one alone 1.
 */
static __always_inline u64 any_unresolved(u64 word, u64 before)
{
    u64 later = word ^ '/' * EACH_BYTE;
    u64 earlier = (word << 8 | before >> 56) ^ '/' * EACH_BYTE;
    return any_zero(((later | earlier) & ~EACH_BYTE) | (later & ~earlier & EACH_BYTE));
}

/* Look the text over: whether it is plain, how it ends, and whether there may be a slash in it, which is returned. */
static __always_inline u64 look_over_text(struct facts *f, const struct given_text *text)
{
    u64 length = f->length, before = text->joint, found = 0, slashes = 0;

    for (u64 place = 0; place < NAME_LIMIT; place += 8) {
        u64 word = text->words[place / 8], left = length - place;
        bool is_last = left < 8;
        if (is_last) {
            u64 beyond = ~0ULL << 8 * left;
            f->end = ending(before, word, left);
            word = (word & ~beyond) | ('a' * EACH_BYTE & beyond);
        }
        found |= any_odd(word) | any_unresolved(word, before);
        slashes |= any_zero(word ^ '/' * EACH_BYTE);
        if (is_last)
            break;
        before = word;
    }
    f->plain = !(found & HIGH_BITS) && (f->end >> 56 | 1) != '/';
    return slashes & HIGH_BITS;
}

/* Find how the directory ends that the text gives, with `in_front` known bytes before it; return whether it does. */
static __always_inline bool look_for_folder(struct facts *f, const struct given_text *text, u64 in_front)
{
    u64 before = text->joint;

    f->slashes = 0;
    for (u64 place = 0; place < NAME_LIMIT; place += 8) {
        u64 word = text->words[place / 8], left = f->length - place;
        u64 slashes = bytes_equal(word, '/');
        if (place == 0 && f->skipped)
            slashes &= ~0xffffULL;
        if (left < 8)
            slashes &= ~(~0ULL << 8 * left);
        if (slashes) {
            /* Kept in memory for the same reason as in `prepend`. */
            f->slashes = slashes;
            f->slash = place;
            f->folder_end = before;
            f->folder_end_known = word;
        }
        if (left < 8)
            break;
        before = word;
    }
    if (!f->slashes)
        return false;
    u64 inside = last_byte(f->slashes);
    f->folder_end = ending(f->folder_end, f->folder_end_known, inside);
    f->folder_end_known = last_bytes(f->slash + inside + in_front);
    return true;
}

/* Find how the working directory ends: its last component, where that is short and plain.
 *
 * Of one whose length is none of `lengths`, a bit for each, it is enough to know that: it is told as what no name is.
 */
static __always_inline void look_at_working_directory(struct facts *f, const char *task, u64 lengths)
{
    const char *fs = DIRECT(const char *, task, TASK_FS);
    if (!fs)
        return;
    const char *mount = DIRECT(const char *, fs, FS_PWD + PATH_MNT);
    const char *dentry = DIRECT(const char *, fs, FS_PWD + PATH_DENTRY);
    /* Where a file system begins, another one has the name. */
    if (!mount || !dentry || DIRECT(u64, mount, VFSMOUNT_ROOT) == (u64)dentry)
        return;
    u64 length = DIRECT(u64, dentry, DENTRY_PARENT + 8) >> 32;
    if (length > INLINE_NAME_MAX)
        return;
    if (!(lengths >> length & 1)) {
        f->folder_end = 0;
        f->folder_end_known = ~0ULL;
        return;
    }
    u64 before = (u64)'/' << 56, word = DIRECT(u64, dentry, DENTRY_NAME);
    if (length >= 8) {
        before = word;
        word = DIRECT(u64, dentry, DENTRY_NAME + 8);
    }
    if (length >= 16) {
        before = word;
        word = DIRECT(u64, dentry, DENTRY_NAME + 16);
    }
    if (length >= 24) {
        before = word;
        word = DIRECT(u64, dentry, DENTRY_NAME + 24);
    }
    u64 end = ending(before, word, length & 7), known = last_bytes(length + 1);
    if (any_odd((end & known) | ('a' * EACH_BYTE & ~known)) & HIGH_BITS)
        return;
    f->folder_end = end;
    f->folder_end_known = known;
}

/* Read the text of a path that is relative to `directory`, and see what it tells; `lengths` as above. */
static __always_inline void read_text(struct facts *f, struct given_text *text, u64 address, s64 directory,
                                      const char *task, u64 lengths)
{
    s64 got = bpf_probe_read_user_str(text->words, NAME_LIMIT, (const void *)address);
    if (got < 2 || got >= NAME_LIMIT)
        return;
    f->length = got - 1;
    f->skipped = 0;
    f->absolute = (u8)text->words[0] == '/';
    if (f->absolute) {
        text->joint = 0;
        look_over_text(f, text);
        f->end_known = last_bytes(f->length);
        return;
    }
    bool is_here = (s32)directory == WORKING_DIRECTORY_NUMBER;
    u64 in_front = is_here;
    text->joint = (u64)'/' << 56;
    if ((u16)text->words[0] == ('/' << 8 | '.')) {
        /* The slash of a leading "./" is the one that joins. */
        f->skipped = 2;
        in_front -= 2;
        text->words[0] ^= '.' ^ 'a';
    }
    u64 slashes = look_over_text(f, text);
    f->end_known = last_bytes(f->length + in_front);
    f->folder_end_known = 0;
    if (slashes && look_for_folder(f, text, in_front))
        return;
    if (is_here)
        look_at_working_directory(f, task, lengths);
}
