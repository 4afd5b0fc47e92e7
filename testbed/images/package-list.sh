#!/bin/sh
# Writes the list of Debian packages into the root file system in folder $1, one file each in var/lib/dpkg/status.d, as
# distroless images have it: scanners and SBOMs read it. mmdebstrap calls this while the packages are still there.
set -eu
root=$1
list=$root/var/lib/dpkg/status.d

mkdir -p "$list"
for archive in "$root"/var/cache/apt/archives/*.deb; do
  name=$(dpkg-deb --field "$archive" Package)
  dpkg-deb --field "$archive" > "$list/$name"
done
