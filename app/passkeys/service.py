"""What people do with their passkeys, and the questions that authenticators are asked."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.core.access import Actor, Client
from app.core.audit import AuditKind
from app.core.clock import Clock
from app.core.errors import AppError, Code, FieldCode, invalid, not_found
from app.core.ids import new_id
from app.core.pagination import Page
from app.core.uow import UnitOfWork
from app.passkeys import policy
from app.passkeys.authenticators import name_of
from app.passkeys.ceremonies import Ceremonies, CeremonyError, NewCredential
from app.passkeys.challenges import Challenges
from app.passkeys.models import Passkey, Purpose
from app.passkeys.repository import PasskeyRepository
from app.second_factor.service import SecondFactorService
from app.sessions.grants import Grants, SignedIn
from app.users.models import User
from app.users.notices import SecurityNotices
from app.users.service import UserService


@dataclass(frozen=True)
class Question:
    """What an authenticator is asked.

    Attributes:
        options: for ``navigator.credentials``.
        challenge_token: comes back with the answer.
    """

    options: dict[str, Any]
    challenge_token: str


@dataclass(frozen=True)
class Added:
    """Attributes: session: new tokens of the session, where this was the account's first factor."""

    passkey: Passkey
    session: SignedIn | None


class PasskeyService:
    def __init__(
        self,
        uow: UnitOfWork,
        passkeys: PasskeyRepository,
        challenges: Challenges,
        ceremonies: Ceremonies,
        users: UserService,
        factors: SecondFactorService,
        grants: Grants,
        notices: SecurityNotices,
        clock: Clock,
    ) -> None:
        self._uow = uow
        self._passkeys = passkeys
        self._challenges = challenges
        self._ceremonies = ceremonies
        self._users = users
        self._factors = factors
        self._grants = grants
        self._notices = notices
        self._clock = clock

    def list_own(self, actor: Actor) -> Page[Passkey]:
        """The caller's passkeys, the newest first; at most as many as an account may have."""
        return Page(self.all_of(actor.user_id), next_cursor=None, has_more=False)

    def all_of(self, user_id: UUID) -> list[Passkey]:
        """An account's passkeys, the newest first."""
        with self._uow.reading():
            return self._passkeys.of(user_id)

    def start(self, actor: Actor) -> Question:
        """Ask for a new passkey.

        Raises:
            AppError: ``write_conflict`` where the account has as many as it may.
        """
        with self._uow:
            known = self._passkeys.of(actor.user_id)
            self._require_room(len(known))
            user = self._users.get(actor.user_id)
            token, challenge = self._challenges.issue(Purpose.register, user=user.id)
            return Question(self._ceremonies.creation_options(user, challenge, known), token)

    def add(
        self,
        actor: Actor,
        challenge_token: str,
        credential: Mapping[str, Any],
        name: str | None,
        client: Client,
    ) -> Added:
        """Keep the passkey that an authenticator made.

        The account's first factor ends its other sessions, and gives this one new tokens (SEC-32).

        Raises:
            AppError: ``token_expired_or_used`` for the challenge, ``validation_failed`` for the credential,
                ``write_conflict`` for one too many, for one that is registered, and where another request turned the
                second factor on at the same moment.
        """
        with self._uow:
            # Held, so that counting and the first factor are decided for one request after the other.
            user = self._hold(actor)
            made = self._made(actor, challenge_token, credential)
            if isinstance(made, NewCredential):
                passkey = self._add(actor, user, made, name, client)
                session = None if user.mfa_enabled else self._factors.turned_on(actor)
        if isinstance(made, AppError):
            raise made
        return Added(passkey, self._grants.of(session) if session else None)

    def rename(self, actor: Actor, passkey_id: UUID, name: str, client: Client) -> Passkey:
        """Call it something else.

        Raises:
            AppError: ``not_found`` for somebody else's too.
        """
        with self._uow:
            passkey = self._require_own(actor, passkey_id)
            if passkey.name != name:
                passkey.name = name
                self._record(AuditKind.passkey_renamed, actor, passkey, client)
            return passkey

    def delete(self, actor: Actor, passkey_id: UUID, client: Client) -> None:
        """Forget it; without another factor the account has none then.

        Raises:
            AppError: ``not_found``, and ``mfa_enrolment_required`` where an administrator would be left without.
        """
        with self._uow:
            user = self._hold(actor)
            passkey = self._require_own(actor, passkey_id)
            self._passkeys.remove(passkey)
            self._record(AuditKind.passkey_deleted, actor, passkey, client)
            self._factors.removed_one(user)

    def remove_all(self, user_id: UUID) -> int:
        """Forget all of an account, inside the caller's transaction; the answer is how many. Its caller tells people."""
        with self._uow:
            return self._passkeys.remove_all(user_id)

    def ask_anybody(self) -> Question:
        """For signing in with a passkey alone: whoever has one for this service may answer."""
        with self._uow:
            token, challenge = self._challenges.issue(Purpose.sign_in)
            return Question(self._ceremonies.request_options(challenge), token)

    def ask_again(self, actor: Actor) -> Question:
        """For step-up: one of the caller's own passkeys must answer."""
        return self._ask(Purpose.step_up, actor.user_id)

    def ask_second_step(self, user_id: UUID, second_step: UUID) -> Question:
        """For the second step of a sign-in: one of the account's passkeys must answer."""
        return self._ask(Purpose.second_step, user_id, second_step)

    def sweep(self) -> int:
        """Delete challenges that nobody answered; the answer is how many."""
        return self._challenges.sweep()

    def _ask(self, purpose: Purpose, user_id: UUID, second_step: UUID | None = None) -> Question:
        with self._uow:
            token, challenge = self._challenges.issue(purpose, user=user_id, second_step=second_step)
            return Question(self._ceremonies.request_options(challenge, self._passkeys.of(user_id)), token)

    def _made(
        self, actor: Actor, challenge_token: str, credential: Mapping[str, Any]
    ) -> NewCredential | AppError:
        """What the authenticator made; a refusal is an answer here, so that the challenge is used up all the same."""
        challenge = self._challenges.take(challenge_token, {Purpose.register})
        if challenge is None or challenge.user_id != actor.user_id:
            return AppError(
                Code.token_expired_or_used, "This challenge has expired or was used. Begin again."
            )
        try:
            return self._ceremonies.registered(credential, challenge.challenge)
        except CeremonyError:
            return invalid("credential", FieldCode.invalid_format, "This passkey could not be verified.")

    def _add(
        self, actor: Actor, user: User, made: NewCredential, name: str | None, client: Client
    ) -> Passkey:
        if user.mfa_enabled and not actor.has_factor:
            # Let in when a password was enough; meanwhile it is not, and this session may have ended (SEC-32).
            detail = "This account got a second factor at the same moment. Prove your identity with it, then try again."
            raise AppError(Code.write_conflict, detail)
        self._require_room(self._passkeys.count(user.id))
        passkey = self._passkeys.add(
            Passkey(
                id=new_id(), user_id=user.id, credential_id=made.credential_id, public_key=made.public_key,
                sign_count=made.sign_count, name=name or name_of(made.aaguid), transports=made.transports,
                aaguid=made.aaguid, backup_eligible=made.backup_eligible, backed_up=made.backed_up,
                created_at=self._clock.now(), last_used_at=None,
            )
        )  # fmt: skip
        self._passkeys.flush()
        self._record(AuditKind.passkey_added, actor, passkey, client)
        return passkey

    def _hold(self, actor: Actor) -> User:
        user = self._users.hold(actor.user_id)
        if user is None:
            raise not_found("account")
        return user

    def _require_own(self, actor: Actor, passkey_id: UUID) -> Passkey:
        passkey = self._passkeys.require(passkey_id, lock=True)
        if not policy.owns(actor, passkey):
            raise not_found("passkey")
        return passkey

    def _require_room(self, passkeys: int) -> None:
        if not policy.has_room(passkeys):
            raise AppError(
                Code.write_conflict,
                f"An account has at most {policy.MOST_PASSKEYS} passkeys. Delete one first.",
            )

    def _record(self, kind: AuditKind, actor: Actor, passkey: Passkey, client: Client) -> None:
        self._notices.record(
            kind, user=actor.user_id, actor=actor.user_id, client=client, data={"passkey_id": str(passkey.id)}
        )
