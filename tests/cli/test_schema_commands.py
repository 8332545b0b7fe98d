"""`flask db`: up, down, a new revision, and whether models and migrations agree."""

import runpy
import shutil
import threading

import pytest
from pydantic import SecretStr

from app.core import schema
from tests.fixtures.command_line import command_line


@pytest.fixture
def flask(own_app):
    return command_line(own_app)


@pytest.fixture
def owner(own_sql):
    return own_sql


@pytest.fixture
def migrations(tmp_path, monkeypatch):
    """A copy of the migrations, where a new one may be written."""
    folder = tmp_path / "migrations"
    shutil.copytree(schema.MIGRATIONS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(schema, "MIGRATIONS", folder)
    schema.expected_revision.cache_clear()
    yield folder / "versions"
    schema.expected_revision.cache_clear()


def tables(owner):
    return {name for (name,) in owner("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")}


def test_down_to_base_removes_everything_and_up_brings_it_back(flask, owner, own_app):
    before = tables(owner)
    assert {"users", "projects", "audit_events", "procrastinate_jobs"} <= before
    result = flask("db", "downgrade", "base", "--yes")
    assert result.exit_code == 0
    assert result.output == "The schema is at base.\n"
    assert tables(owner) == {"alembic_version"}
    own_app.extensions["holdfast"].engines.engine.dispose()
    result = flask("db", "upgrade")
    assert result.exit_code == 0
    assert result.output == f"The schema is at {schema.expected_revision()}.\n"
    assert tables(owner) == before


def test_down_asks_first(flask, owner):
    before = tables(owner)
    result = flask("db", "downgrade", "base", input="n\n")
    assert result.exit_code == 1
    assert "This removes tables or columns and what is in them. Go on?" in result.output
    assert tables(owner) == before


def test_up_to_a_named_revision_stops_there(flask, owner):
    flask("db", "downgrade", "base", "--yes")
    result = flask("db", "upgrade", "0001")
    assert result.output == "The schema is at 0001.\n"
    assert owner("SELECT version_num FROM alembic_version") == [("0001",)]


def test_a_database_of_another_branch_is_told_how_to_mend(flask, owner):
    owner("UPDATE alembic_version SET version_num = '9999'")
    result = flask("db", "upgrade")
    assert result.exit_code == 1
    assert result.output.startswith(
        "Error: Can't locate revision identified by '9999': there is no such file"
    )
    assert "`make clean-data`" in result.output


def test_a_revision_wants_the_others_first(flask):
    flask("db", "downgrade", "base", "--yes")
    result = flask("db", "revision", "notes")
    assert result.output == "Error: Target database is not up to date: run `flask db upgrade` first\n"


def test_up_gives_the_services_role_back_what_it_needs_and_no_more(flask, owner, own_database):
    """SEC-58: rows of all tables, the audit trail only forwards."""
    role = own_database.database_url.get_secret_value().partition("://")[2].partition(":")[0]
    owner(f'REVOKE ALL ON ALL TABLES IN SCHEMA public FROM "{role}"')
    owner(f'GRANT UPDATE, DELETE ON audit_events TO "{role}"')
    assert flask("db", "upgrade").exit_code == 0
    rights = dict(
        owner(
            "SELECT table_name, array_agg(privilege_type::text ORDER BY privilege_type)"
            f" FROM information_schema.role_table_grants WHERE grantee = '{role}' GROUP BY 1"
        )
    )
    assert rights["projects"] == ["DELETE", "INSERT", "SELECT", "UPDATE"]
    assert rights["audit_events"] == ["INSERT", "SELECT"]
    assert rights["system_state"] == ["SELECT", "UPDATE"]
    assert rights["access_changes"] == ["DELETE", "SELECT"]
    assert rights["alembic_version"] == ["SELECT"]


def test_two_that_migrate_at_once_take_turns(own_app, owner):
    command_line(own_app)("db", "downgrade", "base", "--yes")
    settings, failures = own_app.extensions["holdfast"].settings, []

    def migrate():
        try:
            schema.upgrade(settings)
        except Exception as error:  # noqa: BLE001 - shown below
            failures.append(error)

    threads = [threading.Thread(target=migrate) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert owner("SELECT version_num FROM alembic_version") == [(schema.expected_revision(),)]


@pytest.mark.parametrize("words", [["upgrade"], ["downgrade", "base", "--yes"], ["check"], ["revision", "x"]])
def test_a_database_that_is_away_is_one_clear_line(own_app, own_database, monkeypatch, words):
    url = SecretStr("postgresql+psycopg2://somebody:secretword@127.0.0.1:1/nowhere")
    gone = own_database.model_copy(update={"migration_database_url": url})
    monkeypatch.setattr(own_app.extensions["holdfast"], "settings", gone)
    result = command_line(own_app)("db", *words)
    assert result.exit_code == 1
    assert result.output.startswith("Error: the database cannot be reached:")
    assert "Traceback" not in result.output
    assert "secretword" not in result.output


def test_an_unknown_revision_is_one_clear_line(flask):
    result = flask("db", "upgrade", "9999")
    assert result.exit_code == 1
    assert result.output.startswith("Error: ")
    assert "9999" in result.output
    assert "Traceback" not in result.output


def test_check_is_content_while_models_and_migrations_agree(flask):
    result = flask("db", "check")
    assert result.exit_code == 0, result.output
    assert "Models and migrations agree." in result.output


def test_check_names_what_the_migrations_lack(flask, owner):
    owner("DROP INDEX ix_projects_owner_id")
    result = flask("db", "check")
    assert result.exit_code == 1
    assert "ix_projects_owner_id" in result.output


def test_a_revision_holds_the_difference_and_continues_the_numbers(flask, owner, migrations):
    owner("ALTER TABLE projects DROP COLUMN description")
    before = set(migrations.glob("*.py"))
    result = flask("db", "revision", "Describe Projects")
    assert result.exit_code == 0, result.output
    (written,) = set(migrations.glob("*.py")) - before
    number = f"{max(int(path.name[:4]) for path in before) + 1:04d}"
    assert written.name.startswith(number)
    text = written.read_text()
    made = runpy.run_path(str(written))
    assert (made["revision"], made["down_revision"]) == (number, f"{int(number) - 1:04d}")
    upgrade = text.partition("def upgrade()")[2].partition("def downgrade()")[0]
    assert "op.add_column('projects'" in upgrade
    assert "'description'" in upgrade


def test_an_empty_revision_compares_nothing(flask, owner, migrations):
    owner("ALTER TABLE projects DROP COLUMN description")
    before = set(migrations.glob("*.py"))
    assert flask("db", "revision", "By hand", "--empty").exit_code == 0
    (written,) = set(migrations.glob("*.py")) - before
    assert "add_column" not in written.read_text()
