"""A statement that is put together once answers what the session answers."""

from contextlib import nullcontext

import pytest
from sqlalchemy import any_, bindparam, func, literal, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import String

from app.core.db import link_of
from app.core.db_errors import RetryableConflict
from app.core.errors import AppError, Code
from app.core.quick_statements import QuickSelect
from app.projects.models import Project, ProjectMember

ONES = (
    select(
        Project.id, Project.name, Project.status, Project.version, Project.created_at, Project.archived_at,
        ProjectMember.role.label("my_role"), (func.length(Project.name) / 2.0).label("half"), literal("x%y").label("fixed"),
    )
    .join(ProjectMember, ProjectMember.project_id == Project.id)
    .where(
        ProjectMember.user_id == bindparam("user_id"),
        Project.status == any_(bindparam("status", type_=ARRAY(String()))),
        Project.name.like("Reef%"),
    )
    .order_by(Project.id)
)  # fmt: skip


@pytest.fixture
def values(alice):
    for name in ("Reef one", "Reef two", "Kelp"):
        alice.creates(name)
    return {"user_id": alice.user.id, "status": ["active", "archived"]}


def test_it_finds_what_the_session_finds(uow, values):
    quick = QuickSelect(ONES)
    with uow.reading():
        found = quick.all(uow.connection, values)
        told = uow.session.execute(ONES, values).all()
    assert [tuple(row) for row in found] == [tuple(row) for row in told]
    assert [row.name for row in found] == ["Reef one", "Reef two"]
    assert found[0]._fields == tuple(told[0]._fields)


def test_it_sees_what_its_transaction_wrote(uow, values):
    quick = QuickSelect(ONES)
    with uow:
        uow.session.get(
            Project, quick.one_or_none(uow.connection, {**values, "status": ["active"]}).id
        ).name = "Reef"
        uow.session.flush()
        assert "Reef" in [row.name for row in quick.all(uow.connection, values)]


def test_nothing_is_none(uow, values):
    with uow.reading():
        assert QuickSelect(ONES).one_or_none(uow.connection, {**values, "status": ["deleted"]}) is None


def test_a_session_after_it_has_the_same_connection(uow, values, statements):
    with statements() as sent, uow.reading():
        QuickSelect(ONES).all(uow.connection, values)
        assert (
            uow.session.connection().connection.dbapi_connection is uow.connection.connection.dbapi_connection
        )
        uow.session.execute(select(1))
    assert len(sent) == 2


def test_errors_are_those_of_any_statement(uow):
    broken = QuickSelect(select((1 / bindparam("n", type_=Project.version.type)).label("part")))
    with pytest.raises(AppError) as error, uow.reading():
        broken.all(uow.connection, {"n": 0})
    assert error.value.code == Code.validation_failed


class TestPrepared:
    """The server plans such a statement once for each connection."""

    QUICK = QuickSelect(select(Project.id, Project.name).where(Project.name == bindparam("name")))
    NAME = QUICK._prepared.name

    def known(self, uow):
        return uow.session.execute(text("SELECT name FROM pg_prepared_statements")).scalars().all()

    def test_it_is_prepared_once(self, uow, values):
        with uow.reading():
            for _ in range(3):
                assert [row.name for row in self.QUICK.all(uow.connection, {"name": "Kelp"})] == ["Kelp"]
            assert self.known(uow).count(self.NAME) == 1

    def test_where_the_server_has_lost_it_the_text_is_sent(self, uow, values):
        """As behind a PgBouncer that deals statements to several connections."""
        with uow.reading():
            for _ in range(2):
                self.QUICK.all(uow.connection, {"name": "Kelp"})
                uow.session.execute(text("DEALLOCATE ALL"))
            assert [row.name for row in self.QUICK.all(uow.connection, {"name": "Kelp"})] == ["Kelp"]
            assert self.NAME not in self.known(uow)
            assert link_of(uow.connection).prepared is None, "nothing more is prepared on this connection"
            link_of(uow.connection).prepared = set()

    def test_in_a_transaction_the_use_case_runs_again(self, uow, values):
        for attempt in range(2):
            with pytest.raises(RetryableConflict) if attempt == 0 else nullcontext(), uow:
                if attempt == 0:
                    self.QUICK.all(uow.connection, {"name": "Kelp"})
                    uow.session.execute(text("DEALLOCATE ALL"))
                assert len(self.QUICK.all(uow.connection, {"name": "Kelp"})) == 1
        with uow:
            assert link_of(uow.connection).prepared is None, "nothing more is prepared on this connection"
            link_of(uow.connection).prepared = set()

    def test_a_percent_sign_stays_one(self, uow, values):
        quick = QuickSelect(select(Project.name).where(Project.name.like(text("'Reef %'"))))
        with uow.reading():
            assert len(quick.all(uow.connection, {})) == 2
