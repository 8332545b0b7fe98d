"""What an account's owner sees of its own security trail."""

from app.core.access import Actor
from app.core.audit import AuditEvent, AuditTrail
from app.core.pagination import Cursors, Page, PageRequest
from app.core.uow import UnitOfWork


class ActivityService:
    """Args: cursors: keys of the purpose ``cursor``."""

    def __init__(self, uow: UnitOfWork, audit: AuditTrail, cursors: Cursors) -> None:
        self._uow = uow
        self._audit = audit
        self._cursors = cursors

    def list_own(self, actor: Actor, request: PageRequest) -> Page[AuditEvent]:
        """One page of what happened to the caller's account, the newest first.

        Raises:
            AppError: ``invalid_cursor``.
        """
        with self._uow.reading():
            return self._audit.page_about(actor.user_id, self._cursors, request)
