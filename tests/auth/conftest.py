"""Fixtures of this area's tests."""

from tests.fixtures.account_states import hashes, in_every_state
from tests.fixtures.factors import enrols
from tests.fixtures.letters import do_jobs, letters

__all__ = ["do_jobs", "enrols", "hashes", "in_every_state", "letters"]
