"""`make run`: the whole service on a laptop, ended as one by Ctrl-C."""

import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import NoReturn

from dev import banner
from dev.address import Address
from dev.children import end_orphans
from dev.engine_state import EngineState
from dev.environment import ENV_FILE, secrets_of, service_settings, write_env_file
from dev.faults import Stopped, finish, tell
from dev.launcher import Launcher
from dev.lock import only_one
from dev.places import make_private, var_dir
from dev.postgres import PostgresServer
from dev.roles import Role, Roles, ensure_database, ensure_roles, statements
from dev.schema_stamp import SchemaStamp
from dev.terminal import Steps, say
from dev.valkey import ValkeyServer

DATABASE = "holdfast"


def run() -> int:
    """Start everything, print where to go, wait for Ctrl-C, end everything."""
    address = Address.chosen()
    home = make_private(var_dir())
    launcher = Launcher(home)
    with only_one(home, address.local_url):
        try:
            _start_and_watch(launcher, address, Steps())
        except Stopped:
            say("\n  Stopping ...")
            return 0
        finally:
            launcher.close()
            # The addresses in it are no longer ours to name.
            (home / ENV_FILE).unlink(missing_ok=True)
            _drop_metrics(home)
            if launcher.signals:
                say(f"  Stopped. The data stay in {home}.")


def _start_and_watch(launcher: Launcher, address: Address, steps: Steps) -> NoReturn:
    home = launcher.home
    orphans = end_orphans(home)
    if orphans:
        steps.done(f"ended what an earlier start left running: {', '.join(orphans)}")
    address.require_free()
    # Before the engines: data must never be there without the keys to them.
    keys = secrets_of(home)
    settings = service_settings(address, home, keys, _engines(launcher, steps))
    write_env_file(home / ENV_FILE, settings)
    _drop_metrics(home)
    env = {
        **os.environ,
        **settings,
        "HOLDFAST_ENV_FILE": str(home / ENV_FILE),
        "PROMETHEUS_MULTIPROC_DIR": tempfile.mkdtemp(prefix="metrics-", dir=home / "run"),
        "PYTHONUNBUFFERED": "1",
    }
    (home / "mailbox").mkdir(mode=0o700, exist_ok=True)
    stamp = SchemaStamp(home, settings["MIGRATION_DATABASE_URL"], settings["DATABASE_URL"])
    if not stamp.current():
        launcher.finish("`flask db upgrade`", _python("flask", "db", "upgrade"), env)
        stamp.note()
        steps.done("database migrated")
    seeded = _seed(launcher, settings, env, steps)
    launcher.start("api", _python("gunicorn", "wsgi:app"), env)
    launcher.start("worker", _python("flask", "worker"), env)
    notes = launcher.wait_ready(address.local_url)
    banner.show(address, home, seconds=steps.seconds, seeded=seeded, notes=notes)
    launcher.watch()


def _python(*arguments: str) -> list[str]:
    """A module of the environment; by module, because a script's first line breaks when the folder moves."""
    return [sys.executable, "-m", *arguments]


def _engines(launcher: Launcher, steps: Steps) -> dict[str, str]:
    """Start what the environment does not name; the URLs of all."""
    state = EngineState.load(launcher.home)
    urls = {}
    if os.environ.get("REDIS_URL"):
        urls["REDIS_URL"] = os.environ["REDIS_URL"]
        steps.done("using the Redis of REDIS_URL")
    else:
        valkey = ValkeyServer(launcher.home, state)
        launcher.engine(valkey)
        urls["REDIS_URL"] = valkey.url
        steps.done(f"Valkey on 127.0.0.1:{state.valkey_port}")
    if os.environ.get("DATABASE_URL"):
        urls["DATABASE_URL"] = os.environ["DATABASE_URL"]
        urls["MIGRATION_DATABASE_URL"] = os.environ.get("MIGRATION_DATABASE_URL") or urls["DATABASE_URL"]
        steps.done("using the database of DATABASE_URL")
        return urls
    postgres = PostgresServer(launcher.home, state)
    launcher.engine(postgres)
    roles = Roles(Role("holdfast_owner", state.owner_password), Role("holdfast_app", state.app_password))
    ensure_roles(postgres.admin_url, roles)
    ensure_database(postgres.admin_url, DATABASE, roles)
    urls["MIGRATION_DATABASE_URL"] = roles.owner.url(postgres.admin_url, DATABASE)
    urls["DATABASE_URL"] = roles.app.url(postgres.admin_url, DATABASE)
    steps.done(f"PostgreSQL on 127.0.0.1:{state.postgres_port}")
    return urls


def _seed(launcher: Launcher, settings: dict[str, str], env: dict[str, str], steps: Steps) -> bool:
    """Put the demo cast into a database without accounts.

    A database that somebody uses is left alone: the demo password is known to everybody.

    Returns:
        Whether the demo cast lives in this database.
    """
    with statements(settings["MIGRATION_DATABASE_URL"]) as cursor:
        cursor.execute("SELECT demo_seeded_at IS NOT NULL, EXISTS (SELECT 1 FROM users) FROM system_state")
        seeded, used = cursor.fetchone()
    if seeded or used:
        return bool(seeded)
    launcher.finish("`flask seed`", _python("flask", "seed"), env)
    steps.done("demo accounts and projects made")
    return True


def _drop_metrics(home: Path) -> None:
    for folder in (home / "run").glob("metrics-*"):
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    try:
        sys.exit(finish(run))
    except KeyboardInterrupt:
        tell("")
        sys.exit(130)
