#!/usr/bin/env bash
# Run the unit tests on the newest Pythons there are, those of Debian's unstable, in a system of their own that is gone
# afterwards. For root on a Debian: newest.sh [MIRROR]
set -euo pipefail
mirror=${1:-http://deb.debian.org/debian}
if [[ -z ${IN_NAMESPACE:-} ]]; then # what is mounted below goes with the process
    IN_NAMESPACE=1 exec unshare --mount "$0" "$@"
fi
command -v debootstrap > /dev/null || DEBIAN_FRONTEND=noninteractive apt-get install -qy debootstrap
root=$(mktemp -d)
trap 'umount -lq "$root/dev" "$root/proc" || true; rm -rf --one-file-system "$root"' EXIT
debootstrap --variant=minbase --include=python3,tzdata,ca-certificates sid "$root" "$mirror" > /dev/null
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
pythons=$(chroot "$root" apt-cache search --names-only '^python3\.[0-9]+$' | cut -d ' ' -f 1)
# shellcheck disable=SC2086  # several words
chroot "$root" env DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends $pythons > /dev/null
git ls-files -z | xargs -0 cp --parents -t "$root/srv"
failed=0
for python in $pythons; do
    echo "unit tests on $python"
    chroot "$root" env -C /srv "$python" -X dev -W ignore::ResourceWarning -m unittest discover tests/unit || failed=1
done
exit "$failed"
