"""What a client holds after signing in or refreshing."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from app.core.access import AccessTokens
from app.sessions.devices import DeviceTokens
from app.sessions.lifetimes import Lifetimes
from app.sessions.models import Session, Transport
from app.sessions.tokens import RefreshTokens
from app.users.models import User
from app.users.service import UserService


@dataclass(frozen=True)
class SignedIn:
    """The answer to a sign-in; the web layer moves ``refresh_token`` into a cookie where that is its transport."""

    access_token: str
    expires_in: int
    refresh_token: str | None
    refresh_expires_at: datetime
    session_id: UUID
    step_up_until: datetime
    device_token: str | None
    user: User
    transport: Transport
    status: Literal["signed_in"] = "signed_in"
    token_type: Literal["Bearer"] = "Bearer"


class Grants:
    """Makes the tokens of a session.

    Args:
        tokens: refresh tokens.
        access_tokens: the web layer's signer.
        devices: tokens that a device keeps when its session has ended.
    """

    def __init__(
        self,
        users: UserService,
        tokens: RefreshTokens,
        access_tokens: AccessTokens,
        lifetimes: Lifetimes,
        devices: DeviceTokens,
    ) -> None:
        self._users = users
        self.tokens = tokens
        self._access_tokens = access_tokens
        self.lifetimes = lifetimes
        self._devices = devices

    def of(self, session: Session) -> SignedIn:
        """Tokens of the session's newest generation; they are good once its row is committed."""
        return self._make(session, self._users.get(session.user_id), None)

    def of_sign_in(self, session: Session, device_id: UUID | None = None) -> SignedIn:
        """As ``of``, for a session that has just begun: with a device token.

        Args:
            device_id: the known device that it began on; a new one without.
        """
        user = self._users.get(session.user_id)
        return self._make(session, user, self._devices.make(user, device_id))

    def _make(self, session: Session, user: User, device_token: str | None) -> SignedIn:
        access_token, seconds = self._access_tokens.issue(
            user_id=user.id, session_id=session.id, generation=session.counter, role=user.role
        )
        return SignedIn(
            access_token=access_token,
            expires_in=seconds,
            refresh_token=self.tokens.make(session),
            refresh_expires_at=session.idle_expires_at,
            session_id=session.id,
            step_up_until=(session.factor_at or session.authenticated_at) + self.lifetimes.step_up,
            device_token=device_token,
            user=user,
            transport=Transport(session.transport),
        )
