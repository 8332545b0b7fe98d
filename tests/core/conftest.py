"""What the tests of the shared room use besides the cast."""

from tests.fixtures.api_tokens import script
from tests.fixtures.counters import add, committed, connect, elsewhere, row, terminate, uow
from tests.fixtures.facts import asked_of, cache, lookups, make_cache, wall
from tests.fixtures.faulty_redis import black_hole, dead_port
from tests.fixtures.processes import other
from tests.fixtures.projects import in_state, joins, plant, projects
from tests.fixtures.queue import asks_for, queue
from tests.fixtures.scratch import scratch
from tests.fixtures.statements import statements
from tests.fixtures.waiting import events, recorded, tells

__all__ = [
    "add",
    "asked_of",
    "asks_for",
    "black_hole",
    "cache",
    "committed",
    "connect",
    "dead_port",
    "elsewhere",
    "events",
    "in_state",
    "joins",
    "lookups",
    "make_cache",
    "other",
    "plant",
    "projects",
    "queue",
    "recorded",
    "row",
    "scratch",
    "script",
    "statements",
    "tells",
    "terminate",
    "uow",
    "wall",
]
