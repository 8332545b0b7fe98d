"""What every feature stands on: made once, handed to each service that needs it."""

from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from app.config import Settings
from app.core.access_watch import AccessWatch
from app.core.audit import AuditTrail
from app.core.breaches import BreachLookup
from app.core.cache import FactCache
from app.core.clock import Clock
from app.core.events import Events
from app.core.idempotency import IdempotencyRecords
from app.core.invalidation import Invalidator
from app.core.job_admin import JobAdmin
from app.core.jobs import JobQueue
from app.core.key_usage import KeyUsage
from app.core.keys import KeyRing
from app.core.known_callers import KnownCallers
from app.core.letters import Letters
from app.core.metrics import cache_lookups
from app.core.password_policy import PasswordPolicy
from app.core.passwords import PasswordHasher, waiting_room
from app.core.storage.interface import ObjectStore
from app.core.system import SystemRepository
from app.core.throttle import Throttle
from app.core.uow import UnitOfWork
from app.wiring.engines import Engines

Service = TypeVar("Service")


class Add(Protocol):
    """Makes a service findable by its class, and answers the same: mypy goes on knowing what it is."""

    def __call__(self, thing: Service, /) -> Service: ...


@dataclass
class Foundations:
    """Attributes: add: makes a service findable by its class, and answers it. ring: SECRET_KEYS; derive from it."""

    add: Add
    settings: Settings
    uow: UnitOfWork
    clock: Clock
    jobs: JobQueue
    cache: FactCache
    watch: AccessWatch
    store: ObjectStore
    letters: Letters
    ring: KeyRing
    system: SystemRepository
    audit: AuditTrail
    events: Events
    throttle: Throttle
    records: IdempotencyRecords
    invalidator: Invalidator
    hasher: PasswordHasher
    policy: PasswordPolicy

    @classmethod
    def on(cls, engines: Engines, add: Add) -> "Foundations":
        settings, uow, clock = engines.settings, engines.uow, engines.clock
        ring = KeyRing.parse(settings.secret_keys.get_secret_value())
        add(KeyUsage(uow))
        add(JobAdmin(uow))
        return cls(
            add=add,
            settings=settings,
            uow=uow,
            clock=clock,
            jobs=engines.jobs,
            cache=engines.cache,
            watch=engines.watch,
            store=engines.store,
            letters=Letters(engines.mailer, settings),
            ring=ring,
            system=add(SystemRepository(uow)),
            audit=add(AuditTrail(uow, clock)),
            events=add(Events(uow, clock)),
            throttle=add(Throttle(uow, clock, ring.derive("throttle"))),
            records=add(IdempotencyRecords(uow, clock)),
            invalidator=add(Invalidator(uow, engines.cache, engines.jobs, engines.gate)),
            hasher=add(
                PasswordHasher(
                    KeyRing.parse(settings.password_peppers.get_secret_value()),
                    settings.bcrypt_cost,
                    settings.hash_slots,
                    max_waiting=waiting_room(settings.threads, settings.hash_slots),
                )
            ),
            policy=add(
                PasswordPolicy(
                    settings.password_min_length, ("holdfast", settings.product_name), _breaches(settings)
                )
            ),
        )

    def known_callers(self, kind: str) -> KnownCallers[Any]:
        """What this process remembers of callers. Args: kind: of their credential, for the figures."""
        return KnownCallers(
            self.watch,
            enabled=self.settings.cache_enabled,
            on_lookup=lambda how: cache_lookups(kind, how).inc(),
        )


def _breaches(settings: Settings) -> BreachLookup | None:
    if not settings.breach_check:
        return None
    return BreachLookup(
        settings.breach_check_url, settings.breach_check_seconds, required=settings.breach_check_required
    )
