"""SEC-18 as a table: what becomes of a presented generation, by the state of the row."""

from datetime import UTC, datetime, timedelta

import pytest

from app.sessions.models import Session
from app.sessions.rotation import Verdict, judge

ROTATED = datetime(2026, 5, 1, 12, tzinfo=UTC)
GRACE = timedelta(seconds=10)


@pytest.mark.parametrize(
    ("presented", "seen", "seconds", "verdict"),
    [
        (5, 4, 0, Verdict.rotate),
        (5, 5, 3600, Verdict.rotate),
        (6, 5, 0, Verdict.move_forward),
        (99, 4, 3600, Verdict.move_forward),
        (4, 4, 10, Verdict.repeat),
        (4, 5, 10, Verdict.repeat),
        (4, 4, 11, Verdict.repeat),
        (4, 4, 86_400, Verdict.repeat),
        (4, 5, 11, Verdict.reused),
        (3, 4, 0, Verdict.reused),
        (3, 5, 0, Verdict.reused),
        (1, 4, 3600, Verdict.reused),
        (0, 4, 0, Verdict.reused),
    ],
)
def test_the_rules(presented, seen, seconds, verdict):
    session = Session(counter=5, seen_generation=seen, rotated_at=ROTATED)
    assert judge(session, presented, ROTATED + timedelta(seconds=seconds), GRACE) is verdict


def test_rotating_marks_the_old_generation_as_seen_and_moves_the_idle_end_only():
    ends = ROTATED + timedelta(days=20)
    session = Session(counter=5, seen_generation=4, rotated_at=ROTATED, expires_at=ends)
    now = ROTATED + timedelta(days=10)
    session.rotate(now, timedelta(days=14))
    assert (session.counter, session.seen_generation, session.rotated_at) == (6, 5, now)
    assert (session.idle_expires_at, session.expires_at) == (ends, ends)
