"""What the tests of the change feed use besides the cast."""

from tests.fixtures.followers import follows, memberships, opens
from tests.fixtures.projects import in_state, plant, projects
from tests.fixtures.scratch import scratch
from tests.fixtures.statements import statements

__all__ = ["follows", "in_state", "memberships", "opens", "plant", "projects", "scratch", "statements"]
