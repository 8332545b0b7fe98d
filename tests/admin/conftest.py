"""What the tests of administration use besides the cast."""

import pytest

from tests.fixtures.api_tokens import script
from tests.fixtures.factors import enrols
from tests.fixtures.facts import wall
from tests.fixtures.letters import do_jobs, letters
from tests.fixtures.people import make_administrator


@pytest.fixture
def grace(app):
    """Another administrator."""
    return make_administrator(app, "Grace")


@pytest.fixture
def trail(sql):
    """``trail(alice)``: the kinds of what was recorded about somebody, oldest first."""

    def read(person):
        rows = sql(
            "SELECT kind FROM audit_events WHERE user_id = %s ORDER BY created_at, id", (str(person.user.id),)
        )
        return [row[0] for row in rows]

    return read


__all__ = ["do_jobs", "enrols", "letters", "script", "wall"]
