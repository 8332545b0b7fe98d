"""What the tests of projects use besides the cast."""

from tests.fixtures.facts import wall
from tests.fixtures.plans import as_on_todays_disks, plans
from tests.fixtures.projects import events_of, in_state, joins, plant, projects, row_of
from tests.fixtures.statements import statements

__all__ = [
    "as_on_todays_disks", "events_of", "in_state", "joins", "plans", "plant", "projects", "row_of", "statements", "wall",
]  # fmt: skip
