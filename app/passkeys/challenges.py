"""Challenges: 256 random bits that an authenticator signs, once and within five minutes (SEC-31)."""

import hashlib
import secrets
from collections.abc import Collection
from datetime import timedelta
from uuid import UUID

from app.core.clock import Clock
from app.core.keys import b64, unb64
from app.core.uow import UnitOfWork
from app.passkeys.models import PasskeyChallenge, Purpose
from app.passkeys.repository import ChallengeRepository

PREFIX = "hfc1"
BYTES = 32
LIVES = timedelta(minutes=5)


class Challenges:
    """Its client holds a token that names a challenge; the table holds only the token's digest.

    So whoever reads the table cannot answer in somebody's place, and whoever holds the token cannot choose what is signed.
    """

    def __init__(self, uow: UnitOfWork, rows: ChallengeRepository, clock: Clock) -> None:
        self._uow = uow
        self._rows = rows
        self._clock = clock

    def issue(
        self, purpose: Purpose, *, user: UUID | None = None, second_step: UUID | None = None
    ) -> tuple[str, bytes]:
        """A new challenge: the token for the client, and what the authenticator shall sign.

        Args:
            user: whose passkey must answer; nobody's in particular where signing in begins with it.
            second_step: the sign-in that waits for the answer.
        """
        secret, challenge = secrets.token_bytes(BYTES), secrets.token_bytes(BYTES)
        with self._uow:
            self._rows.add(
                PasskeyChallenge(
                    token_digest=_digest(secret), challenge=challenge, purpose=purpose.value, user_id=user,
                    second_step_id=second_step, expires_at=self._clock.now() + LIVES,
                )
            )  # fmt: skip
        return f"{PREFIX}.{b64(secret)}", challenge

    def take(self, token: str, purposes: Collection[Purpose]) -> PasskeyChallenge | None:
        """The challenge behind a token, used up with the caller's transaction; ``None`` where there is none for that."""
        secret = read_token(token)
        if secret is None:
            return None
        with self._uow:
            return self._rows.take(_digest(secret), purposes, self._clock.now())

    def find(self, token: str) -> PasskeyChallenge | None:
        """The live challenge behind a token, left as it is."""
        secret = read_token(token)
        with self._uow.reading():
            found = self._rows.find_by(_digest(secret)) if secret else None
        return found if found and found.expires_at > self._clock.now() else None

    def sweep(self) -> int:
        """Delete those that nobody answered; the answer is how many."""
        with self._uow:
            return self._rows.sweep(self._clock.now())


def read_token(token: str) -> bytes | None:
    """The secret of a well-formed token, else ``None``."""
    prefix, _, text = token.partition(".")
    if prefix != PREFIX or not text.isascii():
        return None
    try:
        secret = unb64(text)
    except ValueError:
        return None
    return secret if len(secret) == BYTES else None


def _digest(secret: bytes) -> bytes:
    return hashlib.sha256(secret).digest()
