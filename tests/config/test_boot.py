"""SEC-56, REL-04: what a look into the database tells about a configuration before the first worker starts."""

import os
import signal
import subprocess

import pytest
from pydantic import SecretStr
from sqlalchemy import create_engine, make_url, text

from app.core.boot import database_faults
from tests.fixtures.gunicorn_process import APP, GUNICORN, ROOT, started, until
from tests.fixtures.settings import KEYS

CONF = ROOT / "gunicorn.conf.py"


@pytest.fixture
def faults(settings):
    """The faults of the settings of this run with some of them changed."""
    return lambda **changes: database_faults(settings.model_copy(update=changes))


@pytest.fixture
def as_role(engines, database):
    """A DATABASE_URL of another role: ``owner`` or ``admin``."""
    name, roles = database
    urls = {
        "owner": roles.owner.url(engines.admin_url, name),
        "admin": make_url(engines.admin_url).set(database=name).render_as_string(hide_password=False),
    }
    return lambda role: SecretStr(urls[role].replace("postgresql://", "postgresql+psycopg2://"))


@pytest.fixture
def superuser(as_role):
    url = as_role("admin")
    with create_engine(url.get_secret_value()).connect() as connection:
        if not connection.scalar(text("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")):
            pytest.skip("the given DATABASE_URL is no superuser's")
        connection.engine.dispose()
    return url


@pytest.fixture
def max_connections(sql):
    return int(sql("SHOW max_connections")[0][0])


def test_the_roles_of_this_run_are_sound(faults, app):
    assert faults(app_env="production") == []


def test_sec_56_a_superuser_is_refused_in_production(faults, app, superuser):
    [fault] = faults(app_env="production", database_url=superuser)
    assert fault.startswith("DATABASE_URL: ")
    assert "superuser" in fault
    assert faults(app_env="development", database_url=superuser) == []


def test_sec_56_the_owner_of_the_tables_is_refused_in_production(faults, app, as_role):
    [fault] = faults(app_env="production", database_url=as_role("owner"))
    assert fault.startswith("DATABASE_URL: ")
    assert "MIGRATION_DATABASE_URL" in fault
    assert faults(app_env="development", database_url=as_role("owner")) == []


def test_sec_56_a_database_with_the_demo_cast_is_refused_in_production(faults, app, sql):
    sql("UPDATE system_state SET demo_seeded_at = clock_timestamp()")
    [fault] = faults(app_env="production")
    assert fault.startswith("DATABASE_URL: ")
    assert "demo" in fault
    assert faults(app_env="development") == []


def test_faults_come_together_and_name_no_secret(faults, app, sql, as_role, max_connections):
    sql("UPDATE system_state SET demo_seeded_at = clock_timestamp()")
    url = as_role("owner")
    told = faults(app_env="production", database_url=url, workers=max_connections)
    assert [fault.partition(":")[0] for fault in told] == ["WORKERS", "DATABASE_URL", "DATABASE_URL"]
    assert make_url(url.get_secret_value()).password not in "".join(told)


@pytest.mark.parametrize("environment", ["development", "production"])
@pytest.mark.parametrize(("workers", "pool", "overflow"), [(1, -8, 0), (1, -18, 10), (2, None, 0)])
def test_rel_04_all_pools_together_leave_the_server_room(
    faults, app, max_connections, environment, workers, pool, overflow
):
    """workers x (pool_size + max_overflow) + 5 <= max_connections - 3, to the connection."""
    pool = (max_connections - 8) // 2 if pool is None else max_connections + pool
    sizes = {"workers": workers, "db_max_overflow": overflow}
    assert faults(app_env=environment, db_pool_size=pool, **sizes) == []
    [fault] = faults(app_env=environment, db_pool_size=pool + 1, **sizes)
    assert fault.startswith("WORKERS: ")
    assert f"max_connections = {max_connections}" in fault


def test_rel_05_a_database_that_does_not_answer_is_no_fault(faults, app, dead_port, log_lines):
    away = SecretStr(f"postgresql+psycopg2://nobody:sargasso@127.0.0.1:{dead_port}/nothing")
    assert faults(app_env="production", database_url=away) == []
    [line] = log_lines.of("boot_checks_skipped")
    assert "sargasso" not in str(line)


def test_a_database_without_tables_is_no_fault(faults, app, engines, database):
    """Before the first migration there is nothing to find."""
    _, roles = database
    url = roles.app.url(engines.admin_url, "postgres").replace("postgresql://", "postgresql+psycopg2://")
    assert faults(app_env="production", database_url=SecretStr(url)) == []


class TestGunicorn:
    """The same, by the program that asks."""

    @pytest.fixture
    def environment(self, settings):
        return {
            "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOLDFAST_ENV_FILE": "/nowhere", "APP_ENV": "test",
            "DATABASE_URL": settings.database_url.get_secret_value(), "REDIS_URL": "redis://localhost:1/0",
            "MAILBOX_DIR": "/nowhere/mailbox", "LOG_LEVEL": "info", **{name.upper(): ring for name, ring in KEYS.items()},
        }  # fmt: skip

    def test_it_ends_with_78_and_a_line_per_fault(self, environment, tmp_path, as_role, max_connections, app):
        production = {
            **environment, "APP_ENV": "production", "PUBLIC_URL": "https://api.example.com",
            "SMTP_URL": "smtps://mail.example.com", "DATABASE_URL": as_role("owner").get_secret_value(),
            "STORAGE_DIR": "/nowhere/files", "WORKERS": "64", "DB_POOL_SIZE": str(min(100, max_connections)),
        }  # fmt: skip
        del production["MAILBOX_DIR"]
        result = subprocess.run(
            [*GUNICORN, "-c", CONF, "-b", "127.0.0.1:0", APP], env=production, cwd=tmp_path, capture_output=True, text=True,
            timeout=60, check=False,
        )  # fmt: skip
        assert result.returncode == 78
        assert [line.partition(":")[0] for line in result.stderr.splitlines()] == ["WORKERS", "DATABASE_URL"]
        assert "Traceback" not in result.stdout + result.stderr

    def test_it_is_not_reloaded_into_too_many_connections(self, environment, tmp_path, app):
        size = tmp_path / "size"
        size.write_text("4")
        environment |= {"DB_POOL_SIZE_FILE": str(size), "WORKERS": "2"}
        with started(tmp_path, CONF, environment) as server:
            size.write_text("100")
            server.process.send_signal(signal.SIGHUP)
            until(lambda: "Not reloaded: WORKERS" in server.output.read_text(), "the reload is refused")
            assert server.get("/").body == b"hello"
            assert server.stop() == 0
