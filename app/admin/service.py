"""What administrators do: look at accounts, change role and status, end sessions, reset factors, read the trail."""

from collections.abc import Collection, Mapping
from uuid import UUID

from app.admin import policy
from app.admin.repository import AdminRepository
from app.admin.views import AccountDetail, AccountFilters, AuditFilters, Stats
from app.api_tokens.service import ApiTokenService
from app.core.access import AccountStatus, Actor, Client, allow
from app.core.audit import AuditEvent, AuditKind
from app.core.clock import Clock
from app.core.errors import AppError, Code, not_found
from app.core.pagination import Cursors, Page, PageRequest
from app.core.uow import UnitOfWork
from app.core.versions import check_version
from app.passkeys.service import PasskeyService
from app.second_factor.service import SecondFactorService
from app.sessions.service import SessionService
from app.users.models import User
from app.users.notices import SecurityNotices
from app.users.service import UserService

ENDED = "administrator"
SUSPENDED = "suspended"


class AdminService:
    """Administers accounts, never what is in them: being administrator opens no project.

    Args:
        cursors: keys of the purpose ``cursor``.
    """

    def __init__(
        self,
        uow: UnitOfWork,
        rows: AdminRepository,
        users: UserService,
        sessions: SessionService,
        api_tokens: ApiTokenService,
        factors: SecondFactorService,
        passkeys: PasskeyService,
        notices: SecurityNotices,
        cursors: Cursors,
        clock: Clock,
    ) -> None:
        self._uow = uow
        self._rows = rows
        self._users = users
        self._sessions = sessions
        self._api_tokens = api_tokens
        self._factors = factors
        self._passkeys = passkeys
        self._notices = notices
        self._cursors = cursors
        self._clock = clock

    def list_users(self, actor: Actor, filters: AccountFilters, request: PageRequest) -> Page[User]:
        """One page of all accounts.

        Raises:
            AppError: ``invalid_cursor``.
        """
        with self._uow.reading():
            return self._uow.lately(lambda: self._rows.accounts(actor, filters, self._cursors, request))

    def get(self, user_id: UUID) -> AccountDetail:
        """One account and what hangs on it.

        Raises:
            AppError: ``not_found``.
        """
        with self._uow.reading():
            return self._detail(self._rows.require(user_id))

    def update(
        self,
        actor: Actor,
        user_id: UUID,
        wanted: Mapping[str, str],
        expected: Collection[int] | None,
        client: Client,
    ) -> AccountDetail:
        """Change role or status. Suspending ends all sessions; another role renews access tokens.

        Raises:
            AppError: ``not_found``, ``version_conflict``, ``last_administrator``, and ``forbidden`` where the caller
                administers no more.
        """
        with self._uow:
            administrators = self._users.active_administrators()
            self._require_administrator(actor)
            user = self._hold(user_id)
            check_version(user, expected, lambda: self._detail(user))
            becomes = policy.standing(user, wanted)
            if policy.leaves_nobody(user, becomes, administrators):
                raise AppError(
                    Code.last_administrator, "This is the last active administrator. Name another one first."
                )
            told = self._users.set_standing(user, becomes, actor)
            if told:
                self._api_tokens.forget_facts(user_id)
            if "role" in told:
                self._sessions.renew_all(user_id)
                self._record(AuditKind.role_changed, actor, user_id, client, told["role"])
            if "status" in told:
                self._status_changed(user)
                self._record(AuditKind.status_changed, actor, user_id, client, told["status"])
            return self._detail(user)

    def end_sessions(self, actor: Actor, user_id: UUID, client: Client) -> None:
        """Sign an account out everywhere.

        Raises:
            AppError: ``not_found``.
        """
        with self._uow:
            self._hold(user_id)
            ended = self._sessions.end_all(user_id, ENDED)
            self._record(AuditKind.sessions_ended_by_administrator, actor, user_id, client, {"ended": ended})

    def reset_factors(self, actor: Actor, user_id: UUID, client: Client) -> None:
        """Remove authenticator app, passkeys and recovery codes, and sign the account out everywhere.

        Raises:
            AppError: ``not_found``, and ``forbidden`` for one's own.
        """
        with self._uow:
            self._hold(user_id)
            allow(
                permitted=policy.may_reset_factors(actor.user_id, user_id),
                detail="Remove your own factors in your account, or ask another administrator.",
            )
            removed = self._passkeys.remove_all(user_id)
            self._factors.reset(user_id)
            self._sessions.end_all(user_id, ENDED)
            self._record(AuditKind.factors_reset, actor, user_id, client, {"passkeys": removed})

    def list_audit_events(
        self, actor: Actor, filters: AuditFilters, request: PageRequest
    ) -> Page[AuditEvent]:
        """One page of the security trail, the newest first.

        Raises:
            AppError: ``invalid_cursor``.
        """
        with self._uow.reading():
            return self._uow.lately(lambda: self._rows.audit_events(actor, filters, self._cursors, request))

    def stats(self) -> Stats:
        """The figures of the site, now."""
        with self._uow.reading():
            return self._uow.lately(lambda: self._rows.stats(self._clock.now()))

    def _detail(self, user: User) -> AccountDetail:
        figures = self._rows.session_figures(user.id, self._clock.now())
        return AccountDetail(user, figures, self._factors.methods(user.id))

    def _hold(self, user_id: UUID) -> User:
        user = self._users.hold(user_id)
        if user is None:
            raise not_found("account")
        return user

    def _require_administrator(self, actor: Actor) -> None:
        """Decided again under the lock: of two who take the role from each other at once, one comes too late."""
        allow(permitted=policy.administers(self._users.hold(actor.user_id)))

    def _status_changed(self, user: User) -> None:
        if user.status == AccountStatus.suspended:
            self._sessions.end_all(user.id, SUSPENDED)
        self._sessions.forget_facts(user.id)

    def _record(
        self, kind: AuditKind, actor: Actor, user_id: UUID, client: Client, data: Mapping[str, object]
    ) -> None:
        self._notices.record(kind, user=user_id, actor=actor.user_id, client=client, data=data)
