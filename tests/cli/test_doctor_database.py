"""What `flask doctor` finds in and about PostgreSQL; each complaint comes from a database damaged for real."""

import secrets
from contextlib import closing, contextmanager
from urllib.parse import urlsplit

import psycopg
import psycopg2
import pytest

from app.cli.checks import schema
from app.cli.checks.look import Look
from dev.roles import Role, plain_url
from tests.cli.examined import PRODUCTION, Examined, severity


@pytest.fixture
def admin_sql(engines, own_database):
    """SQL in the test's own database, as the server's administrator."""
    name = urlsplit(own_database.database_url.get_secret_value()).path
    connection = psycopg2.connect(plain_url(urlsplit(engines.admin_url)._replace(path=name).geturl()))
    connection.autocommit = True

    def run(statement, values=()):
        with connection.cursor() as cursor:
            cursor.execute(statement, values)
            return cursor.fetchall() if cursor.description else []

    yield run
    connection.close()


def role_of(settings):
    return urlsplit(settings.database_url.get_secret_value()).username


@pytest.mark.parametrize("production", [False, True])
def test_a_superuser(make_app, engines, settings, production):
    """SEC-58."""
    name = urlsplit(settings.database_url.get_secret_value()).path
    url = urlsplit(engines.admin_url)._replace(path=name).geturl()
    seen = Examined(make_app(**PRODUCTION if production else {}, database_url=url))
    found = seen.one("role", severity(production))
    assert "is a superuser" in found["what"]
    assert "MIGRATION_DATABASE_URL" in found["mend"]
    assert seen.one("grants", severity(production))


@pytest.mark.parametrize("production", [False, True])
def test_the_owner(make_app, settings, production):
    url = plain_url(settings.migration_database_url.get_secret_value())
    seen = Examined(make_app(**PRODUCTION if production else {}, database_url=url))
    assert "owns the tables" in seen.one("role", severity(production))["what"]


@contextmanager
def role_that(admin_sql, attribute, number):
    role = Role(f"holdfast_doctor_test_{number}", "x" * 20)
    admin_sql(f"DROP ROLE IF EXISTS {role.name}")
    admin_sql(f"CREATE ROLE {role.name} LOGIN {attribute} PASSWORD '{role.password}'")
    ((database_name,),) = admin_sql("SELECT current_database()")
    admin_sql(f'GRANT CONNECT ON DATABASE "{database_name}" TO {role.name}')
    try:
        yield role, database_name
    finally:
        admin_sql(f"DROP OWNED BY {role.name}; DROP ROLE {role.name}")


@pytest.mark.parametrize("attribute", ["CREATEDB", "CREATEROLE", "BYPASSRLS"])
def test_a_role_with_powers_it_does_not_need(make_own_app, admin_sql, engines, attribute, worker_number):
    with role_that(admin_sql, attribute, worker_number) as (role, name):
        app = make_own_app(database_url=role.url(engines.admin_url, name))
        seen = Examined(app)
        app.extensions["holdfast"].engines.engine.dispose()
    assert "may make databases or roles, or pass by row security" in seen.one("role", "warn")["what"]
    missing = seen.one("grants", "fault")["what"]
    assert "SELECT" in missing
    assert "and " in missing


def test_a_role_that_owns_nothing(app, settings):
    assert role_of(settings) in Examined(app).one("role", "ok")["what"]


def test_a_trigger_that_is_switched_off(own_app, own_sql):
    """SEC-20: a session that is ended past it would be believed for minutes."""
    own_sql("ALTER TABLE sessions DISABLE TRIGGER note_access_change")
    found = Examined(own_app).one("triggers", "fault")
    assert "note_access_change of sessions is switched off" in found["what"]
    own_sql("ALTER TABLE sessions ENABLE REPLICA TRIGGER note_access_change")
    assert Examined(own_app).one("triggers", "fault")
    own_sql("ALTER TABLE sessions ENABLE TRIGGER note_access_change")
    assert Examined(own_app).one("triggers", "ok")


