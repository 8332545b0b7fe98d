"""SQL of passkeys and their challenges."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, select

from app.core.db import rows_changed
from app.core.repository import Repository
from app.passkeys.models import Passkey, PasskeyChallenge, Purpose


class PasskeyRepository(Repository[Passkey]):
    model = Passkey
    noun = "passkey"

    def of(self, user_id: UUID) -> list[Passkey]:
        """The account's passkeys, the newest first."""
        statement = (
            select(Passkey)
            .where(Passkey.user_id == user_id)
            .order_by(Passkey.created_at.desc(), Passkey.id.desc())
        )
        return list(self.session.execute(statement).scalars())

    def count(self, user_id: UUID) -> int:
        counted = select(func.count()).select_from(Passkey).where(Passkey.user_id == user_id)
        return self.session.execute(counted).scalar_one()

    def has(self, user_id: UUID) -> bool:
        """Implements ``app.core.proofs.PasskeyHolders``."""
        found = select(Passkey.id).where(Passkey.user_id == user_id).limit(1)
        return self.session.execute(found).scalar_one_or_none() is not None

    def by_credential(self, credential_id: bytes) -> Passkey | None:
        found = select(Passkey).where(Passkey.credential_id == credential_id)
        return self.session.execute(found).scalar_one_or_none()

    def locked(self, passkey_id: UUID) -> Passkey | None:
        """The row as it is once nobody else holds it, even where this session has read it before."""
        statement = (
            select(Passkey)
            .where(Passkey.id == passkey_id)
            .with_for_update(key_share=True)
            .execution_options(populate_existing=True)
        )
        return self.session.execute(statement).scalar_one_or_none()

    def remove(self, passkey: Passkey) -> None:
        self.session.delete(passkey)
        self.session.flush()

    def remove_all(self, user_id: UUID) -> int:
        return rows_changed(self.session, delete(Passkey).where(Passkey.user_id == user_id))


class ChallengeRepository(Repository[PasskeyChallenge]):
    model = PasskeyChallenge
    noun = "challenge"

    def find_by(self, token_digest: bytes) -> PasskeyChallenge | None:
        return self.session.get(PasskeyChallenge, token_digest)

    def take(
        self, token_digest: bytes, purposes: Collection[Purpose], now: datetime
    ) -> PasskeyChallenge | None:
        """The live challenge behind a token, deleted by the same statement: of many that ask, one gets it."""
        taken = (
            delete(PasskeyChallenge)
            .where(
                PasskeyChallenge.token_digest == token_digest,
                PasskeyChallenge.purpose.in_([purpose.value for purpose in purposes]),
                PasskeyChallenge.expires_at > now,
            )
            .returning(PasskeyChallenge)
        )
        return self.session.execute(
            taken, execution_options={"synchronize_session": False}
        ).scalar_one_or_none()

    def sweep(self, now: datetime) -> int:
        return rows_changed(self.session, delete(PasskeyChallenge).where(PasskeyChallenge.expires_at <= now))
