#!/bin/sh
# What the official image does at a first start, as far as docker-compose.yml needs it.
set -eu
[ "$1" = postgres ] || exec "$@"
[ "$(id -u)" -ne 0 ] || { echo "this stand-in is meant to run as the user postgres" >&2; exit 1; }

chmod 0700 "$PGDATA"
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    # shellcheck disable=SC2086 # several arguments in one variable, as in the official image
    initdb --pgdata "$PGDATA" --username "$POSTGRES_USER" --pwfile "$POSTGRES_PASSWORD_FILE" \
        --auth-local trust ${POSTGRES_INITDB_ARGS:-}
    echo "host all all all scram-sha-256" >> "$PGDATA/pg_hba.conf"
    pg_ctl --pgdata "$PGDATA" --wait --options "-c listen_addresses=''" start
    for script in /docker-entrypoint-initdb.d/*.sh; do
        [ -e "$script" ] || continue
        if [ -x "$script" ]; then "$script"; else sh "$script"; fi
    done
    pg_ctl --pgdata "$PGDATA" --wait --mode fast stop
fi
exec "$@" -c 'listen_addresses=*'
