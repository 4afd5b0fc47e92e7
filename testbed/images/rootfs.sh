#!/bin/sh
# Finishes the root file system in folder $1: does what the packages' own scripts would have done (mmdebstrap
# --variant=extract runs none), and removes whatever describes the machine that built it.
set -eu
root=$1

cp "$root/usr/share/base-passwd/passwd.master" "$root/etc/passwd"
cp "$root/usr/share/base-passwd/group.master" "$root/etc/group"
[ -e "$root/bin/sh" ] || ln -s dash "$root/bin/sh"
rm -rf "$root/var/run" "$root/var/lock"
ln -s /run "$root/var/run"
ln -s /run/lock "$root/var/lock"
cat "$root"/usr/share/ca-certificates/mozilla/*.crt > "$root/etc/ssl/certs/ca-certificates.crt"

# This machine's name, resolver and package sources.
rm -rf "$root/etc/hostname" "$root/etc/resolv.conf" "$root/etc/hosts" "$root/etc/apt" "$root/var/lib/apt"
# The container runtime fills these.
rm -rf "$root"/dev/* "$root"/run/* "$root"/tmp/* "$root"/var/cache/* "$root"/var/log/*
# Documentation and translations; the licences stay.
rm -rf "$root"/usr/share/man "$root"/usr/share/info "$root"/usr/share/locale "$root"/usr/share/lintian
find "$root/usr/share/doc" -type f ! -name copyright -delete
find "$root/usr/share/doc" -depth -type d -empty -delete
# Only Debian's package scripts use perl here.
rm -rf "$root"/usr/bin/perl* "$root"/usr/lib/*/perl* "$root"/usr/lib/*/libperl.so* "$root"/usr/share/perl*
chroot "$root" /sbin/ldconfig
chmod 1777 "$root/tmp"
