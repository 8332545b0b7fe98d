"""SQL of second factors. What counts tries or uses something up is one conditional statement."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from app.core.db import rows_changed
from app.core.repository import Repository
from app.second_factor.models import MfaChallenge, RecoveryCode, TotpFactor


class TotpRepository(Repository[TotpFactor]):
    model = TotpFactor
    noun = "authenticator app"

    def start(self, user_id: UUID, key_id: str, sealed: bytes, now: datetime) -> bool:
        """Put in a new secret that is not confirmed yet; the answer is no where a confirmed one stands."""
        fresh = {"key_id": key_id, "sealed": sealed, "last_step": 0, "created_at": now}
        started = (
            insert(TotpFactor)
            .values(user_id=user_id, confirmed_at=None, **fresh)
            .on_conflict_do_update(
                index_elements=["user_id"], set_=fresh, where=TotpFactor.confirmed_at.is_(None)
            )
            .returning(TotpFactor.user_id)
        )
        return self.session.execute(started).scalar_one_or_none() is not None

    def confirmed(self, user_id: UUID) -> TotpFactor | None:
        """The factor, read anew, where it counts."""
        statement = (
            select(TotpFactor)
            .where(TotpFactor.user_id == user_id, TotpFactor.confirmed_at.is_not(None))
            .execution_options(populate_existing=True)
        )
        return self.session.execute(statement).scalar_one_or_none()

    def advance(self, user_id: UUID, step: int) -> bool:
        """Use a time step up; of many at once, and of one after the other, one gets the answer yes (SEC-30)."""
        advanced = (
            update(TotpFactor)
            .where(TotpFactor.user_id == user_id, TotpFactor.last_step < step)
            .values(last_step=step)
            .returning(TotpFactor.user_id)
            .execution_options(synchronize_session=False)
        )
        return self.session.execute(advanced).scalar_one_or_none() is not None

    def under_other_key(self, key_id: str, after: UUID, most: int) -> list[TotpFactor]:
        """Some whose secret is sealed under another key than this one, locked, in the order of accounts."""
        statement = (
            select(TotpFactor)
            .where(TotpFactor.key_id != key_id, TotpFactor.user_id > after)
            .order_by(TotpFactor.user_id)
            .limit(most)
            .with_for_update(key_share=True)
            .execution_options(populate_existing=True)
        )
        return list(self.session.execute(statement).scalars())

    def remove(self, user_id: UUID) -> bool:
        """The answer is whether a confirmed one was removed."""
        removed = delete(TotpFactor).where(TotpFactor.user_id == user_id).returning(TotpFactor.confirmed_at)
        return self.session.execute(removed).scalar_one_or_none() is not None


class RecoveryCodeRepository(Repository[RecoveryCode]):
    model = RecoveryCode
    noun = "recovery code"

    def replace(self, user_id: UUID, digests: Iterable[bytes], now: datetime) -> None:
        """These codes, and no others any more."""
        self.remove(user_id)
        rows = [{"user_id": user_id, "digest": digest, "created_at": now} for digest in digests]
        self.session.execute(insert(RecoveryCode).values(rows))

    def use(self, user_id: UUID, digest: bytes, now: datetime) -> bool:
        """Use a code up; of many at once one gets the answer yes (SEC-33)."""
        used = (
            update(RecoveryCode)
            .where(
                RecoveryCode.user_id == user_id, RecoveryCode.digest == digest, RecoveryCode.used_at.is_(None)
            )
            .values(used_at=now)
            .returning(RecoveryCode.user_id)
        )
        return self.session.execute(used).scalar_one_or_none() is not None

    def left(self, user_id: UUID) -> int:
        """How many are still good."""
        unused = (
            select(func.count())
            .select_from(RecoveryCode)
            .where(RecoveryCode.user_id == user_id, RecoveryCode.used_at.is_(None))
        )
        return self.session.execute(unused).scalar_one()

    def remove(self, user_id: UUID) -> None:
        self.session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))


class MfaChallengeRepository(Repository[MfaChallenge]):
    model = MfaChallenge
    noun = "sign-in"

    def take_try(self, challenge_id: UUID, now: datetime, most: int) -> bool:
        """Count one try, while there is one; of many at once so many get the answer yes (SEC-31)."""
        return self._change(challenge_id, now, MfaChallenge.tries < most, tries=MfaChallenge.tries + 1)

    def use(self, challenge_id: UUID, now: datetime) -> bool:
        """Use it up; of many at once one gets the answer yes."""
        return self._change(challenge_id, now, used_at=now)

    def sweep(self, now: datetime) -> int:
        return rows_changed(self.session, delete(MfaChallenge).where(MfaChallenge.expires_at <= now))

    def _change(
        self, challenge_id: UUID, now: datetime, *conditions: ColumnElement[bool], **values: object
    ) -> bool:
        live = (
            MfaChallenge.id == challenge_id,
            MfaChallenge.used_at.is_(None),
            MfaChallenge.expires_at > now,
        )
        changed = (
            update(MfaChallenge)
            .where(*live, *conditions)
            .values(**values)
            .returning(MfaChallenge.id)
            .execution_options(synchronize_session=False)
        )
        return self.session.execute(changed).scalar_one_or_none() is not None
