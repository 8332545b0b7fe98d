"""Whether an answer proves an account: one challenge, one passkey, one success."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.core.clock import Clock
from app.core.keys import unb64
from app.core.telemetry import log
from app.core.uow import UnitOfWork
from app.passkeys.ceremonies import LONGEST_ID, Ceremonies, CeremonyError
from app.passkeys.challenges import Challenges
from app.passkeys.models import Passkey, PasskeyChallenge, Purpose
from app.passkeys.repository import PasskeyRepository
from app.users.service import UserService

logger = log(__name__)


@dataclass(frozen=True)
class Proof:
    """A passkey proved its owner."""

    user_id: UUID
    passkey_id: UUID


@dataclass(frozen=True)
class Refusal:
    """It did not; ``user_id`` is whose passkey was named, if anybody's."""

    reason: str
    user_id: UUID | None


class PasskeyCheck:
    """Implements ``app.core.proofs.PasskeyProofs``."""

    def __init__(
        self,
        uow: UnitOfWork,
        passkeys: PasskeyRepository,
        challenges: Challenges,
        ceremonies: Ceremonies,
        users: UserService,
        clock: Clock,
    ) -> None:
        self._uow = uow
        self._passkeys = passkeys
        self._challenges = challenges
        self._ceremonies = ceremonies
        self._users = users
        self._clock = clock

    def sign_in(self, challenge_token: str, credential: Mapping[str, Any]) -> Proof | Refusal:
        """Whose passkey it is, where signing in begins with it; see ``judge``."""
        return self.judge(challenge_token, credential, {Purpose.sign_in})

    def second_step_of(self, challenge_token: str) -> UUID | None:
        """The sign-in that waits for an answer to this challenge, without using anything up."""
        challenge = self._challenges.find(challenge_token)
        return challenge.second_step_id if challenge else None

    def accept_second_step(self, user_id: UUID, challenge_token: str, credential: Mapping[str, Any]) -> bool:
        """Whether it is the second step of that account's sign-in, inside the caller's transaction."""
        outcome = self.judge(challenge_token, credential, {Purpose.second_step})
        return isinstance(outcome, Proof) and outcome.user_id == user_id

    def accept(self, user_id: UUID, challenge_token: str, credential: Mapping[str, Any]) -> bool:
        """Whether it proves a signed-in account again (step-up); see ``PasskeyProofs.accept``."""
        outcome = self.judge(challenge_token, credential, {Purpose.step_up})
        return isinstance(outcome, Proof) and outcome.user_id == user_id

    def judge(
        self, challenge_token: str, credential: Mapping[str, Any], purposes: Collection[Purpose]
    ) -> Proof | Refusal:
        """Use the challenge up and look at the answer, inside the caller's transaction.

        It raises nothing, so that the caller commits either way: a challenge that was answered wrongly is gone too.
        """
        with self._uow:
            challenge = self._challenges.take(challenge_token, purposes)
            if challenge is None:
                return Refusal("challenge", None)
            passkey = self._named_by(credential)
            if passkey is None:
                return Refusal("unknown", challenge.user_id)
            try:
                return self._prove(passkey, challenge, credential)
            except CeremonyError as error:
                if error.reason == "cloned":
                    logger.warning("passkey_cloned", passkey_id=str(passkey.id), user_id=str(passkey.user_id))
                return Refusal(error.reason, passkey.user_id)

    def _prove(self, passkey: Passkey, challenge: PasskeyChallenge, credential: Mapping[str, Any]) -> Proof:
        if challenge.user_id not in {None, passkey.user_id}:
            raise CeremonyError("other_account")
        known = challenge.user_id is not None
        proved = self._ceremonies.asserted(credential, challenge.challenge, passkey, known=known)
        passkey.used(self._clock.now(), sign_count=proved.sign_count, backed_up=proved.backed_up)
        return Proof(passkey.user_id, passkey.id)

    def _named_by(self, credential: Mapping[str, Any]) -> Passkey | None:
        """The passkey, locked, so that two answers of it are judged one after the other; its account before it."""
        try:
            identifier = unb64(credential["id"])
        except (KeyError, TypeError, ValueError):
            return None
        found = self._passkeys.by_credential(identifier) if len(identifier) <= LONGEST_ID else None
        if found is None or self._users.hold(found.user_id) is None:
            return None
        return self._passkeys.locked(found.id)
