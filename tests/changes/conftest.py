"""What the tests of the change feed use besides the cast."""

from tests.fixtures.followers import follows, memberships, opens
from tests.fixtures.plans import as_on_todays_disks, plans
from tests.fixtures.projects import in_state, plant, projects
from tests.fixtures.scratch import scratch
from tests.fixtures.statements import statements

__all__ = [
    "as_on_todays_disks", "follows", "in_state", "memberships", "opens", "plans", "plant", "projects", "scratch", "statements",
]  # fmt: skip
