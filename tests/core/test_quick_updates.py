"""SEC-51: the UPDATE of a project has the version in its WHERE, and meets its row or fails."""

# ruff: noqa: PT012 - the blocks under test have more than one line

import pytest

from app.core.db_errors import RetryableConflict
from app.core.ids import new_id
from app.core.quick_statements import QuickUpdate
from app.projects.models import Project
from app.projects.service import ProjectService

RENAME = QuickUpdate(Project, ("name", "updated_at"))


@pytest.fixture
def values(alice, parts):
    project = alice.creates("Reef")
    return {"id_": project.id, "version_": 1, "name": "Kelp", "updated_at": parts.clock.now()}


def name_of(sql):
    return sql("SELECT name, version FROM projects")


def test_it_moves_on_with_the_change(uow, values, sql):
    for number in (1, 2, 3):
        with uow:
            uow.later(RENAME, {**values, "version_": number})
    assert name_of(sql) == [("Kelp", 4)]


@pytest.mark.parametrize("missed", [{"version_": 2}, {"version_": 0}, {"id_": new_id()}])
def test_where_no_row_is_met_nothing_of_the_transaction_is_written(uow, values, sql, tells, recorded, missed):
    for _ in range(2):  # at once, then from the COMMIT
        with pytest.raises(RetryableConflict), uow:
            uow.later(RENAME, {**values, **missed})
            told = tells()
        assert str(told) not in recorded()
    assert name_of(sql) == [("Reef", 1)]


def test_two_changes_in_one_block_are_two_versions(uow, alice, parts, sql):
    """Also where the session knows the project: then it writes, and knows what it wrote."""
    project = alice.creates("Reef")
    service, actor = parts.services[ProjectService], alice.actor
    with uow:
        service.update(actor, project.id, {"name": "one"})
        service.update(actor, project.id, {"name": "two"})
        held, _ = service.hold(actor, project.id)
        assert (held.name, held.version) == ("two", 3)
        assert service.update(actor, project.id, {"name": "three"}).version == 4
        assert (held.name, held.version) == ("three", 4)
        service.archive(actor, project.id)
    assert sql("SELECT name, version, status FROM projects") == [("three", 5, "archived")]
