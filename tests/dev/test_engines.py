"""Real servers from wheels: there when wanted, gone afterwards, and only for whom they are meant."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import psycopg2
import pytest

from dev.engine_state import EngineState
from dev.engines import ADMIN_URL, REDIS_URL, Engines, engines_for_tests, postgres_in, throwaway, valkey_in
from dev.faults import Fault
from dev.identity import Identity
from dev.places import ROOT
from dev.roles import (
    Role,
    drop_database,
    drop_roles,
    ensure_database,
    ensure_roles,
    new_roles,
    plain_url,
    require_admin,
    statements,
)

HOLDER = """
import json, sys
from dev.engines import throwaway
with throwaway("valkey") as urls:
    print(json.dumps(urls), flush=True)
    sys.stdin.read()
"""


@pytest.fixture(scope="module")
def admin_url():
    with engines_for_tests() as engines:
        yield engines.admin_url


@pytest.fixture(scope="module")
def database(admin_url):
    """Two fresh roles and a database of theirs."""
    roles = new_roles("holdfast_dev")
    name = f"{roles.owner.name}_db"
    ensure_roles(admin_url, roles)
    ensure_database(admin_url, name, roles)
    yield roles, name
    drop_database(admin_url, name)
    drop_roles(admin_url, roles)


def listening(url: str) -> bool:
    parts = urlsplit(url)
    with socket.socket() as probe:
        probe.settimeout(5)
        return probe.connect_ex((str(parts.hostname), int(parts.port or 0))) == 0


def wait_until_closed(url: str) -> None:
    me = Identity.of(os.getpid())
    assert me
    me.wait_gone(10, hurry=lambda: not listening(url))
    assert not listening(url)


class TestRoles:
    def test_neither_may_more_than_it_must(self, admin_url, database):
        roles, _ = database
        with statements(admin_url) as cursor:
            cursor.execute(
                "SELECT rolname FROM pg_roles WHERE rolname IN (%s, %s) AND rolcanlogin"
                " AND NOT (rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication OR rolbypassrls)",
                (roles.owner.name, roles.app.name),
            )
            assert {row[0] for row in cursor.fetchall()} == {roles.owner.name, roles.app.name}

    def test_the_owner_may_create_and_the_app_role_reads_and_writes_rows_only(self, admin_url, database):
        roles, name = database
        with statements(roles.owner.url(admin_url, name)) as cursor:
            cursor.execute("CREATE TABLE things (id int PRIMARY KEY)")
            cursor.execute("CREATE EXTENSION pg_trgm")
            cursor.execute(f"GRANT SELECT, INSERT ON things TO {roles.app.name}")
        with statements(roles.app.url(admin_url, name)) as cursor:
            cursor.execute("INSERT INTO things VALUES (1)")
            for forbidden in (
                "DELETE FROM things",
                "DROP TABLE things",
                "ALTER TABLE things ADD x int",
                "CREATE TABLE others (id int)",
                "CREATE TEMPORARY TABLE others (id int)",
                "CREATE SCHEMA others",
                "CREATE ROLE others",
                "CREATE DATABASE others",
                f"SET ROLE {roles.owner.name}",
            ):
                with pytest.raises(psycopg2.errors.InsufficientPrivilege):
                    cursor.execute(forbidden)

    def test_other_roles_may_not_enter_the_database(self, admin_url, database):
        _, name = database
        others = new_roles("holdfast_other")
        ensure_roles(admin_url, others)
        try:
            with (
                pytest.raises(Fault, match="permission denied for database"),
                statements(others.app.url(admin_url, name)),
            ):
                pass
        finally:
            drop_roles(admin_url, others)

    def test_making_them_again_gives_the_password_that_is_known_now(self, admin_url, database):
        roles, name = database
        changed = Role(roles.app.name, "another-password")
        ensure_roles(admin_url, type(roles)(roles.owner, changed))
        ensure_database(admin_url, name, roles)
        with statements(changed.url(admin_url, name)) as cursor:
            cursor.execute("SELECT 1")
        ensure_roles(admin_url, roles)


class TestGivenServers:
    @pytest.fixture
    def role(self, admin_url):
        role = Role("holdfast_given", "given-password")
        with statements(admin_url) as cursor:
            cursor.execute(f"CREATE ROLE {role.name} LOGIN PASSWORD '{role.password}'")
        yield role
        with statements(admin_url) as cursor:
            cursor.execute(f"DROP ROLE {role.name}")

    def test_a_role_without_the_rights_is_told_which(self, admin_url, role):
        url = role.url(admin_url, "postgres")
        with pytest.raises(Fault, match=r"ALTER ROLE holdfast_given CREATEDB CREATEROLE;"):
            require_admin(url)

    def test_a_role_with_just_the_rights_can_do_all_that_tests_need(self, admin_url, role):
        with statements(admin_url) as cursor:
            cursor.execute(f"ALTER ROLE {role.name} CREATEDB CREATEROLE")
        url = role.url(admin_url, "postgres")
        require_admin(url)
        roles = new_roles()
        ensure_roles(url, roles)
        try:
            ensure_database(url, "holdfast_given_template", roles)
            with statements(roles.owner.url(url, "holdfast_given_template")) as cursor:
                cursor.execute("CREATE TABLE copied (id int)")
            ensure_database(url, "holdfast_given_copy", roles, template="holdfast_given_template")
            with statements(roles.owner.url(url, "holdfast_given_copy")) as cursor:
                cursor.execute("SELECT * FROM copied")
        finally:
            drop_database(url, "holdfast_given_copy")
            drop_database(url, "holdfast_given_template")
            drop_roles(url, roles)

    def test_servers_named_by_the_environment_are_used_and_hidden_from_the_tests(
        self, admin_url, monkeypatch
    ):
        monkeypatch.delenv(ADMIN_URL, raising=False)
        monkeypatch.delenv(REDIS_URL, raising=False)
        monkeypatch.setenv("DATABASE_URL", admin_url)
        monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
        with engines_for_tests() as engines:
            assert engines == Engines(admin_url, "redis://127.0.0.1:1/0")
            assert "DATABASE_URL" not in os.environ
            with engines_for_tests() as again:
                assert again == engines
        assert os.environ["DATABASE_URL"] == admin_url
        assert ADMIN_URL not in os.environ

    def test_a_server_that_does_not_answer_is_named_without_its_password(self):
        with pytest.raises(Fault) as caught, statements("postgresql://me:secret@127.0.0.1:1/x"):
            pass
        assert "127.0.0.1:1/x" in str(caught.value)
        assert "secret" not in str(caught.value)


class TestThrowaway:
    def test_they_end_with_the_block_and_leave_nothing(self, tmp_path, monkeypatch):
        monkeypatch.setenv("TMPDIR", str(tmp_path))
        with throwaway("valkey") as urls:
            assert list(tmp_path.iterdir())
            assert listening(urls["valkey"])
        assert not listening(urls["valkey"])
        assert list(tmp_path.iterdir()) == []

    def test_they_end_when_the_test_run_is_killed(self, tmp_path):
        with self._holder(tmp_path) as (holder, url):
            holder.send_signal(signal.SIGKILL)
            wait_until_closed(url)

    def test_what_a_killed_keeper_left_is_ended_by_the_next(self, tmp_path):
        with self._holder(tmp_path) as (_, url):
            left = next(tmp_path.glob("holdfast-engines-*"))
            keeper = json.loads((left / "keeper.json").read_text())["pid"]
            identity = Identity.of(keeper)
            os.kill(keeper, signal.SIGKILL)
            assert identity
            assert identity.wait_gone(5)
            assert listening(url)
            with self._holder(tmp_path):
                assert not listening(url)
                assert not left.exists()

    @staticmethod
    @contextlib.contextmanager
    def _holder(folder: Path):
        with subprocess.Popen(
            [sys.executable, "-c", HOLDER],
            cwd=ROOT,
            env={**os.environ, "TMPDIR": str(folder)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as process:
            assert process.stdout
            yield process, json.loads(process.stdout.readline())["valkey"]

    def test_a_fault_of_the_keeper_reaches_the_test_run(self):
        with pytest.raises(Fault, match="no engine is called oracle"), throwaway("valkey", "oracle"):
            pass


class TestServers:
    def test_valkey_comes_back_on_its_port_and_moves_when_that_is_taken(self, tmp_path):
        with valkey_in(tmp_path) as server:
            port = server.state.valkey_port
            server.stop()
            server.start()
            assert server.state.valkey_port == port
            server.stop()
            with socket.socket() as thief:
                thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                thief.bind(("127.0.0.1", port))
                thief.listen()
                server.start()
                assert server.state.valkey_port != port
        assert EngineState.load(tmp_path).valkey_port == server.state.valkey_port

    def test_passwords_are_in_private_files_and_in_no_command_line(self, tmp_path):
        with valkey_in(tmp_path) as server:
            assert server.child
            command = subprocess.run(
                ["ps", "-o", "args=", "-p", str(server.child.process.pid)],
                capture_output=True,
                text=True,
                check=True,
            ).stdout
            assert server.state.valkey_password not in command
            assert (tmp_path / "valkey" / "valkey.conf").stat().st_mode & 0o777 == 0o600
        assert (tmp_path / "engines.json").stat().st_mode & 0o777 == 0o600

    def test_postgres_keeps_its_data_over_a_crash_and_works_in_a_closed_folder(self, tmp_path):
        home = tmp_path / "closed"
        home.mkdir(mode=0o700)
        with postgres_in(home) as server:
            with statements(server.admin_url) as cursor:
                cursor.execute("CREATE TABLE kept (id int); INSERT INTO kept VALUES (7)")
                cursor.execute("CHECKPOINT")
                cursor.execute("SHOW server_encoding")
                assert cursor.fetchone() == ("UTF8",)
            assert server.child
            server.child.process.kill()
            server.child.process.wait()
            # The lock file that it left names a pid that somebody else has by now: this very process.
            lock = home / "postgres" / "postmaster.pid"
            lines = lock.read_text().splitlines()
            lock.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")
            server.start()
            with statements(server.admin_url) as cursor:
                cursor.execute("SELECT id FROM kept")
                assert cursor.fetchall() == [(7,)]


def test_numbered_redis_databases():
    assert Engines("", "redis://:pw@h:1/0").redis_database(3) == "redis://:pw@h:1/3"
    assert Engines("", "redis://h:1").redis_database(3) == "redis://h:1/3"
    assert Engines("", "rediss://h:1/0?x=1").redis_database(3) == "rediss://h:1/3?x=1"


def test_urls_without_a_driver_name():
    assert plain_url("postgresql+psycopg2://a:b@h/x") == "postgresql://a:b@h/x"
    assert plain_url("postgresql://a:b@h/x") == "postgresql://a:b@h/x"
