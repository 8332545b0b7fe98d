"""What the tests of activity use besides the cast."""

from tests.fixtures.projects import events_of, in_state, joins, projects, row_of
from tests.fixtures.statements import statements

__all__ = ["events_of", "in_state", "joins", "projects", "row_of", "statements"]
