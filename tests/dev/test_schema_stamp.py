"""An upgrade is left out only when neither the code nor the schema changed since the last."""

import pytest

from dev import schema_stamp
from dev.roles import drop_database, drop_roles, ensure_database, ensure_roles, new_roles, statements
from dev.schema_stamp import SchemaStamp


@pytest.fixture
def code(tmp_path, monkeypatch):
    """A small tree in the place of the project."""
    for name in ("app/models.py", "migrations/versions/0001_first.py"):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("x = 1\n")
    monkeypatch.setattr(schema_stamp, "ROOT", tmp_path)
    return tmp_path


@pytest.fixture
def owner_url(engines):
    """A database that is migrated to 0001, as its owner."""
    roles = new_roles("holdfast_stamp")
    name = f"{roles.owner.name}_db"
    ensure_roles(engines.admin_url, roles)
    ensure_database(engines.admin_url, name, roles)
    url = roles.owner.url(engines.admin_url, name)
    with statements(url) as cursor:
        cursor.execute(
            "CREATE TABLE alembic_version (version_num text); INSERT INTO alembic_version VALUES ('0001')"
        )
    yield url
    drop_database(engines.admin_url, name)
    drop_roles(engines.admin_url, roles)


def test_nothing_is_left_out_at_the_first_start(code, tmp_path, owner_url):
    assert not SchemaStamp(tmp_path, owner_url, "app").current()


def test_the_same_code_and_schema_need_no_upgrade(code, tmp_path, owner_url):
    SchemaStamp(tmp_path, owner_url, "app").note()
    assert SchemaStamp(tmp_path, owner_url, "app").current()


@pytest.mark.parametrize("changed", ["app/models.py", "app/new.py", "migrations/versions/0002_second.sql"])
def test_changed_code_is_migrated(code, tmp_path, owner_url, changed):
    SchemaStamp(tmp_path, owner_url, "app").note()
    (code / changed).write_text("x = 2\n")
    assert not SchemaStamp(tmp_path, owner_url, "app").current()


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE alembic_version SET version_num = '0000'",
        "DELETE FROM alembic_version",
        "DROP TABLE alembic_version",
    ],
)
def test_a_schema_that_somebody_moved_is_migrated(code, tmp_path, owner_url, change):
    SchemaStamp(tmp_path, owner_url, "app").note()
    with statements(owner_url) as cursor:
        cursor.execute(change)
    assert not SchemaStamp(tmp_path, owner_url, "app").current()


def test_another_role_for_the_service_is_granted_its_rights(code, tmp_path, owner_url):
    SchemaStamp(tmp_path, owner_url, "app").note()
    assert not SchemaStamp(tmp_path, owner_url, "another").current()


def test_a_damaged_stamp_counts_for_nothing(code, tmp_path, owner_url):
    (tmp_path / "schema.json").write_text("{half")
    assert not SchemaStamp(tmp_path, owner_url, "app").current()
