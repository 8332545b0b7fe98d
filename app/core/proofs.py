"""What accounts ask of passkeys, wherever those are kept: ``wiring`` hands in who answers."""

from collections.abc import Mapping
from typing import Any, Protocol
from uuid import UUID


class PasskeyHolders(Protocol):
    """Who has a passkey; a repository can answer this."""

    def has(self, user_id: UUID) -> bool:
        """Whether the account has one; called inside a unit of work."""


class PasskeyProofs(Protocol):
    """What proves an account by one of its passkeys, outside signing in (step-up)."""

    def accept(self, user_id: UUID, challenge_token: str, credential: Mapping[str, Any]) -> bool:
        """Check an assertion and use its challenge up, inside the caller's transaction.

        Args:
            user_id: whose passkey it must be.
            challenge_token: of ``startPasskeySignIn``.
            credential: what ``navigator.credentials.get()`` gave, as JSON.

        Returns:
            Whether it proves the account; False for anything that does not, whatever is wrong with it.
        """


class NoPasskeys:
    """For a service without them: nobody has one, nothing proves anything."""

    def has(self, user_id: UUID) -> bool:
        del user_id
        return False

    def accept(self, user_id: UUID, challenge_token: str, credential: Mapping[str, Any]) -> bool:
        del user_id, challenge_token, credential
        return False
