"""Fixtures of this area's tests."""

import pytest

from tests.fixtures.letters import do_jobs, letters
from tests.fixtures.projects import events_of, in_state, joins, projects, row_of

__all__ = ["do_jobs", "events_of", "in_state", "joins", "letters", "projects", "row_of"]


@pytest.fixture
def reef(alice):
    """Alice's project."""
    return alice.creates("Reef survey")


@pytest.fixture
def state_of(sql):
    """The status columns of an invitation: which of accepted, declined and revoked it is."""

    def read(invitation_id):
        columns = ("accepted_at", "declined_at", "revoked_at")
        [row] = sql(f"SELECT {', '.join(columns)} FROM invitations WHERE id = %s", (invitation_id,))
        return {name.removesuffix("_at") for name, at in zip(columns, row, strict=True) if at is not None}

    return read


@pytest.fixture
def role_in(sql):
    """What somebody is in a project, or ``None``."""

    def read(project, person):
        found = sql(
            "SELECT role FROM project_members WHERE project_id = %s AND user_id = %s",
            (str(project.id), str(person.user.id)),
        )
        return found[0][0] if found else None

    return read


@pytest.fixture
def new_day(sql):
    """``new_day()``: what an address was sent is forgotten."""
    return lambda: sql("DELETE FROM throttle_counters")
