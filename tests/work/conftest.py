"""Fixtures of this area's tests."""

import pytest

from app.core.ids import new_id
from app.work.service import WorkService
from tests.fixtures.api_tokens import script
from tests.fixtures.projects import in_state

__all__ = ["in_state", "script"]


@pytest.fixture
def work(parts):
    return parts.services[WorkService]


@pytest.fixture
def begun(work):
    """``begun(alice, total=8)``: the id of work that she waits for."""

    def begin(person, **options):
        item_id = new_id()
        work.begin(item_id, person.user.id, "exports.build", **options)
        return item_id

    return begin


@pytest.fixture
def sees():
    """``sees(alice, item_id)``: what she is answered."""

    def see(person, item_id):
        answer = person.get(f"/jobs/{item_id}")
        assert answer.status_code == 200, answer.text
        return answer.json

    return see
