"""What a process talks to: database, Redis, job queue, mail, files."""

from dataclasses import dataclass
from typing import Any

from app.config import Settings
from app.core.access_watch import AccessWatch
from app.core.cache import FactCache
from app.core.clock import Clock
from app.core.db import make_engine, reading
from app.core.jobs import JobQueue
from app.core.mail import Mailer, make_mailer
from app.core.metrics import cache_lookups
from app.core.redis_gate import RedisGate
from app.core.replicas.marks import WriteMarks
from app.core.replicas.reads import ReplicaReads
from app.core.replicas.server import Replica
from app.core.storage.build import build_store
from app.core.storage.interface import ObjectStore
from app.core.system import SharedClockOffset
from app.core.untold import UntoldChanges
from app.core.uow import UnitOfWork


@dataclass
class Engines:
    """What the process talks to; made once, opened on first use, so it may be built before a fork."""

    settings: Settings
    clock: Clock
    offset: SharedClockOffset
    engine: Any
    replicas: ReplicaReads | None
    uow: UnitOfWork
    gate: RedisGate
    cache: FactCache
    watch: AccessWatch
    jobs: JobQueue
    mailer: Mailer
    store: ObjectStore

    @classmethod
    def of(cls, settings: Settings) -> "Engines":
        engine = make_engine(settings)
        offset = SharedClockOffset(engine)
        clock = Clock(offset if settings.development else None)
        gate = RedisGate(settings.redis_url.get_secret_value(), connections=settings.threads * 2)
        replicas = _replicas(settings, engine, gate)
        uow = UnitOfWork(engine, read_only=settings.read_only, replicas=replicas)
        cache = FactCache(
            gate,
            enabled=settings.cache_enabled,
            told_at=UntoldChanges(uow).none_at,
            on_lookup=lambda kind, how: cache_lookups(kind, how).inc(),
        )
        jobs = JobQueue(engine, uow, before_each=offset.refresh if settings.development else lambda: None)
        smtp = settings.smtp_url.get_secret_value() if settings.smtp_url else None
        mailer = make_mailer(smtp, settings.mail_from, settings.mailbox_dir, clock=clock)
        store = build_store(settings)
        return cls(
            settings, clock, offset, engine, replicas, uow, gate, cache, AccessWatch(uow), jobs, mailer, store
        )


def _replicas(settings: Settings, engine: Any, gate: RedisGate) -> ReplicaReads | None:
    if not settings.database_replica_urls:
        return None
    primary = reading(engine)
    urls = [url.get_secret_value() for url in settings.database_replica_urls]
    return ReplicaReads([Replica(settings, url, primary) for url in urls], primary, WriteMarks(gate))
