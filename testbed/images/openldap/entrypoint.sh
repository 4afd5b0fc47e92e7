#!/bin/sh
# Makes the directory from /ldif/people.ldif, then becomes the server. See the Dockerfile for the interface.
set -eu

mkdir -p /tmp/ldap
umask 077
password=$(printf '%s' "$LDAP_PASSWORD" | slappasswd -T /dev/stdin)
cat > /tmp/slapd.conf << CONF
include    /etc/ldap/schema/core.schema
include    /etc/ldap/schema/cosine.schema
include    /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile    /tmp/slapd.pid
database   mdb
maxsize    16777216
directory  /tmp/ldap
suffix     "$LDAP_SUFFIX"
rootdn     "cn=admin,$LDAP_SUFFIX"
rootpw     $password
access to attrs=userPassword by anonymous auth by * none
access to * by users read
CONF
unset LDAP_PASSWORD
[ -e /tmp/ldap/data.mdb ] || slapadd -f /tmp/slapd.conf -l /ldif/people.ldif
# `-d 0` keeps it in the foreground.
exec slapd -d 0 -f /tmp/slapd.conf -h ldap://0.0.0.0:3389
