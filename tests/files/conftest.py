"""Alice's project, with Bob in it as editor."""

import pytest


@pytest.fixture
def reef(alice):
    return alice.creates("Reef survey")
