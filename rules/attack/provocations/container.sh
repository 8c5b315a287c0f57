#!/bin/sh
# Harmless causes of alerts on containers, without a container: a process counts as one of a container by the name of its
# cgroup, so that it is enough to be in one with such a name. Needs root. Run it as
#
#     refengine --backend ptrace -r rules/attack -o rule_matching=all -- unshare --mount sh rules/attack/provocations/container.sh
set -eu

cannot() { echo "$1" >&2; exit 77; }
command -v script > /dev/null || cannot "there is no program 'script', which gives a terminal"

if [ -e /sys/fs/cgroup/cgroup.procs ]; then
    root=/sys/fs/cgroup
    own=$(sed -n 's/^0:://p' /proc/self/cgroup)
else
    root=/sys/fs/cgroup/memory
    own=$(sed -n 's/^[0-9]*:memory://p' /proc/self/cgroup)
fi
group=$root/docker-000000000000000000000000000000000000000000000000000000000000c0de.scope
mkdir "$group" || cannot "control groups cannot be made here"
trap 'echo $$ > "$root$own/cgroup.procs"; rmdir "$group"' EXIT
echo $$ > "$group/cgroup.procs"

folder=$(mktemp -d)
cd "$folder"

# raises: Namespace of the host entered
# raises: Package installed in a container
for program in nsenter apk; do cp /bin/true $program; done
./nsenter
./apk add curl

# raises: Token of a pod read by hand
mount -t tmpfs none /var/run
mkdir -p /var/run/secrets/kubernetes.io/serviceaccount
: > /var/run/secrets/kubernetes.io/serviceaccount/token
cat /var/run/secrets/kubernetes.io/serviceaccount/token

# raises: Runtime of containers asked from inside one
perl -e '
    use Socket;
    my $address = sockaddr_un("./docker.sock");
    socket my $server, AF_UNIX, SOCK_STREAM, 0;
    bind $server, $address or die;
    listen $server, 1;
    socket my $client, AF_UNIX, SOCK_STREAM, 0;
    connect $client, $address or die;
'

# A device that is harmless, laid over a file of this script's own.
# raises: File system mounted in a container
: > file
perl -e 'my ($device, $file, $type) = ("/dev/null", "file", "none"); syscall 165, $device, $file, $type, 4096, 0;'
umount file

# A terminal is what `script` gives to the shell.
# raises: Shell with a terminal in a container
script -qc ':' /dev/null < /dev/null

cd /
rm -r "$folder"
