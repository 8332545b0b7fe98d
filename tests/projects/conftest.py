"""What the tests of projects use besides the cast."""

from tests.fixtures.projects import events_of, in_state, joins, plant, projects, row_of
from tests.fixtures.statements import statements

__all__ = ["events_of", "in_state", "joins", "plant", "projects", "row_of", "statements"]
