#!/bin/sh
# Makes the database cluster on an empty volume, then becomes the server. See the Dockerfile for the interface.
set -eu

stop() {
    echo "postgres: $1; $2." >&2
    exit 1
}

# A quoted SQL identifier: any name is legal once its quotes are doubled.
identifier() {
    printf '"%s"' "$(printf '%s' "$1" | sed 's/"/""/g')"
}

create_cluster() {
    user=${POSTGRES_USER:-postgres}
    database=${POSTGRES_DB:-$user}
    if [ -n "${POSTGRES_PASSWORD_FILE:-}" ]; then
        POSTGRES_PASSWORD=$(cat "$POSTGRES_PASSWORD_FILE")
    fi
    [ -n "${POSTGRES_PASSWORD:-}" ] ||
        stop "POSTGRES_PASSWORD: is empty" "set it, or POSTGRES_PASSWORD_FILE to a mounted Secret's file"

    # initdb itself refuses these, late, and one of them with a message that shows the password.
    case $user in
        *[\"\$\'\\]*) stop "POSTGRES_USER: has one of \" $ ' \\" "choose a name without them" ;;
    esac

    # Made beside PGDATA and renamed at the end: a pod that dies half-way leaves nothing that looks like a database.
    partial=$PGDATA.partial
    mkdir -p "$(dirname "$PGDATA")" 2>/dev/null && rm -rf "$partial" && mkdir -m 0700 "$partial" ||
        stop "PGDATA: $(dirname "$PGDATA") is not writable for uid $(id -u)" "set fsGroup, or PGDATA to a folder below the volume"
    # The password travels in a file descriptor, never in an argument. initdb reads one line.
    # shellcheck disable=SC2086
    printf '%s\n' "$POSTGRES_PASSWORD" | initdb --pgdata="$partial" --username="$user" --pwfile=/dev/stdin \
        --data-checksums --encoding=UTF8 --locale=C.UTF-8 --auth-local=trust --auth-host=scram-sha-256 ${POSTGRES_INITDB_ARGS:-}
    echo 'host all all all scram-sha-256' >> "$partial/pg_hba.conf"
    if [ "$database" != postgres ]; then
        printf 'CREATE DATABASE %s;\n' "$(identifier "$database")" |
            postgres --single -D "$partial" postgres > /dev/null
    fi
    mv -T "$partial" "$PGDATA" ||
        stop "PGDATA: $PGDATA cannot be replaced" "set PGDATA to an empty folder below the volume, not to the volume itself"
}

[ -s "$PGDATA/PG_VERSION" ] || create_cluster
unset POSTGRES_PASSWORD

sockets=/tmp
[ ! -w /var/run/postgresql ] || sockets=/var/run/postgresql
[ "${1:-}" != postgres ] || shift
exec postgres -D "$PGDATA" -c listen_addresses='*' -c "unix_socket_directories=$sockets" "$@"
