"""What every repository has: rows by their key, locked or not, and a refusal in the feature's own words."""

# ruff: noqa: PT012 - the blocks under test have more than one line

import pytest
from sqlalchemy.exc import IntegrityError

from app.core.db_errors import RetryableConflict
from app.core.errors import AppError, Code
from app.core.ids import new_id
from app.projects.models import Project
from app.projects.repository import ProjectRepository
from app.sessions.repository import SessionRepository


@pytest.fixture
def rows(uow):
    return ProjectRepository(uow)


def test_a_row_is_found_by_its_key_or_it_is_not(rows, uow, alice):
    project = alice.creates()
    with uow.reading():
        assert rows.find(project.id).name == project.name
        assert rows.require(project.id).id == project.id
        assert rows.find(new_id()) is None
        with pytest.raises(AppError) as error:
            rows.require(new_id())
    assert (error.value.code, error.value.detail) == (Code.not_found, "There is no such project.")


def test_a_lock_keeps_writers_out_and_lets_children_in(rows, uow, alice, bob, connect):
    """FOR NO KEY UPDATE: a member can be added while the project is being edited."""
    project = alice.creates()
    with uow:
        rows.require(project.id, lock=True)
        cursor = connect().cursor()
        cursor.execute(
            "INSERT INTO project_members (project_id, user_id, role, joined_at) VALUES (%s, %s, 'viewer', %s)",
            (str(project.id), str(bob.user.id), project.created_at),
        )
        with pytest.raises(Exception, match="could not obtain lock"):
            cursor.execute("SELECT FROM projects WHERE id = %s FOR UPDATE NOWAIT", (str(project.id),))


def test_a_row_that_moved_between_the_look_and_the_lock_is_worth_another_try(rows, uow, alice, elsewhere):
    """What was decided on the old row must not be written over the new one."""
    project = alice.creates()

    def rename():
        with uow:
            rows.require(project.id, lock=True).name = "Kelp"

    with pytest.raises(RetryableConflict), uow:
        held = rows.find(project.id)
        elsewhere(rename)
        assert rows.find(project.id) is held
        rows.find(project.id, lock=True)
    with uow.reading():
        assert rows.find(project.id).name == "Kelp"


def test_a_row_without_a_version_is_locked_as_it_is_now(uow, alice, sql):
    sessions = SessionRepository(uow)
    with uow:
        assert sessions.find(alice.session_id).counter == 1
        sql("UPDATE sessions SET counter = 7")
        assert sessions.find(alice.session_id, lock=True).counter == 7


def test_a_row_that_was_added_is_there_after_a_flush(rows, uow, alice, parts):
    now = parts.clock.now()
    with uow:
        made = rows.add(
            Project(
                id=new_id(), owner_id=alice.user.id, name="Reef", status="active", version=1, created_at=now,
                updated_at=now,
            )
        )  # fmt: skip
        rows.flush()
        assert rows.session is uow.session
    with uow.reading():
        assert rows.find(made.id).name == "Reef"


def test_the_table_guards_its_names_too(rows, uow, alice):
    """What slips past the field's own check is an error, not a row."""
    project = alice.creates()
    with pytest.raises(IntegrityError), uow:
        rows.require(project.id, lock=True).name = ""
    with pytest.raises(AppError) as error, uow:
        rows.require(project.id, lock=True).name = "x" * 256
    assert error.value.code is Code.validation_failed
