"""Second factors of an account: turned on, off, and proved."""

import io
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import segno

from app.core.access import Actor, Client, SiteRole
from app.core.audit import AuditKind
from app.core.clock import Clock
from app.core.errors import AppError, Code, not_found
from app.core.proofs import PasskeyHolders
from app.core.sealing import Sealer
from app.core.uow import UnitOfWork
from app.second_factor.check import PASSKEY, RECOVERY_CODE, TOTP, FactorCheck, wrong_code
from app.second_factor.codes import (
    as_text,
    from_text,
    new_recovery_codes,
    new_secret,
    otpauth_uri,
    recovery_digest,
)
from app.second_factor.repository import RecoveryCodeRepository, TotpRepository
from app.sessions.models import Session
from app.sessions.service import SessionService
from app.users.models import User
from app.users.notices import SecurityNotices
from app.users.service import UserService


@dataclass(frozen=True)
class FactorState:
    """What an account has: ``methods`` that prove it now, when the app was confirmed, codes that are left."""

    enabled: bool
    methods: list[str]
    totp_confirmed_at: datetime | None
    recovery_codes_left: int


@dataclass(frozen=True)
class StartedTotp:
    """What an authenticator app needs, shown once."""

    secret: str
    otpauth_uri: str
    qr_svg: str


