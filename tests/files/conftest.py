"""Alice's reef, people in every role of it, and looks at what an upload leaves in database and storage."""

import pytest

from app.core.objects import Objects
from tests.fixtures.kept_apps import kept_app, kept_apps
from tests.fixtures.letters import do_jobs, letters
from tests.fixtures.people import make_person
from tests.fixtures.projects import events_of, in_state, joins, projects
from tests.fixtures.statements import statements

__all__ = [
    "do_jobs", "events_of", "in_state", "joins", "kept_app", "kept_apps", "letters", "projects", "statements",
]  # fmt: skip


@pytest.fixture
def reef(alice):
    return alice.creates("Reef survey")


@pytest.fixture
def people(app, alice, bob, charlie, reef, joins, anonymous):
    """Who may be before the reef: Bob edits it, Charlie is a stranger."""
    viewer, admin = make_person(app, "Vera"), make_person(app, "Adam")
    joins(viewer, reef, "viewer")
    joins(bob, reef, "editor")
    joins(admin, reef, "admin")
    return {
        "anonymous": anonymous, "stranger": charlie, "viewer": viewer, "editor": bob, "admin": admin, "owner": alice,
    }  # fmt: skip


@pytest.fixture
def stored(parts):
    """``stored()``: keys of the objects in the storage, once the sweep has been there."""

    def look():
        parts.services[Objects].sweep()
        return [found.key for found in parts.engines.store.objects()]

    return look


@pytest.fixture
def counted(sql):
    """``counted(project)``: files, bytes and reserved bytes as the triggers counted them."""

    def look(project):
        query = "SELECT files, bytes, reserved FROM project_storage WHERE project_id = %s"
        rows = sql(query, (str(project.id),))
        return rows[0] if rows else (0, 0, 0)

    return look


@pytest.fixture
def nothing_left(sql, stored):
    """``nothing_left()``: whether no refused upload has left a row, an object or a reservation behind (D14)."""

    def look():
        assert stored() == []
        for table in ("files", "uploads", "doomed_objects", "idempotency_records"):
            assert sql(f"SELECT count(*) FROM {table}") == [(0,)], table
        assert sql("SELECT coalesce(sum(files + bytes + reserved), 0) FROM project_storage") == [(0,)]
        return True

    return look
