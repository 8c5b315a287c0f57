/* The name that a path means, from the root on: the text, with the working directory in front of it. */

#define NAME_START (TEXT_MAX + 1)
#define NAME_START_MAX (NAME_START + 1)

/* Eight bytes of the name, from a place in it. */
static __always_inline u64 word_at(struct scratch *s, const struct facts *f, u64 place)
{
    u64 at = f->at;
    if (at > NAME_START_MAX)
        return 0;
    return *(const u64 *)(s->path + at + (place & (NAME_LIMIT - 1)));
}

/* Whether `count` bytes, four at most, that begin with the lowest of `piece` may be in the name one after another.
 *
 * What lies beyond the end of the name may be taken for a part of it. `odd` is kept in memory, as below.
 */
static __always_inline bool may_contain(struct scratch *s, struct facts *f, u64 piece, u32 count)
{
    u64 at = f->at;
    if (at > NAME_START_MAX)
        return true;
    const char *name = s->path + at;

    f->odd = 0;
    for (u64 place = 0; place < NAME_LIMIT; place += 8) {
        u64 word = *(const u64 *)(name + place), next = *(const u64 *)(name + place + 8);
        u64 differences = word ^ (u8)piece * EACH_BYTE;
        if (count > 1)
            differences |= (word >> 8 | next << 56) ^ (u8)(piece >> 8) * EACH_BYTE;
        if (count > 2)
            differences |= (word >> 16 | next << 48) ^ (u8)(piece >> 16) * EACH_BYTE;
        if (count > 3)
            differences |= (word >> 24 | next << 40) ^ (u8)(piece >> 24) * EACH_BYTE;
        f->odd |= any_zero(differences);
        if (f->length - place <= 8)
            break;
    }
    return f->odd & HIGH_BITS;
}

/* Look the name over: whether it is of plain characters, and where its last slash is.
 *
 * What one step hands to the next is kept in memory, for the same reason as in `prepend`.
 */
static __always_inline void look_over_name(struct scratch *s, struct facts *f)
{
    u64 at = f->at;
    if (at > NAME_START_MAX)
        return;
    const char *name = s->path + at;

    f->odd = f->slashes = f->slash = 0;
    for (u64 place = 0; place < NAME_LIMIT; place += 8) {
        u64 word = *(const u64 *)(name + place), left = f->length - place;
        if (left < 8) {
            u64 beyond = ~0ULL << 8 * left;
            word = (word & ~beyond) | ('a' * EACH_BYTE & beyond);
        }
        u64 slashes = bytes_equal(word, '/');
        f->odd |= any_odd(word);
        if (slashes) {
            f->slashes = slashes;
            f->slash = place;
        }
        if (left < 8)
            break;
    }
    f->slash += last_byte(f->slashes);
    f->known = !(f->odd & HIGH_BITS);
}

/* Find the name that a plain text means; leave it unknown where that is not simple. */
static __always_inline void read_name(struct scratch *s, struct facts *f, const struct given_text *text, s64 directory)
{
    if (!f->plain)
        return;
    for (u64 place = 0; place < NAME_LIMIT; place += 8) {
        *(u64 *)(s->path + NAME_START + place) = text->words[place / 8];
        if (place >= f->length)
            break;
    }
    f->at = NAME_START;
    if (!f->absolute) {
        u64 end = TEXT_MAX + f->skipped;
        if ((s32)directory != WORKING_DIRECTORY_NUMBER || end > TEXT_MAX + 2)
            return;
        s->path[end] = '/';
        if (!build_working_directory(s, end))
            return;
        f->length += NAME_START - s->at;
        f->at = s->at;
    }
    if (f->length < NAME_LIMIT)
        look_over_name(s, f);
}
