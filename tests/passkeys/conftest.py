"""Fixtures of this area's tests."""

from tests.fixtures.letters import do_jobs, letters

__all__ = ["do_jobs", "letters"]
