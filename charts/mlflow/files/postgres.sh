#!/bin/sh
# The half of backup and restore that needs PostgreSQL's own programs, beside the Python that has the object store.
# Both share the folder $1: Python writes `order` when the rest is ready, and into the pipe `settings` how it opens the
# database. The dump goes through the pipe `data`, `status` is how it ended here. Nothing is as large as the dump.
# `end` instead of an order: there is nothing to do.
# With `stay` as $2 it waits for more orders: Kubernetes would restart it if it ended while `schema` runs.
set -u
cd "$1" || exit 1

dump() {
    pg_dump --format=custom --no-password --lock-wait-timeout=300s --exclude-schema='mlflow_kubernetes*' \
        --snapshot="$(cat snapshot)" > data
}

# What is in a dump, in order; Python chooses from it. The rest is read too, for Python checks the sum of all of it.
contents() {
    {
        pg_restore --list > toc
        code=$?
        cat > /dev/null
        return "$code"
    } < data
}

# All in one transaction, and only a dump that was read to its end and counted is committed. What psql says then is
# the proof: the programs before it in the pipe may have failed.
restore() {
    # Older ones pass commands of psql in a dump on, which run programs (CVE-2025-8714).
    if ! pg_restore --help | grep -q -- --restrict-key; then
        echo "mlflow: restore: $(pg_restore --version) lets a dump run programs; set backup.image to" \
            "13.22, 14.19, 15.14, 16.10, 17.6 or newer." >&2
        : < data # or Python would wait for a reader
        return 1
    fi
    {
        cat before.sql &&
            pg_restore --file=- --use-list=list --no-owner --no-privileges --no-comments < data &&
            cat after.sql
    } |
        # From version 17 on it sets a parameter that older servers do not know.
        sed '/^-- PostgreSQL database dump$/,/^SET check_function_bodies/{/^SET transaction_timeout = 0;$/d}' |
        # As a variable it is a name whatever is in it; as an option it might be an address.
        PGDATABASE=$(cat database) psql --no-psqlrc --no-password --quiet --set=ON_ERROR_STOP=1 |
        grep -qx committed
}

obey() {
    mv order taken && touch started
    eval "$(cat settings)"
    "$(cat taken)"
    code=$?
    echo "$code" > status.new && mv status.new status
    return "$code"
}

while [ "${2:-}" = stay ]; do
    if [ -e order ]; then obey; fi
    sleep 2
done
while :; do
    until [ -e order ]; do
        [ ! -e end ] || exit 0
        sleep 0.2
    done
    obey || exit
    [ "$(cat taken)" = contents ] || exit 0
done
