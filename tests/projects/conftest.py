"""What the tests of projects use besides the cast."""

from tests.fixtures.facts import wall
from tests.fixtures.faulty_redis import dead_port
from tests.fixtures.kept_apps import kept_app, kept_apps
from tests.fixtures.lists import crowd, elsewhere, kept
from tests.fixtures.plans import as_on_todays_disks, plans
from tests.fixtures.projects import events_of, in_state, joins, plant, projects, row_of
from tests.fixtures.statements import statements

__all__ = [
    "as_on_todays_disks", "crowd", "dead_port", "elsewhere", "events_of", "in_state", "joins", "kept", "kept_app", "kept_apps", "plans", "plant", "projects", "row_of", "statements", "wall",
]  # fmt: skip
