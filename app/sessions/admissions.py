"""What every way of signing in ends with: a session, the trail, word of a new device, and the tokens."""

from uuid import UUID

from app.core.access import Client
from app.core.audit import AuditKind
from app.core.uow import UnitOfWork
from app.sessions.devices import DeviceTokens
from app.sessions.grants import Grants, SignedIn
from app.sessions.models import Session, Transport
from app.sessions.service import SessionService
from app.users.models import User
from app.users.notices import SecurityNotices


class Admissions:
    """For signing in by password, by a second step or by passkey; not for the first session after registering."""

    def __init__(
        self,
        uow: UnitOfWork,
        sessions: SessionService,
        grants: Grants,
        devices: DeviceTokens,
        notices: SecurityNotices,
    ) -> None:
        self._uow = uow
        self._sessions = sessions
        self._grants = grants
        self._devices = devices
        self._notices = notices

    def known_device(self, token: str | None, user: User | None) -> UUID | None:
        """The device that a token names, where it is good for this account (SEC-14)."""
        return self._devices.known(token, user)

    def admit(
        self, user: User, transport: Transport, client: Client, *, factor: bool, device_id: UUID | None
    ) -> Session:
        """Open a session, inside the caller's transaction, which has looked at the account's state.

        Args:
            factor: whether a second factor or a passkey was part of the proof.
            device_id: what ``known_device`` answered; from a device that is not known the owner is told by mail.
        """
        with self._uow:
            session = self._sessions.open(user.id, transport, client, factor=factor)
            self._notices.record(AuditKind.sign_in_succeeded, user=user.id, actor=user.id, client=client)
            if device_id is None:
                self._notices.record(AuditKind.sign_in_new_device, user=user.id, actor=user.id, client=client)
            return session

    def grant(self, session: Session, device_id: UUID | None) -> SignedIn:
        """The session's tokens, the device's among them; call it after the commit."""
        return self._grants.of_sign_in(session, device_id)
