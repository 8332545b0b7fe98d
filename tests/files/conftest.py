"""Alice's project, with Bob in it as editor."""

import pytest

from tests.fixtures.projects import joins


@pytest.fixture
def reef(alice):
    return alice.creates("Reef survey")