def test_a_trigger_that_is_missing(own_app, own_sql):
    """SEC-20, too."""
    own_sql("DROP TRIGGER note_access_change ON users")
    assert "note_access_change of users is missing" in Examined(own_app).one("triggers", "fault")["what"]


def test_a_right_that_is_missing(own_app, own_sql, own_database):
    own_sql(f'REVOKE INSERT ON projects FROM "{role_of(own_database)}"')
    found = Examined(own_app).one("grants", "fault")
    assert found["what"] == "the role lacks INSERT on projects"
    assert "`flask db upgrade`" in found["mend"]


def test_sequences_and_functions_count_as_well(own_app, own_sql, own_database):
    own_sql(f'REVOKE ALL ON SEQUENCE procrastinate_jobs_id_seq FROM "{role_of(own_database)}"')
    own_sql(f'REVOKE EXECUTE ON FUNCTION purge_audit_events(timestamptz) FROM "{role_of(own_database)}"')
    found = Examined(own_app).one("grants", "fault")["what"]
    assert "USAGE on procrastinate_jobs_id_seq" in found
    assert "EXECUTE on purge_audit_events" in found


@pytest.mark.parametrize("production", [False, True])
@pytest.mark.parametrize("right", ["UPDATE", "DELETE", "TRUNCATE"])
def test_an_audit_trail_that_could_be_rewritten(make_own_app, own_sql, own_database, production, right):
    """SEC-58."""
    own_sql(f'GRANT {right} ON audit_events TO "{role_of(own_database)}"')
    found = Examined(make_own_app(**PRODUCTION if production else {})).one("grants", severity(production))
    assert f"{right} on audit_events" in found["what"]


def test_an_upgrade_mends_both(own_app, own_sql, own_database):
    from tests.fixtures.command_line import command_line

    own_sql(f'REVOKE INSERT ON projects FROM "{role_of(own_database)}"')
    own_sql(f'GRANT DELETE ON audit_events TO "{role_of(own_database)}"')
    command_line(own_app)("db", "upgrade")
    assert Examined(own_app).one("grants", "ok")


@pytest.mark.parametrize(
    ("statement", "words", "mend"),
    [
        (
            "UPDATE alembic_version SET version_num = '0001'",
            "the schema is at 0001, this code needs",
            "flask db upgrade",
        ),
        ("UPDATE alembic_version SET version_num = '9999'", "newer than this code", "deploy the newer code"),
        ("DELETE FROM alembic_version", "the schema is at nothing", "flask db upgrade"),
        ("DROP TABLE alembic_version", "the database is empty", "flask db upgrade"),
    ],
)
def test_a_schema_that_is_not_the_codes(own_app, own_sql, statement, words, mend):
    own_sql(statement)
    found = Examined(own_app).one("migrations", "fault")
    assert words in found["what"]
    assert mend in found["mend"]


def test_an_empty_database_gives_one_complaint_and_not_twenty(own_app, own_sql):
    own_sql("DROP OWNED BY CURRENT_USER")
    seen = Examined(own_app)
    wrong = {each["about"] for each in seen.findings if each["severity"] == "fault"}
    assert wrong == {"migrations", "pg_trgm"}


def test_no_trigrams(own_app, own_sql):
    own_sql("DROP EXTENSION pg_trgm CASCADE")
    seen = Examined(own_app)
    assert "CREATE EXTENSION pg_trgm" in seen.one("pg_trgm", "fault")["mend"]


def test_a_database_that_knows_ascii_letters_only(engines, own_database):
    name = f"holdfast_ascii_{secrets.token_hex(4)}"
    with closing(psycopg.connect(engines.admin_url, autocommit=True)) as administrator:
        administrator.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'")
        try:
            elsewhere = urlsplit(engines.admin_url)._replace(path=f"/{name}").geturl()
            with closing(psycopg.connect(elsewhere)) as link:
                (found,) = schema.letters(Look(link, own_database))
        finally:
            administrator.execute(f"DROP DATABASE {name}")
    assert (found.severity.name, found.about) == ("warn", "letters")
    assert "character type C" in found.what


