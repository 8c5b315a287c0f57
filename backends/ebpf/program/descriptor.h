/* What a thread has open: files with their paths, sockets with both ends. */

#define UNIX_NAME_MAX 108

static __always_inline const char *open_file(const char *task, u64 number)
{
    const char *files = POINTER(task, TASK_FILES);
    if (!files || number >= DESCRIPTOR_LIMIT)
        return NULL;
    const char *table = POINTER(files, FILES_FDT);
    if (number >= FIELD(u32, table, FDT_MAX))
        return NULL;
    return POINTER(POINTER(table, FDT_FD), number * 8);
}

static __always_inline void put_unix_address(struct scratch *s, u32 kind, u64 number, const char *sock)
{
    const char *bound = POINTER(sock, UNIX_ADDRESS);
    struct blob *blob = room(s);
    if (!bound || !blob)
        return;
    u64 length = FIELD(u32, bound, UNIX_ADDRESS_LENGTH) - sizeof(u16);
    AS_IT_IS(length);
    if (length > UNIX_NAME_MAX)
        return;
    if (!bpf_probe_read_kernel(blob + 1, length, bound + UNIX_ADDRESS_NAME + sizeof(u16)))
        keep(s, blob, kind, length, number);
}

/* Describe an open file; return where its path is, NULL for sockets and what is not open. */
static __always_inline const char *put_descriptor(struct scratch *s, u64 number)
{
    const char *task = (const char *)bpf_get_current_task();
    const char *file = open_file(task, number);
    if (!file)
        return NULL;
    struct descriptor *found = PUT_STRUCT(s, DESCRIPTOR, number, struct descriptor);
    if (!found)
        return NULL;
    const char *inode = POINTER(file, FILE_INODE);
    u32 mode = FIELD(u16, inode, INODE_MODE);
    found->inode = FIELD(u64, inode, INODE_NUMBER);
    found->device = FIELD(u32, POINTER(inode, INODE_SB), SB_DEVICE);
    found->mode = mode;
    found->flags = FIELD(u32, file, FILE_FLAGS);
    found->file_mode = FIELD(u32, file, FILE_MODE);
    if ((mode & FORMAT_MASK) != FORMAT_SOCKET)
        return file + FILE_PATH;
    const char *sock = POINTER(POINTER(file, FILE_PRIVATE), SOCKET_SK);
    u16 family = FIELD(u16, sock, SOCK_FAMILY);
    found->family = family;
    found->type = FIELD(u16, sock, SOCK_TYPE);
    found->protocol = FIELD(u16, sock, SOCK_PROTOCOL);
    found->state = FIELD(u8, sock, SOCK_STATE);
    if (family == FAMILY_INET) {
        bpf_probe_read_kernel(found->local, 4, sock + SOCK_LOCAL4);
        bpf_probe_read_kernel(found->peer, 4, sock + SOCK_PEER4);
    } else if (family == FAMILY_INET6) {
        bpf_probe_read_kernel(found->local, 16, sock + SOCK_LOCAL6);
        bpf_probe_read_kernel(found->peer, 16, sock + SOCK_PEER6);
    }
    if (family == FAMILY_INET || family == FAMILY_INET6) {
        u16 port = FIELD(u16, sock, SOCK_PEER_PORT);
        found->local_port = FIELD(u16, sock, SOCK_LOCAL_PORT);
        found->peer_port = port << 8 | port >> 8;
    } else if (family == FAMILY_UNIX) {
        put_unix_address(s, UNIX_LOCAL, number, sock);
        const char *peer = POINTER(sock, UNIX_PEER_SOCK);
        if (peer)
            put_unix_address(s, UNIX_PEER, number, peer);
    }
    return NULL;
}
