"""What of somebody's rows goes into their copy, file by file, read in batches."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

from app.api_tokens.service import ApiTokenService
from app.core.audit import AuditTrail
from app.core.uow import UnitOfWork
from app.exports import views
from app.invitations.service import InvitationService
from app.passkeys.service import PasskeyService
from app.projects.service import ProjectService
from app.sessions.service import SessionService
from app.users.models import User

BATCH = 500


class Sections:
    """Asks the service of each feature."""

    def __init__(
        self,
        uow: UnitOfWork,
        sessions: SessionService,
        passkeys: PasskeyService,
        api_tokens: ApiTokenService,
        projects: ProjectService,
        invitations: InvitationService,
        audit: AuditTrail,
    ) -> None:
        self._uow = uow
        self._sessions = sessions
        self._passkeys = passkeys
        self._api_tokens = api_tokens
        self._projects = projects
        self._invitations = invitations
        self._audit = audit

    def of(self, user: User) -> Iterator[tuple[str, str, Iterator[views.Row]]]:
        """Title, name and rows of each file but the one that tells of files."""
        yield "Account", "account.json", iter([views.account(user)])
        yield "Sessions", "sessions.json", map(views.session, self._sessions.all_of(user.id))
        yield (
            "Projects",
            "projects.json",
            (
                views.project(project)
                for project, _ in self._belonging(user.id)
                if project.owner_id == user.id
            ),
        )
        yield (
            "Memberships",
            "memberships.json",
            (
                views.membership(project, member)
                for project, member in self._belonging(user.id)
                if project.owner_id != user.id
            ),
        )
        yield "Invitations", "invitations.json", map(views.invitation, self._invited(user.email))
        yield "Passkeys", "passkeys.json", map(views.passkey, self._passkeys.all_of(user.id))
        yield "API tokens", "api_tokens.json", map(views.api_token, self._api_tokens.all_of(user.id))
        yield "Activity", "activity.json", map(views.activity, self._activity(user.id))

    def _belonging(self, user_id: UUID) -> Iterator[Any]:
        return in_batches(
            lambda after: self._projects.belonging(user_id, after, BATCH), lambda pair: pair[1].project_id
        )

    def _invited(self, email: str) -> Iterator[Any]:
        return in_batches(
            lambda after: self._invitations.answerable_by(email, after, BATCH), lambda row: row[0].id
        )

    def _activity(self, user_id: UUID) -> Iterator[Any]:
        def read(after: Any) -> list[Any]:
            with self._uow.reading():
                return self._audit.about(user_id, after, BATCH)

        return in_batches(read, lambda row: (row.created_at, row.id))


def in_batches(read: Callable[[Any], list[Any]], position: Callable[[Any], Any]) -> Iterator[Any]:
    """Rows one by one, read so many at a time.

    Args:
        read: the rows after a position; after none, the first ones.
        position: of a row.
    """
    after = None
    while rows := read(after):
        yield from rows
        if len(rows) < BATCH:
            return
        after = position(rows[-1])
