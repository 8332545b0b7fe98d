"""The second step of a sign-in: after the right password, a code or a passkey (SEC-31)."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal
from uuid import UUID

from app.core.access import AccountStatus, Client
from app.core.audit import AuditKind
from app.core.clock import Clock
from app.core.errors import AppError, Code
from app.core.ids import new_id
from app.core.uow import UnitOfWork
from app.second_factor.check import FactorCheck
from app.second_factor.models import MfaChallenge
from app.second_factor.repository import MfaChallengeRepository
from app.second_factor.service import SecondFactorService
from app.second_factor.tokens import MfaTokens
from app.sessions.admissions import Admissions
from app.sessions.grants import SignedIn
from app.sessions.models import Session, Transport
from app.users.models import User

MOST_TRIES = 5


@dataclass(frozen=True)
class MfaRequired:
    """The answer to a right password where the account has a second factor."""

    mfa_token: str
    methods: list[str]
    expires_in: int
    status: Literal["mfa_required"] = "mfa_required"


class SecondStep:
    """Args: seconds: how long the second step may take."""

    def __init__(
        self,
        uow: UnitOfWork,
        challenges: MfaChallengeRepository,
        tokens: MfaTokens,
        factors: SecondFactorService,
        check: FactorCheck,
        admissions: Admissions,
        clock: Clock,
        seconds: int,
    ) -> None:
        self._uow = uow
        self._challenges = challenges
        self._tokens = tokens
        self._factors = factors
        self._check = check
        self._admissions = admissions
        self._clock = clock
        self._seconds = seconds

    def begin(self, user: User, device_id: UUID | None) -> MfaRequired:
        """A challenge for an account whose password was right, inside the caller's transaction.

        Args:
            device_id: the known device that it came from.
        """
        now = self._clock.now()
        with self._uow:
            challenge = self._challenges.add(
                MfaChallenge(
                    id=new_id(),
                    user_id=user.id,
                    password_mark=_mark(user),
                    device_id=device_id,
                    tries=0,
                    expires_at=now + timedelta(seconds=self._seconds),
                    created_at=now,
                )
            )
            methods = self._factors.methods(user.id)
        return MfaRequired(self._tokens.make(challenge.id), methods, self._seconds)

    def waiting(self, mfa_token: str) -> MfaChallenge:
        """The sign-in that waits behind the token.

        Raises:
            AppError: ``mfa_token_invalid``.
        """
        return self._live(mfa_token)

    def token_of(self, challenge_id: UUID) -> str:
        """The ``mfa_token`` of a challenge: for who noted its id, and comes back with another proof."""
        return self._tokens.make(challenge_id)

    def complete(
        self, mfa_token: str, transport: Transport, client: Client, check: Callable[[UUID], bool]
    ) -> SignedIn:
        """A session, when the proof is right. Call it outside any transaction.

        Args:
            check: looks at the proof of the account with that id, inside a transaction that holds its row; what it
                uses up is used up only when the session is opened.

        Raises:
            AppError: ``mfa_token_invalid``, ``invalid_code``, ``rate_limited``.
        """
        challenge = self._live(mfa_token)

        def admitted() -> Session:
            user = self._check.hold(challenge.user_id)
            suspended = user.status == AccountStatus.suspended
            if suspended or _mark(user) != challenge.password_mark or not self._use(challenge):
                raise _void()
            return self._admissions.admit(user, transport, client, factor=True, device_id=challenge.device_id)

        session = self._check.prove(
            challenge.user_id,
            client,
            lambda: check(challenge.user_id),
            admitted,
            before=lambda: self._take_try(challenge),
            failed=AuditKind.sign_in_second_step_failed,
        )
        return self._admissions.grant(session, challenge.device_id)

    def complete_by_code(
        self, mfa_token: str, method: str, code: str, transport: Transport, client: Client
    ) -> SignedIn:
        """As ``complete``, by a code of the authenticator app or a recovery code."""
        return self.complete(
            mfa_token, transport, client, lambda user_id: self._check.accept(user_id, method, code, client)
        )

    def sweep(self) -> int:
        with self._uow:
            return self._challenges.sweep(self._clock.now())

    def _live(self, mfa_token: str) -> MfaChallenge:
        challenge_id = self._tokens.read(mfa_token)
        with self._uow.reading():
            challenge = self._challenges.find(challenge_id) if challenge_id else None
        if (
            challenge is None
            or challenge.used_at is not None
            or challenge.tries >= MOST_TRIES
            or challenge.expires_at <= self._clock.now()
        ):
            raise _void()
        return challenge

    def _take_try(self, challenge: MfaChallenge) -> None:
        """Committed before the look, so that many at once cannot look more often (SEC-31)."""
        with self._uow:
            taken = self._challenges.take_try(challenge.id, self._clock.now(), MOST_TRIES)
        if not taken:
            raise _void()

    def _use(self, challenge: MfaChallenge) -> bool:
        return self._challenges.use(challenge.id, self._clock.now())


def _mark(user: User) -> bytes:
    return hashlib.sha256((user.password_hash or "").encode()).digest()


def _void() -> AppError:
    detail = "This sign-in has expired, was used, or was tried too often. Begin with the password."
    return AppError(Code.mfa_token_invalid, detail)
