/* Opens at a settable rate: `event_rate RATE SECONDS PATH...` opens and closes the files in turn, RATE of them a second, in
 * portions of a millisecond, and prints how many opens it has made and how many seconds that took. It does not catch up
 * what it was kept from for more than ten milliseconds. */

#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec * 1e-9;
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        fprintf(stderr, "usage: %s RATE SECONDS PATH...\n", argv[0]);
        return 2;
    }
    char **paths = argv + 3;
    int count = argc - 3, next = 0;
    double rate = atof(argv[1]), start = now(), end = start + atof(argv[2]), last = start, at = start, owed = 0;
    long made = 0;

    while (at < end) {
        double passed = at - last;
        owed += rate * (passed < 0.01 ? passed : 0.01);
        last = at;
        for (; owed >= 1; owed--, made++) {
            int file = open(paths[next], O_RDONLY);
            if (file < 0)
                return 1;
            close(file);
            next = next + 1 < count ? next + 1 : 0;
        }
        struct timespec pause = {0, 200000};
        double left = last + 0.001 - now();
        if (left > 0) {
            pause.tv_nsec = left * 1e9;
            nanosleep(&pause, NULL);
        }
        at = now();
    }
    printf("%ld %.4f\n", made, at - start);
    return 0;
}
