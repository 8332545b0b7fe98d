"""Whether the session behind a verified access token still holds: asked on every signed-in request (SEC-20)."""

from datetime import datetime
from uuid import UUID

from app.core.access import AccountStatus, Actor, SiteRole
from app.core.cache import FactCache
from app.core.clock import Clock
from app.core.errors import AppError, Code
from app.core.facts import FactKind
from app.core.uow import UnitOfWork
from app.sessions.repository import SessionFacts, SessionRepository

REMEMBERED = 20_000
KIND = FactKind("session", tuple(SessionFacts.__annotations__), local=True)


class SessionChecker:
    """Implements ``app.core.access.SessionCheck``.

    The facts are at most a second old in any process, whether Redis answers or not; a revocation in this process
    counts at once.
    """

    def __init__(self, uow: UnitOfWork, sessions: SessionRepository, cache: FactCache, clock: Clock) -> None:
        self._uow = uow
        self._sessions = sessions
        self._cache = cache
        self._clock = clock
        self._marked: dict[UUID, int] = {}

    def check(self, session_id: UUID, user_id: UUID, generation: int) -> Actor:
        """The actor behind the session; see ``SessionCheck.check``."""
        facts: SessionFacts | None = self._cache.fetch(
            KIND, str(session_id), "", lambda: self._load(session_id)
        )
        if facts is None or not facts["live"]:
            raise AppError(Code.session_revoked, "This session was ended. Sign in again.")
        if facts["user_id"] != str(user_id):
            raise AppError(Code.token_invalid, "The access token does not belong to its session.")
        if facts["status"] == AccountStatus.suspended:
            raise AppError(Code.account_suspended, "This account is suspended.")
        expired = self._clock.now() >= datetime.fromisoformat(facts["expires_at"])
        if generation < facts["min"] or expired:
            raise AppError(Code.token_expired, "The access token has expired. Refresh it and try again.")
        if generation > facts["seen"]:
            self._mark_seen(session_id, generation)
        proved_at = facts["factor_at"] if facts["has_factor"] else facts["authenticated_at"]
        return Actor(
            user_id,
            session_id,
            SiteRole(facts["role"]),
            datetime.fromisoformat(proved_at) if proved_at else None,
            has_factor=facts["has_factor"],
            leaving=facts["status"] == AccountStatus.deletion_scheduled,
        )

    def expect(self, session_id: UUID) -> None:
        """Have the facts come with what is asked of Redis next."""
        self._cache.expect(KIND, str(session_id), "")

    def _load(self, session_id: UUID) -> SessionFacts | None:
        with self._uow.reading():
            return self._sessions.facts(session_id)

    def _mark_seen(self, session_id: UUID, generation: int) -> None:
        """Record the first use of a generation in PostgreSQL before the request goes on (SEC-18)."""
        if self._marked.get(session_id, -1) >= generation:
            return
        try:
            with self._uow:
                self._sessions.mark_seen(session_id, generation)
        except AppError as error:
            # While nothing can be written nothing can be refreshed either, so the mark is not missed.
            if error.code != Code.read_only:
                raise
        if len(self._marked) >= REMEMBERED:
            self._marked.clear()
        self._marked[session_id] = generation
