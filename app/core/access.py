"""Who asks: the actor of a request, and what the edge needs to find out about one."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from app.core.devices import describe
from app.core.errors import AppError, Code


class SiteRole(StrEnum):
    user = "user"
    admin = "admin"


class AccountStatus(StrEnum):
    active = "active"
    suspended = "suspended"
    deletion_scheduled = "deletion_scheduled"


class Caller(StrEnum):
    """Who may call an operation; every route declares one, a test walks the URL map (SEC-37)."""

    anyone = "anyone"
    account = "account"
    stepped_up = "account with step-up"
    administrator = "administrator"
    stepped_up_administrator = "administrator with step-up"
    operator = "operator"


@dataclass(frozen=True)
class Actor:
    """An account that proved itself, in the session it did so.

    Attributes:
        user_id: the account.
        session_id: the sign-in it speaks through; of an API token the token's id, which is no session's.
        role: of the site, not of a project.
        authenticated_at: when identity was last proved, by a second factor where the account has one (step-up);
            None when that never happened in this session.
        has_factor: whether the account has a second factor.
        leaving: whether its deletion is scheduled.
        scopes: of the API token it speaks through; None for a session, which may do everything.
    """

    user_id: UUID
    session_id: UUID
    role: SiteRole = SiteRole.user
    authenticated_at: datetime | None = None
    has_factor: bool = False
    leaving: bool = False
    scopes: frozenset[str] | None = None


@dataclass(frozen=True)
class Client:
    """Where a request came from, as far as we keep it.

    Attributes:
        address: the trusted client address, whole; used for budgets, never stored.
        user_agent: as sent, at most 300 characters.
        device_name: what the app calls the device, if it said so.
    """

    address: str
    user_agent: str = ""
    device_name: str | None = None

    @property
    def device(self) -> str | None:
        """What to call the device: the app's name for it, else what its user agent tells."""
        return self.device_name or describe(self.user_agent)


class SessionCheck(Protocol):
    """What ``web.auth`` asks about the session of a verified token; ``wiring`` hands in who answers."""

    def check(self, session_id: UUID, user_id: UUID, generation: int) -> Actor:
        """The actor.

        Raises:
            AppError: ``session_revoked``, ``token_expired`` (a newer generation replaced it), ``account_suspended``.
        """


class ApiTokenCheck(Protocol):
    """What ``web.auth`` asks about an API token (``hf_...``); ``wiring`` hands in who answers."""

    def check(self, token: str) -> Actor:
        """The actor, with the token's scopes.

        Raises:
            AppError: ``token_invalid``, ``token_expired``, ``account_suspended``.
        """


class AccessTokens(Protocol):
    """What makes access tokens; the web layer does, with flask-jwt-extended."""

    def issue(self, *, user_id: UUID, session_id: UUID, generation: int, role: str) -> tuple[str, int]:
        """A signed token and the seconds it lives."""


def allow(*, permitted: bool, detail: str = "You may not do this here.") -> None:
    """End the use case unless the policy permitted it.

    Raises:
        AppError: ``forbidden``.
    """
    if not permitted:
        raise AppError(Code.forbidden, detail)
