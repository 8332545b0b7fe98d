"""Mails about sessions."""

from uuid import UUID

from app.core.jobs import TRIES_TO_MAIL, JobQueue
from app.core.letters import Letters, Scene
from app.core.uow import UnitOfWork
from app.sessions.refresh import REUSED_MAIL
from app.sessions.repository import SessionRepository
from app.users.service import UserService


class SessionJobs:
    def __init__(
        self,
        uow: UnitOfWork,
        sessions: SessionRepository,
        users: UserService,
        letters: Letters,
    ) -> None:
        self._uow = uow
        self._sessions = sessions
        self._users = users
        self._letters = letters

    def register_with(self, jobs: JobQueue) -> None:
        jobs.register(REUSED_MAIL, self.tell_reused, attempts=TRIES_TO_MAIL)

    def tell_reused(self, session_id: str) -> None:
        """Tell the owner that a session was ended because one of its tokens was used twice."""
        with self._uow.reading():
            session = self._sessions.find(UUID(session_id))
            user = self._users.find(session.user_id) if session else None
        if session is None or user is None or session.revoked_at is None:
            return
        scene = Scene(session.device_name, session.ip, session.revoked_at)
        self._letters.send("session_reused", user, scene)
