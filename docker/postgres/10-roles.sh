#!/bin/sh
# Run once by the postgres image when its volume is empty: the database and its two roles.
# holdfast_owner owns the database and migrates it; holdfast_app reads and writes rows, and the rights to do so come
# from `flask db upgrade`. Neither is a superuser. The passwords come from docker/secrets.sh.
set -eu

# Read by psql itself: as arguments they would stand in the process list.
psql --username "$POSTGRES_USER" --dbname postgres --no-password --no-psqlrc --quiet --set ON_ERROR_STOP=1 <<'SQL'
\set owner_password `cat /run/holdfast-database/owner_password`
\set app_password `cat /run/holdfast-database/app_password`
CREATE ROLE holdfast_owner LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION PASSWORD :'owner_password';
CREATE ROLE holdfast_app LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION PASSWORD :'app_password';
CREATE DATABASE holdfast OWNER holdfast_owner TEMPLATE template0 ENCODING 'UTF8';
REVOKE ALL ON DATABASE holdfast FROM PUBLIC;
GRANT CONNECT ON DATABASE holdfast TO holdfast_app;
SQL
