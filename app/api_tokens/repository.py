"""SQL of API tokens."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, delete, func, or_, select, update

from app.api_tokens.models import ApiToken
from app.core.access import SiteRole
from app.core.db import rows_changed
from app.core.pagination import Cursors, Page, PageRequest, Sort, page_of, query_scope
from app.core.quick_statements import QuickSelect
from app.core.repository import Repository
from app.users.models import User

FACTS = QuickSelect(
    select(
        ApiToken.id, ApiToken.user_id, ApiToken.scopes, ApiToken.expires_at, ApiToken.last_used_at,
        ApiToken.revoked_at, User.role, User.status, User.mfa_enabled,
    )
    .join(User, User.id == ApiToken.user_id)
    .where(ApiToken.digest == bindparam("digest"))
)  # fmt: skip
NEWEST = Sort(ApiToken.created_at, True, datetime.fromisoformat)


class TokenFacts(NamedTuple):
    """What the check of a token needs."""

    subjects: tuple[UUID, UUID]
    id: UUID
    user_id: UUID
    scopes: frozenset[str]
    expires_at: datetime
    last_used_at: datetime | None
    revoked: bool
    role: SiteRole
    status: str
    has_factor: bool


class ApiTokenRepository(Repository[ApiToken]):
    model = ApiToken
    noun = "API token"

    def facts(self, digest: bytes) -> TokenFacts | None:
        """What the check needs; one statement."""
        row = self.one(FACTS, {"digest": digest})
        if row is None:
            return None
        return TokenFacts(
            (row.id, row.user_id), row.id, row.user_id, frozenset(row.scopes), row.expires_at, row.last_used_at,
            row.revoked_at is not None, SiteRole(row.role), row.status, row.mfa_enabled,
        )  # fmt: skip

    def page(self, user_id: UUID, cursors: Cursors, request: PageRequest) -> Page[ApiToken]:
        """An account's tokens that were not revoked, the newest first; expired ones are among them."""
        return page_of(
            self.session,
            select(ApiToken).where(ApiToken.user_id == user_id, ApiToken.revoked_at.is_(None)),
            sort=NEWEST,
            key=ApiToken.id,
            cursors=cursors,
            scope=query_scope("api-tokens", user_id),
            request=request,
            make=lambda row: row[0],
        )

    def all_of(self, user_id: UUID) -> list[ApiToken]:
        """Every token of an account that is still kept."""
        statement = select(ApiToken).where(ApiToken.user_id == user_id).order_by(ApiToken.id)
        return list(self.session.execute(statement).scalars())

    def live(self, user_id: UUID, now: datetime) -> int:
        """How many tokens an account can use."""
        counted = (
            select(func.count())
            .select_from(ApiToken)
            .where(ApiToken.user_id == user_id, ApiToken.revoked_at.is_(None), ApiToken.expires_at > now)
        )
        return self.session.execute(counted).scalar_one()

    def unrevoked(self, user_id: UUID) -> list[ApiToken]:
        statement = (
            select(ApiToken)
            .where(ApiToken.user_id == user_id, ApiToken.revoked_at.is_(None))
            .order_by(ApiToken.id)
            .with_for_update(key_share=True)
        )
        return list(self.session.execute(statement).scalars())

    def touch(self, token_id: UUID, now: datetime, unless_after: datetime) -> None:
        """Note a use, unless one was noted after that moment; where another process does so now, it is left to it."""
        free = (
            select(ApiToken.id)
            .where(
                ApiToken.id == token_id,
                or_(ApiToken.last_used_at.is_(None), ApiToken.last_used_at <= unless_after),
            )
            .with_for_update(skip_locked=True, key_share=True)
        )
        touched = update(ApiToken).where(ApiToken.id.in_(free)).values(last_used_at=now)
        self.session.execute(touched.execution_options(synchronize_session=False))

    def sweep(self, before: datetime) -> int:
        """Delete what ended before that moment; the answer is how many."""
        expired = rows_changed(self.session, delete(ApiToken).where(ApiToken.expires_at < before))
        revoked = rows_changed(self.session, delete(ApiToken).where(ApiToken.revoked_at < before))
        return expired + revoked
