/* Numbers of the kernel's interface. */

#define WORKING_DIRECTORY_NUMBER -100
#define DESCRIPTOR_LIMIT (1 << 24)

#define FORMAT_MASK 0170000
#define FORMAT_SOCKET 0140000
#define FORMAT_DIRECTORY 0040000
#define FORMAT_PIPE 0010000

#define FAMILY_UNIX 1
#define FAMILY_INET 2
#define FAMILY_INET6 10
#define FAMILY_NETLINK 16

/* Where the registers of a call are among those that are saved. */
#define SAVED_R9 64
#define SAVED_R8 72
#define SAVED_DX 96
#define SAVED_SI 104
#define SAVED_DI 112
#define SAVED_ORIG_AX 120
