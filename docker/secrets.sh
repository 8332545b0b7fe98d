#!/bin/sh
# Makes what the laptop stack must not share with any other: keys and database passwords, once, at the first start.
# Runs in the service's image before everything else. What is there already is left alone, so that a restart, or a
# start that was interrupted, changes nothing that accounts and rows depend on.
#
#   secrets/   read by migrate, api and worker: the three key rings, OPS_TOKEN, DATABASE_URL (rows only)
#   database/  read by postgres and migrate alone: the passwords, and the owner's MIGRATION_DATABASE_URL
set -eu

home=${1:-/var/lib/holdfast}
umask 077

random() { python -c 'import secrets; print(secrets.token_urlsafe(32))'; }

# Write a value to a file unless it has one; under another name first, so that half a file is never found.
keep() { # file mode value
    [ -s "$1" ] && return 0
    printf '%s\n' "$3" > "$1.new"
    chmod "$2" "$1.new"
    mv "$1.new" "$1"
}

for name in superuser_password owner_password app_password; do
    # PostgreSQL runs as another user than the service does. Only containers that mount this volume see it.
    keep "$home/database/$name" 0444 "$(random)"
done
owner=$(cat "$home/database/owner_password")
app=$(cat "$home/database/app_password")
keep "$home/database/MIGRATION_DATABASE_URL" 0400 "postgresql://holdfast_owner:$owner@postgres:5432/holdfast"
keep "$home/secrets/DATABASE_URL" 0400 "postgresql://holdfast_app:$app@postgres:5432/holdfast"

missing=
for name in SECRET_KEYS PASSWORD_PEPPERS SIGNING_KEYS OPS_TOKEN; do
    [ -s "$home/secrets/$name" ] || missing="$missing $name"
done
[ -z "$missing" ] && exit 0
flask keys new | while read -r line; do keep "$home/secrets/${line%%=*}" 0400 "${line#*=}"; done
for name in $missing; do
    [ -s "$home/secrets/$name" ] || { echo "flask keys new gave no $name" >&2; exit 1; }
done
