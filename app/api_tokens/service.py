"""API tokens: made, listed, revoked."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from app.api_tokens import policy
from app.api_tokens.models import ApiToken
from app.api_tokens.repository import ApiTokenRepository
from app.api_tokens.tokens import digest_of, new_token
from app.api_tokens.views import MadeToken
from app.core.access import Actor, Client
from app.core.access_watch import AccessWatch
from app.core.audit import AuditKind
from app.core.clock import Clock
from app.core.errors import AppError, Code, FieldCode, invalid, not_found
from app.core.ids import new_id
from app.core.pagination import Cursors, Page, PageRequest
from app.core.uow import UnitOfWork
from app.users.notices import SecurityNotices
from app.users.service import UserService


@dataclass(frozen=True)
class ApiTokenRules:
    """How long a token may live, and how many an account may have that can be used."""

    days: int
    most: int


class ApiTokenService:
    """Args: cursors: keys of the purpose ``cursor``."""

    def __init__(
        self,
        uow: UnitOfWork,
        tokens: ApiTokenRepository,
        users: UserService,
        notices: SecurityNotices,
        watch: AccessWatch,
        cursors: Cursors,
        rules: ApiTokenRules,
        clock: Clock,
    ) -> None:
        self._uow = uow
        self._tokens = tokens
        self._users = users
        self._notices = notices
        self._watch = watch
        self._cursors = cursors
        self._rules = rules
        self._clock = clock

    def list_own(self, actor: Actor, request: PageRequest) -> Page[ApiToken]:
        """One page of the caller's tokens, the newest first; revoked ones are not shown.

        Raises:
            AppError: ``invalid_cursor``.
        """
        with self._uow.reading():
            return self._tokens.page(actor.user_id, self._cursors, request)

    def create(
        self, actor: Actor, name: str, scopes: Collection[str], expires_at: datetime | None, client: Client
    ) -> MadeToken:
        """A new token, with the token itself, which nobody can read again.

        Args:
            expires_at: None for as late as may be.

        Raises:
            AppError: ``validation_failed`` for a moment that has passed or is too far ahead, ``write_conflict``
                where the account has as many as it may have.
        """
        now = self._clock.now()
        ends = self._last(expires_at, now)
        token = new_token()
        digest = digest_of(token)
        assert digest is not None
        with self._uow:
            if self._users.hold(actor.user_id) is None:
                raise not_found("account")
            if self._tokens.live(actor.user_id, now) >= self._rules.most:
                detail = f"An account may have {self._rules.most} API tokens. Revoke one first."
                raise AppError(Code.write_conflict, detail)
            row = self._tokens.add(
                ApiToken(
                    id=new_id(), user_id=actor.user_id, digest=digest, name=name, scopes=sorted(set(scopes)),
                    created_at=now, expires_at=ends,
                )
            )  # fmt: skip
            told = {"api_token_id": str(row.id), "scopes": row.scopes}
            self._notices.record(
                AuditKind.api_token_created, user=actor.user_id, actor=actor.user_id, client=client, data=told
            )
            return MadeToken.of(row, token)

    def revoke(self, actor: Actor, token_id: UUID, client: Client) -> None:
        """End one of the caller's tokens; ending an ended one is fine.

        Raises:
            AppError: ``not_found`` for a token of somebody else too.
        """
        with self._uow:
            token = self._tokens.require(token_id, lock=True)
            if not policy.can_revoke(actor, token):
                raise not_found("API token")
            if token.revoked_at is None:
                self._end(token, actor.user_id, client)

    def revoke_all(self, user_id: UUID, client: Client) -> None:
        """End every token of an account, inside the caller's transaction: somebody else may have made them."""
        with self._uow:
            for token in self._tokens.unrevoked(user_id):
                self._end(token, None, client)

    def forget_facts(self, user_id: UUID) -> None:
        """The account's status or role changed: what is remembered of its tokens is read again."""
        with self._uow:
            self._watch.after_commit(user_id)

    def all_of(self, user_id: UUID) -> list[ApiToken]:
        """What is kept of an account's tokens, for its owner's export."""
        with self._uow.reading():
            return self._tokens.all_of(user_id)

    def sweep(self, keep_days: int) -> int:
        """Delete tokens that ended so many days ago; the answer is how many."""
        with self._uow:
            return self._tokens.sweep(self._clock.now() - timedelta(days=keep_days))

    def _last(self, wanted: datetime | None, now: datetime) -> datetime:
        latest = now + timedelta(days=self._rules.days)
        if wanted is None:
            return latest
        if wanted <= now:
            raise invalid("expires_at", FieldCode.too_small, "This moment has passed.")
        if wanted > latest:
            detail = f"At most {self._rules.days} days ahead."
            raise invalid("expires_at", FieldCode.too_large, detail, max_days=self._rules.days)
        return wanted

    def _end(self, token: ApiToken, actor: UUID | None, client: Client) -> None:
        token.revoked_at = self._clock.now()
        self._forget(token)
        self._notices.record(
            AuditKind.api_token_revoked, user=token.user_id, actor=actor, client=client,
            data={"api_token_id": str(token.id)},
        )  # fmt: skip

    def _forget(self, token: ApiToken) -> None:
        self._watch.after_commit(token.id)
