"""The change feed: how clients stay in step."""

from app.changes.cursors import ChangeCursors
from app.changes.repository import ChangeRepository
from app.changes.service import ChangeService
from app.core.pagination import Cursors
from app.wiring.foundations import Foundations


def build_changes(base: Foundations) -> None:
    cursors = ChangeCursors(Cursors(base.ring.derive("cursor")))
    rows, kept = ChangeRepository(base.uow), base.settings.event_retention_days
    base.add(ChangeService(base.uow, rows, cursors, base.clock, kept))
