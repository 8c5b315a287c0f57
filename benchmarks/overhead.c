/* Work for a monitor to watch: `overhead WHAT COUNT` prints the seconds of wall and of processor time that it took. */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static double seconds(struct timeval time)
{
    return time.tv_sec + time.tv_usec * 1e-6;
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec * 1e-9;
}

static void open_and_close(long count, const char *path)
{
    while (count--)
        close(open(path, O_RDONLY));
}

static void ask_for_parent(long count)
{
    while (count--)
        syscall(SYS_getppid);
}

/* One byte from one device to another, and so two calls. */
static void read_and_write(long count)
{
    char byte;
    int from = open("/dev/zero", O_RDONLY), to = open("/dev/null", O_WRONLY);
    while (count--)
        if (read(from, &byte, 1) != 1 || write(to, &byte, 1) != 1)
            exit(1);
}

static void execute(long count)
{
    char *arguments[] = {"/bin/true", NULL};
    while (count--) {
        pid_t child = vfork();
        if (child == 0) {
            execve(arguments[0], arguments, environ);
            _exit(127);
        }
        waitpid(child, NULL, 0);
    }
}

/* Connections that are refused, so that none of them stays. */
static void connect_and_close(long count)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(1)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    while (count--) {
        int socket_ = socket(AF_INET, SOCK_STREAM, 0);
        connect(socket_, (struct sockaddr *)&address, sizeof(address));
        close(socket_);
    }
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: %s open|relative|getppid|readwrite|exec|connect COUNT\n", argv[0]);
        return 2;
    }
    const char *what = argv[1];
    long count = atol(argv[2]);
    double start = now();
    struct rusage own, children;

    if (!strcmp(what, "open"))
        open_and_close(count, "/etc/hostname");
    else if (!strcmp(what, "relative"))
        open_and_close(count, "overhead.c");
    else if (!strcmp(what, "getppid"))
        ask_for_parent(count);
    else if (!strcmp(what, "readwrite"))
        read_and_write(count);
    else if (!strcmp(what, "exec"))
        execute(count);
    else if (!strcmp(what, "connect"))
        connect_and_close(count);
    else
        return 2;
    getrusage(RUSAGE_SELF, &own);
    getrusage(RUSAGE_CHILDREN, &children);
    printf("%.4f %.4f\n", now() - start,
           seconds(own.ru_utime) + seconds(own.ru_stime) + seconds(children.ru_utime) + seconds(children.ru_stime));
    return 0;
}
