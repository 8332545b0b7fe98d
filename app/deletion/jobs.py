"""The mail about a scheduled deletion, with the link that undoes it."""

from uuid import UUID
from zoneinfo import ZoneInfo

from app.core.jobs import TRIES_TO_MAIL, JobQueue
from app.core.letters import Letters, Scene
from app.core.mail_codes import MailCodes
from app.core.mail_templates import moment
from app.core.uow import UnitOfWork
from app.deletion.repository import AccountDeletionRepository
from app.deletion.service import SEND_SCHEDULED
from app.users.service import UserService


class DeletionJobs:
    """Handlers; each may run twice, which sends one mail more."""

    def __init__(
        self,
        uow: UnitOfWork,
        deletions: AccountDeletionRepository,
        users: UserService,
        codes: MailCodes,
        letters: Letters,
    ) -> None:
        self._uow = uow
        self._deletions = deletions
        self._users = users
        self._codes = codes
        self._letters = letters

    def register_with(self, jobs: JobQueue) -> None:
        jobs.register(SEND_SCHEDULED, self.send_scheduled, attempts=TRIES_TO_MAIL)

    def send_scheduled(self, deletion_id: str) -> None:
        """Send the mail, unless the deletion was undone or has begun."""
        with self._uow.reading():
            wish = self._deletions.find(UUID(deletion_id))
            user = self._users.find(wish.user_id) if wish else None
        if wish is None or user is None or wish.begun_at is not None:
            return
        self._letters.send_link(
            "account_deletion",
            user,
            Scene.of(wish),
            "restore-account",
            self._codes.link_token(wish),
            deleted_on=moment(wish.due_at, ZoneInfo(user.time_zone or "UTC")),
        )
