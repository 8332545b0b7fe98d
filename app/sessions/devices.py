"""Tokens of known devices: whoever brings one has been signed in to the account there before (SEC-14).

It opens nothing. It moves failed sign-ins from the budgets that strangers share to one of the device's own, and saves
its owner the mail about a new device. All of an account's are void at once when ``users.device_epoch`` moves.
"""

import hmac
from dataclasses import dataclass
from uuid import UUID

from app.core.ids import new_id
from app.core.keys import KeyRing, b64, mac, unb64
from app.users.models import User

PREFIX = "hfd1"
PARTS = 6
MAX_DIGITS = 9


@dataclass(frozen=True)
class Device:
    """A genuine token taken apart: whose it is, which device, and the epoch in which it was known."""

    user_id: UUID
    device_id: UUID
    epoch: int


class DeviceTokens:
    """Args: ring: keys of the purpose ``device-token``."""

    def __init__(self, ring: KeyRing) -> None:
        self._ring = ring

    def make(self, user: User, device_id: UUID | None = None) -> str:
        """``hfd1.<key id>.<account>.<device>.<epoch>.<mac>``; without a ``device_id`` for a new device."""
        key_id, key = self._ring.current
        device = Device(user.id, device_id or new_id(), user.device_epoch)
        return (
            f"{PREFIX}.{key_id}.{b64(device.user_id.bytes)}.{b64(device.device_id.bytes)}.{device.epoch}"
            f".{b64(_tag(key, device))}"
        )

    def known(self, token: str | None, user: User | None) -> UUID | None:
        """The device, where the token is genuine, of this account and of its epoch; None for all else."""
        device = self.read(token) if token else None
        if device is None or user is None:
            return None
        return device.device_id if (device.user_id, device.epoch) == (user.id, user.device_epoch) else None

    def read(self, token: str) -> Device | None:
        """A genuine token taken apart; None for anything that we did not make."""
        parts = token.split(".")
        if len(parts) != PARTS or parts[0] != PREFIX or not token.isascii():
            return None
        _, key_id, user_id, device_id, epoch, tag = parts
        key = self._ring.get(key_id)
        if key is None or not epoch.isdigit() or len(epoch) > MAX_DIGITS or epoch != str(int(epoch)):
            return None
        try:
            device = Device(UUID(bytes=unb64(user_id)), UUID(bytes=unb64(device_id)), int(epoch))
            genuine = hmac.compare_digest(_tag(key, device), unb64(tag))
        except ValueError:
            return None
        return device if genuine else None


def _tag(key: bytes, device: Device) -> bytes:
    return mac(key, device.user_id.bytes, device.device_id.bytes, str(device.epoch).encode())