class SecondFactorService:
    """Args: passkeys: who has one; an account with a passkey has a second factor too."""

    def __init__(
        self,
        uow: UnitOfWork,
        totp: TotpRepository,
        recovery: RecoveryCodeRepository,
        passkeys: PasskeyHolders,
        check: FactorCheck,
        users: UserService,
        sessions: SessionService,
        sealer: Sealer,
        notices: SecurityNotices,
        clock: Clock,
        product_name: str,
    ) -> None:
        self._uow = uow
        self._totp = totp
        self._recovery = recovery
        self._passkeys = passkeys
        self._check = check
        self._users = users
        self._sessions = sessions
        self._sealer = sealer
        self._notices = notices
        self._clock = clock
        self._product_name = product_name

    def state(self, user_id: UUID) -> FactorState:
        """What the account has."""
        with self._uow.reading():
            totp, left = self._totp.confirmed(user_id), self._recovery.left(user_id)
            passkey = self._passkeys.has(user_id)
        enabled = totp is not None or passkey
        has = {TOTP: totp is not None, PASSKEY: passkey, RECOVERY_CODE: enabled and left > 0}
        methods = [method for method, there in has.items() if there]
        return FactorState(enabled, methods, totp.confirmed_at if totp else None, left if enabled else 0)

    def methods(self, user_id: UUID) -> list[str]:
        """Of ``totp``, ``passkey`` and ``recovery_code`` what would prove the account now; none without a factor."""
        return self.state(user_id).methods

    def start(self, actor: Actor) -> StartedTotp:
        """A new secret, which counts once a code of it was confirmed; an earlier one that never was is replaced.

        Raises:
            AppError: ``mfa_already_enabled``.
        """
        secret = new_secret()
        key_id, sealed = self._sealer.seal(secret, about=actor.user_id.bytes)
        with self._uow:
            user = self._check.hold(actor.user_id)
            if not self._totp.start(user.id, key_id, sealed, self._clock.now()):
                raise _on_already()
        uri = otpauth_uri(secret, account=user.email, issuer=self._product_name)
        return StartedTotp(as_text(secret), uri, _drawn(uri))

    def confirm(self, actor: Actor, code: str, client: Client) -> tuple[list[str], Session]:
        """Turn the started app on: this session goes on in a new generation, the others end (SEC-32).

        Returns:
            Ten recovery codes, told once, and the session; make its tokens after this.

        Raises:
            AppError: ``invalid_code``, ``mfa_already_enabled``, ``not_found`` where none was started, ``rate_limited``.
        """
        self._check.spend(actor.user_id, client)
        with self._uow:
            user = self._check.hold(actor.user_id)
            factor = self._totp.find(user.id, lock=True)
            if factor is None:
                raise not_found("authenticator app that was started")
            if factor.confirmed_at is not None:
                raise _on_already()
            right = self._check.accept_totp(factor, code)
            if right:
                factor.confirmed_at = self._clock.now()
                self._check.refund(user.id, client)
                self._notices.record(AuditKind.totp_enabled, user=user.id, actor=user.id, client=client)
                codes, session = self._make_codes(user.id), self.turned_on(actor)
        if not right:
            raise wrong_code()
        return codes, session

    def plant(self, user_id: UUID, secret: str) -> None:
        """Turn an app on whose secret everybody knows, inside the caller's transaction: that of the demo cast.

        Args:
            secret: base32.
        """
        with self._uow:
            key_id, sealed = self._sealer.seal(from_text(secret), about=user_id.bytes)
            self._totp.start(user_id, key_id, sealed, self._clock.now())
            self._totp.require(user_id).confirmed_at = self._clock.now()
            self._users.set_factor(user_id, enabled=True)

    def turned_on(self, actor: Actor) -> Session:
        """A factor was added and proved by this session, inside the caller's transaction.

        The session goes on in a new generation that this proof counts for; all others end (SEC-32).
        """
        with self._uow:
            self._users.set_factor(actor.user_id, enabled=True)
            session = self._sessions.prove(actor, factor=True)
            self._sessions.end_all(actor.user_id, "factor_added", but=actor.session_id)
            return session

    def disable(self, actor: Actor, client: Client) -> None:
        """Remove the authenticator app; where none is there, that is fine.

        Raises:
            AppError: ``mfa_enrolment_required`` for the last factor of an administrator.
        """
        with self._uow:
            user = self._check.hold(actor.user_id)
            removed = self._totp.remove(user.id)
            if removed:
                self._notices.record(AuditKind.totp_disabled, user=user.id, actor=user.id, client=client)
                self.removed_one(user)

    def removed_one(self, user: User) -> None:
        """A factor was removed, inside the caller's transaction: note whether the held account still has one.

        Recovery codes go with the last factor.

        Raises:
            AppError: ``mfa_enrolment_required`` where that was the last one of an administrator.
        """
        with self._uow:
            left = self._totp.confirmed(user.id) is not None or self._passkeys.has(user.id)
            if not left and user.role == SiteRole.admin:
                detail = "Administrators need a second factor. Add another one before you remove this."
                raise AppError(Code.mfa_enrolment_required, detail)
            if not left:
                self._recovery.remove(user.id)
            self._users.set_factor(user.id, enabled=left)
            self._sessions.forget_facts(user.id)

    def reset(self, user_id: UUID) -> None:
        """Remove app and recovery codes, whoever it is, inside the caller's transaction: an administrator's act.

        The caller removes passkeys, ends the sessions and writes the trail.
        """
        with self._uow:
            self._check.hold(user_id)
            self._totp.remove(user_id)
            self._recovery.remove(user_id)
            self._users.set_factor(user_id, enabled=self._passkeys.has(user_id))
            self._sessions.forget_facts(user_id)

    def regenerate(self, actor: Actor, client: Client) -> list[str]:
        """Ten new recovery codes, told once; all older ones are void (SEC-33).

        Raises:
            AppError: ``mfa_enrolment_required`` without a second factor: there is nothing to recover.
        """
        with self._uow:
            user = self._check.hold(actor.user_id)
            if not user.mfa_enabled:
                raise AppError(Code.mfa_enrolment_required, "Turn a second factor on first.")
            self._notices.record(AuditKind.recovery_codes_made, user=user.id, actor=user.id, client=client)
            return self._make_codes(user.id)

    def _make_codes(self, user_id: UUID) -> list[str]:
        codes = new_recovery_codes()
        digests = [digest for code in codes if (digest := recovery_digest(code))]
        self._recovery.replace(user_id, digests, self._clock.now())
        return codes


def _on_already() -> AppError:
    return AppError(Code.mfa_already_enabled, "An authenticator app is on already. Turn it off first.")


def _drawn(uri: str) -> str:
    """The QR code as one ``<svg>`` element, to be put into a page as it is."""
    drawing = io.BytesIO()
    # With a view box, so that style sheets can size it, and light on its own, so that dark pages can show it.
    segno.make(uri, error="m", micro=False).save(
        drawing, kind="svg", scale=4, xmldecl=False, nl=False, unit="px", light="white"
    )
    return drawing.getvalue().decode()
