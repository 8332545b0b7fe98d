"""The mail about a scheduled deletion, with the link that undoes it."""

from uuid import UUID
from zoneinfo import ZoneInfo

from app.config import Settings
from app.core.jobs import TRIES_TO_MAIL, JobQueue
from app.core.mail import Mailer
from app.core.mail_codes import MailCodes
from app.core.mail_templates import mail_link, moment, render
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
        mailer: Mailer,
        settings: Settings,
    ) -> None:
        self._uow = uow
        self._deletions = deletions
        self._users = users
        self._codes = codes
        self._mailer = mailer
        self._settings = settings

    def register_with(self, jobs: JobQueue) -> None:
        jobs.register(SEND_SCHEDULED, self.send_scheduled, attempts=TRIES_TO_MAIL)

    def send_scheduled(self, deletion_id: str) -> None:
        """Send the mail, unless the deletion was undone or has begun."""
        with self._uow.reading():
            wish = self._deletions.find(UUID(deletion_id))
            user = self._users.find(wish.user_id) if wish else None
        if wish is None or user is None or wish.begun_at is not None:
            return
        token, zone = self._codes.link_token(wish), user.time_zone or "UTC"
        self._mailer.send(
            render(
                "account_deletion",
                to=user.email,
                product_name=self._settings.product_name,
                time_zone=zone,
                display_name=user.display_name,
                token=token,
                link=mail_link(self._settings.links_base, "restore-account", token),
                deleted_on=moment(wish.due_at, ZoneInfo(zone)),
                device=wish.device or "an unknown device",
                place=wish.ip or "an unknown network",
                at=wish.created_at,
            )
        )
