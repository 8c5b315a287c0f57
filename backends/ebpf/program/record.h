/* The records that the kernel side writes: a head, then blobs, each with its own head and padded to 8 bytes.
 * `refengine/backends/ebpf/layout.py` has the same layouts. */

enum record_kind { SYSCALL_EXIT = 1, EXECUTION = 2, BIRTH = 3, END = 4 };

struct record {
    u64 time;    /* nanoseconds since the boot */
    u32 number;  /* of the system call */
    u32 kind;
    s64 result;
    u64 args[6];
    /* From here up to `cpu`: who it was. The reader compares all of it at once. */
    u64 start;   /* of the process, nanoseconds since the boot */
    u32 pid;
    u32 tid;
    u32 ppid;
    u32 uid;     /* effective */
    u32 gid;     /* effective */
    char comm[16];
    u32 cpu;
};

enum blob_kind {
    MEMORY = 1,          /* bytes at an address of the program */
    TEXT = 2,            /* a string at an address, with its final NUL where it has been reached */
    DESCRIPTOR = 3,      /* struct descriptor of the open file with the number in `address` */
    DESCRIPTOR_PATH = 4, /* the path of that open file */
    UNIX_LOCAL = 5,      /* the bound address of that local socket, */
    UNIX_PEER = 6,       /* and of the one that it is connected to */
    WORKING_DIRECTORY = 7,
    PROGRAM = 8,         /* struct program */
    PROGRAM_PATH = 9,
    CALLED_PATH = 10,    /* the path that the execution named */
    ARGUMENTS = 11,
    ENVIRONMENT = 12,
    CGROUP = 13,         /* `address` 0 for the unified hierarchy, 1 for that of the memory controller */
    CHILD = 14           /* struct child */
};

struct blob {
    u32 kind;
    u32 length;
    u64 address;
};

struct descriptor {
    u64 inode;
    u32 device;
    u32 mode;
    u32 flags;
    u16 family;
    u16 type;
    u16 protocol;
    u16 state;
    u16 local_port;
    u16 peer_port;
    u8 local[16];
    u8 peer[16];
    u32 file_mode;       /* the kernel's own, which tells whether an open has made the file */
    u32 padding;
};

struct program {
    u64 inheritable;
    u64 permitted;
    u64 effective;
    u64 inode;
    u64 changed;         /* nanoseconds since the epoch */
    u64 modified;
    u64 mapped;          /* pages */
    u64 minor_faults;
    u64 major_faults;
    u64 descriptor_limit;
    u32 tty;
    u32 pgid;
    u32 sid;
    u32 vpgid;
    u32 vpid;
    u32 vtid;
    u32 loginuid;
    u32 mode;
    u32 owner;
    u32 group;
    u32 upper_layer;     /* the file is in the upper layer of an overlay filesystem, */
    u32 lower_layer;     /* or in a lower one */
};

struct child {
    u32 pid;
    u32 tid;
    u32 vpid;
    u32 vtid;
    u64 start;
    u32 flags;           /* clone flags, as far as what the two share shows them */
    u32 parent;          /* the process that is the child's parent */
};

enum counter {
    SEEN = 0,
    FILTERED = 1,
    SENT = 2,
    RING_FULL = 3,
    NO_CAPTURE = 4,
    PROGRAMS_32 = 5,  /* executions of 32-bit programs */
    CALLS_32 = 6,     /* 32-bit calls that were noticed: where there is one program for the exits of all calls
                         each that returns, else births and ends */
    COUNTERS = 8
};

/* What to copy of a system call's memory. */
enum capture_kind {
    NOTHING = 0,
    CAPTURE_TEXT = 1,
    CAPTURE_BYTES = 2,       /* `size` bytes */
    CAPTURE_BUFFER = 3,      /* as many bytes as argument `length` says, at most `size` */
    CAPTURE_RESULT = 4,      /* as many bytes as the result says, at most `size` */
    CAPTURE_VECTOR = 5,      /* a vector of buffers with argument `length` entries, `size` bytes of each */
    CAPTURE_MESSAGE = 6,     /* a struct msghdr and what it points to */
    CAPTURE_DESCRIPTOR = 7,  /* the open file with the number in the argument */
    CAPTURE_CREATED = 8,     /* the open file with the number in the result */
    CAPTURE_DIRECTORY = 9,   /* the directory that the path in argument `length` is relative to, if it is, or if there is
                                a `size`; argument 7 is the working directory */
    CAPTURE_SIZED = 10,      /* as many bytes as the 32-bit number that argument `length` points to says */
    CAPTURE_ENTRY = 11       /* the string that entry `size` of a vector of strings points to */
};

struct capture {
    u8 kind;
    u8 argument;
    u8 length;
    u8 unused;
    u32 size;
};

#define CAPTURES_MAX 12

struct plan {
    struct capture captures[CAPTURES_MAX];
};

/* Offsets within one per-CPU value, and the size of what is written into it at once. */
#define TEXT_MAX 4096
#define BLOBS_SIZE 24576
#define PATH_SLACK 640

/* What prefilters know of a call. */
struct facts {
    s64 result;
    u64 args[3];
    u64 comm[2];
    u32 flags;        /* of an open, */
    bool has_flags;   /* where they could be read */
    u32 uid;
    bool plain;       /* the text of the path is, */
    bool absolute;    /* it begins with a slash, */
    bool known;       /* and the whole name is known */
    u64 skipped;      /* bytes of the text that are a "./" in front of it */
    u64 length;       /* of the text, then of the name */
    u64 end;          /* the last eight bytes of the name, */
    u64 end_known;    /* the mask of those that are known, */
    u64 folder_end;   /* and those of its directory likewise, where the text is relative */
    u64 folder_end_known;
    u64 at;           /* where the name begins in the scratch space, */
    u64 slash;        /* and where its last slash is */
    u64 slashes;      /* while a text or name is looked over: the last slashes, */
    u64 odd;          /* and characters that are not plain */
};

/* The parts of the program's memory that one capture asks for. */
struct span {
    u64 address;
    u64 length;
};

#define BUFFERS_MAX 4
#define SPANS_MAX (4 + BUFFERS_MAX)

struct scratch {
    u64 counters[COUNTERS];
    struct facts facts; /* beside the counters, so that a call touches few lines of memory */
    u64 used;  /* bytes of blobs */
    u64 contained; /* at an execution, whether the process may be in a container */
    u64 step;  /* of the plan of a call */
    u64 at;    /* where what has been built of a path begins; TEXT_MAX while there is nothing, */
    u64 mount; /* and of the component in front of it, */
    u64 dentry;
    u64 root;  /* the mount, the dentry, and the dentry at which the mount ends */
    struct record record;
    char blobs[BLOBS_SIZE];
    char path[TEXT_MAX + PATH_SLACK];
    struct span spans[SPANS_MAX];
};

struct settings {
    u32 own_pid;
    u32 environment;  /* copy the environment at executions */
    u32 threads;      /* report the births and ends of threads, not of processes alone */
    u32 unused;
};
