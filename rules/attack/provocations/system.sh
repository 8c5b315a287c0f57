#!/bin/sh
# Harmless causes of alerts that need root. Run it as
#
#     refengine --backend ptrace -r rules/attack -o rule_matching=all -- unshare --mount sh rules/attack/provocations/system.sh
#
# `unshare` gives it file systems of its own: what is mounted here lies over the machine's folders for this script only,
# and is gone with it.
set -eu

cannot() { echo "$1" >&2; exit 77; }
[ -w /proc/sys/kernel/core_pattern ] || cannot "the settings of the kernel cannot be written here"
unshare --user true || cannot "user namespaces cannot be made here"

# raises: Account database written
# raises: Sudo policy written
# raises: Login module written
# raises: Scheduled job written
# raises: Kernel module set to load at boot
# raises: Device rule written
# raises: Password hashes read
# raises: Keyboard read
# raises: Log removed or emptied
mount -t tmpfs none /etc
mkdir -p /etc/cron.d /etc/pam.d /etc/modules-load.d /etc/udev/rules.d /etc/sudoers.d
for file in passwd shadow sudoers.d/x pam.d/sshd cron.d/x modules-load.d/x.conf udev/rules.d/x.rules; do
    echo x > "/etc/$file"
done
cat /etc/shadow > /etc/copy
mount -t tmpfs none /var/log
echo x > /var/log/auth.log
rm /var/log/auth.log

# An empty list of libraries, or the loader would look for them in every program that starts from here on.
# raises: Preloaded library configured
: > /etc/ld.so.preload

# Opened for appending, and nothing appended.
# raises: Helper program of the kernel replaced
: >> /proc/sys/kernel/core_pattern

# raises: User namespace made by a server
folder=$(mktemp -d)
cp /bin/sh "$folder/nginx"
"$folder/nginx" -c 'unshare --user true; :'
rm -r "$folder"

# A file where the device would be. Nothing below may need a device, not even /dev/null.
mount -t tmpfs none /dev
mkdir /dev/input
: > /dev/input/event0
cat /dev/input/event0
