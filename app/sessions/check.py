"""Whether the session behind a verified access token still holds: asked on every signed-in request (SEC-20)."""

from uuid import UUID

from app.core.access import AccountStatus, Actor
from app.core.clock import Clock
from app.core.errors import AppError, Code
from app.core.known_callers import KnownCallers
from app.core.uow import UnitOfWork
from app.sessions.repository import SessionFacts, SessionRepository

REMEMBERED = 20_000


class SessionChecker:
    """Implements ``app.core.access.SessionCheck``.

    What it goes by was true less than a second ago in any process, whether Redis answers or not; a revocation in this process
    counts at once.
    """

    def __init__(
        self, uow: UnitOfWork, sessions: SessionRepository, known: KnownCallers[SessionFacts], clock: Clock
    ) -> None:
        self._uow = uow
        self._sessions = sessions
        self._known = known
        self._clock = clock
        self._marked: dict[UUID, int] = {}

    def check(self, session_id: UUID, user_id: UUID, generation: int) -> Actor:
        """The actor behind the session; see ``SessionCheck.check``."""
        facts = self._facts(session_id, generation)
        if facts is None or not facts.live:
            raise AppError(Code.session_revoked, "This session was ended. Sign in again.")
        if facts.user_id != user_id:
            raise AppError(Code.token_invalid, "The access token does not belong to its session.")
        if facts.status == AccountStatus.suspended:
            raise AppError(Code.account_suspended, "This account is suspended.")
        if generation < facts.oldest or self._clock.now() >= facts.expires_at:
            raise AppError(Code.token_expired, "The access token has expired. Refresh it and try again.")
        if generation > facts.seen:
            self._mark_seen(session_id, generation)
        return Actor(
            user_id,
            session_id,
            facts.role,
            facts.proved_at,
            has_factor=facts.has_factor,
            leaving=facts.status == AccountStatus.deletion_scheduled,
        )

    def _facts(self, session_id: UUID, generation: int) -> SessionFacts | None:
        facts = self._known.of(session_id, lambda: self._load(session_id))
        if facts is not None and generation > facts.newest:
            # The token is younger than what is known: it may say that identity was just proved again, in another process.
            return self._known.anew(session_id, lambda: self._load(session_id))
        return facts

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
