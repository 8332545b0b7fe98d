"""Fixtures of this area's tests."""

import pytest

from app.deletion.purge import AccountPurge
from tests.fixtures.api_tokens import script
from tests.fixtures.letters import do_jobs, letters
from tests.fixtures.projects import joins, plant

__all__ = ["do_jobs", "joins", "letters", "plant", "script"]


@pytest.fixture
def purge(parts):
    """Do what the job does; the answer is how many accounts went."""
    return parts.services[AccountPurge].run


@pytest.fixture
def leaves():
    """``leaves(alice)``: she asks for her deletion; the answer's body."""

    def leave(person):
        answer = person.delete("/me")
        assert answer.status_code == 202
        return answer.json

    return leave
