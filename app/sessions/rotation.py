"""What happens to a refresh token that is presented: the rules of SEC-18 as one pure function."""

from datetime import datetime, timedelta
from enum import Enum

from app.sessions.models import Session


class Verdict(Enum):
    """The answer to a presented token."""

    rotate = "the newest token: a new generation begins"
    repeat = "the parent of the newest: hand out the same successor again"
    move_forward = "ahead of the row: the database was restored, follow the client"
    reused = "a token that was replaced, and whose successor was used: the session ends"


def judge(session: Session, counter: int, now: datetime, grace: timedelta) -> Verdict:
    """Decide about a genuine token of a live session.

    Args:
        session: the locked row.
        counter: generation of the presented token.
        now: the clock's.
        grace: how long after a rotation the parent is taken for a second request of the same client.
    """
    if counter == session.counter:
        return Verdict.rotate
    if counter > session.counter:
        return Verdict.move_forward
    is_parent = counter == session.counter - 1
    answer_was_lost = session.seen_generation < session.counter
    if is_parent and (now - session.rotated_at <= grace or answer_was_lost):
        return Verdict.repeat
    return Verdict.reused
