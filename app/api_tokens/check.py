"""Whether an API token still holds, and for whom: asked on every request that brings one (SEC-20)."""

from datetime import datetime, timedelta
from uuid import UUID

from app.api_tokens.repository import ApiTokenRepository, TokenFacts
from app.api_tokens.tokens import digest_of
from app.core.access import AccountStatus, Actor
from app.core.clock import Clock
from app.core.errors import AppError, Code
from app.core.known_callers import KnownCallers
from app.core.telemetry import log
from app.core.uow import UnitOfWork

logger = log(__name__)
NOTED_EVERY = timedelta(minutes=1)
REMEMBERED = 20_000


class ApiTokenChecker:
    """Implements ``app.core.access.ApiTokenCheck``.

    What it goes by was true less than a second ago in any process, whether Redis answers or not; a revocation in this process
    counts at once.
    """

    def __init__(
        self, uow: UnitOfWork, tokens: ApiTokenRepository, known: KnownCallers[TokenFacts], clock: Clock
    ) -> None:
        self._uow = uow
        self._tokens = tokens
        self._known = known
        self._clock = clock
        self._noted: dict[UUID, datetime] = {}

    def check(self, token: str) -> Actor:
        """The actor behind the token; see ``ApiTokenCheck.check``."""
        digest = digest_of(token)
        if digest is None:
            raise _unknown()
        facts = self._known.of(digest, lambda: self._load(digest))
        if facts is None or facts.revoked:
            raise _unknown()
        now = self._clock.now()
        if now >= facts.expires_at:
            raise AppError(Code.token_expired, "The API token has expired. Make another one.")
        if facts.status == AccountStatus.suspended:
            raise AppError(Code.account_suspended, "This account is suspended.")
        self._note_use(facts, now)
        return Actor(
            facts.user_id,
            facts.id,
            facts.role,
            has_factor=facts.has_factor,
            leaving=facts.status == AccountStatus.deletion_scheduled,
            scopes=facts.scopes,
        )

    def _load(self, digest: bytes) -> TokenFacts | None:
        with self._uow.reading():
            return self._tokens.facts(digest)

    def _note_use(self, facts: TokenFacts, now: datetime) -> None:
        """Write ``last_used_at``, at most once a minute; that this fails is no reason to refuse a request."""
        noted = self._noted.get(facts.id) or facts.last_used_at
        if noted is not None and now - noted < NOTED_EVERY:
            return
        if len(self._noted) >= REMEMBERED:
            self._noted.clear()
        self._noted[facts.id] = now
        try:
            with self._uow:
                self._tokens.touch(facts.id, now, now - NOTED_EVERY)
        except AppError as error:
            logger.info("api_token_use_not_noted", code=error.code.value)


def _unknown() -> AppError:
    return AppError(Code.token_invalid, "The API token is not valid.")