def test_an_index_that_is_missing_and_the_statement_that_brings_it_back(own_app, own_sql):
    own_sql("DROP INDEX ix_projects_owner_id")
    found = Examined(own_app).one("indexes", "warn")
    assert found["what"] == "ix_projects_owner_id is missing"
    own_sql(found["mend"].removeprefix("as the owner: "))
    assert Examined(own_app).one("indexes", "ok")


def test_an_index_whose_building_was_interrupted(own_app, admin_sql, own_sql):
    admin_sql("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'ix_sessions_expires_at'::regclass")
    found = Examined(own_app).one("indexes", "warn")
    assert "ix_sessions_expires_at is not valid" in found["what"]
    for statement in found["mend"].removeprefix("as the owner: ").split("; "):
        own_sql(statement)
    assert Examined(own_app).one("indexes", "ok")


def test_accounts_with_a_known_password_in_production(make_app, app):
    """SEC-56."""
    from tests.fixtures.command_line import command_line

    command_line(app)("seed")
    command_line(app)("seed", "--accounts", "1", "--projects-each", "1")
    assert Examined(app).about("accounts") == []
    told = " ".join(each["what"] for each in Examined(make_app(**PRODUCTION)).about("accounts", "fault"))
    assert "the demo accounts live here" in told
    assert "user1@bench.example" in told


@pytest.mark.parametrize(
    ("change", "words", "mend"),
    [
        ({"port": 1}, "Connection refused", "start PostgreSQL"),
        ({"password": "wrong"}, "password authentication failed", "the role's right password"),
        ({"name": "nowhere"}, 'database "nowhere" does not exist', "create it"),
    ],
)
def test_a_database_that_cannot_be_used_and_why(make_app, settings, change, words, mend):
    parts = urlsplit(plain_url(settings.database_url.get_secret_value()))
    place = f"{parts.username}:{change.get('password', parts.password)}@{parts.hostname}:{change.get('port', parts.port)}"
    url = parts._replace(netloc=place, path=f"/{change.get('name', parts.path[1:])}").geturl()
    seen = Examined(make_app(database_url=url))
    found = seen.one("database", "fault")
    assert words in found["what"]
    assert mend in found["mend"]
    assert seen.about("role") == seen.about("migrations") == []
    assert seen.exit_code == 2


def test_a_database_with_no_connection_left(make_own_app, own_sql):
    ((name,),) = own_sql("SELECT current_database()")
    own_sql(f'ALTER DATABASE "{name}" CONNECTION LIMIT 0')
    found = Examined(make_own_app()).one("database", "fault")
    assert "too many connections" in found["what"]
    assert "WORKERS" in found["mend"]


def test_a_database_of_another_encoding(make_own_app, admin_sql, own_database, worker_number):
    role, name = role_of(own_database), f"holdfast_ascii_{worker_number}"
    admin_sql(f"DROP DATABASE IF EXISTS {name}")
    admin_sql(f"CREATE DATABASE {name} ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0")
    try:
        parts = urlsplit(plain_url(own_database.database_url.get_secret_value()))
        seen = Examined(make_own_app(database_url=parts._replace(path=f"/{name}").geturl()))
    finally:
        admin_sql(f"DROP DATABASE {name} WITH (FORCE)")
    assert "its encoding is SQL_ASCII" in seen.one("database", "fault")["what"]
    assert role in seen.one("role", "ok")["what"]


def test_a_table_that_is_locked_keeps_one_check_from_being_made_and_no_other(make_own_app, own_database):
    url = plain_url(own_database.migration_database_url.get_secret_value())
    app = make_own_app()
    with closing(psycopg2.connect(url)) as other, other.cursor() as cursor:
        cursor.execute("LOCK TABLE procrastinate_workers IN ACCESS EXCLUSIVE MODE")
        seen = Examined(app)
    assert (
        "could not be looked at: canceling statement due to lock timeout"
        in seen.one("worker", "warn")["what"]
    )
    assert seen.one("jobs", "ok")
