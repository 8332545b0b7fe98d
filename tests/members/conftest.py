"""What the tests of members use besides the cast."""

import pytest

from tests.fixtures.facts import wall
from tests.fixtures.letters import do_jobs, letters
from tests.fixtures.people import make_person
from tests.fixtures.projects import events_of, in_state, joins, projects, row_of
from tests.fixtures.statements import statements

__all__ = ["do_jobs", "events_of", "in_state", "joins", "letters", "projects", "row_of", "statements", "wall"]


@pytest.fixture
def dave(app):
    return make_person(app, "Dave")


@pytest.fixture
def reef(alice, bob, joins):
    """Alice's project, with Bob as an editor."""
    project = alice.creates()
    joins(bob, project, "editor")
    return project


@pytest.fixture
def roles_in(sql):
    """``roles_in(project)``: who has which role, by display name."""

    def read(project):
        return dict(
            sql(
                "SELECT u.display_name, m.role FROM project_members m JOIN users u ON u.id = m.user_id"
                " WHERE m.project_id = %s",
                (str(project.id),),
            )
        )

    return read
