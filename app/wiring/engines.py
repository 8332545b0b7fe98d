"""What a process talks to: database, Redis, job queue, mail, files."""

from dataclasses import dataclass
from typing import Any

from app.config import Settings
from app.core.cache import FactCache
from app.core.clock import Clock
from app.core.db import make_engine
from app.core.jobs import JobQueue
from app.core.mail import Mailer, make_mailer
from app.core.metrics import cache_lookups
from app.core.redis_gate import RedisGate
from app.core.storage.build import build_store
from app.core.storage.interface import ObjectStore
from app.core.system import SharedClockOffset
from app.core.uow import UnitOfWork


@dataclass
class Engines:
    """What the process talks to; made once, opened on first use, so it may be built before a fork."""

    settings: Settings
    clock: Clock
    offset: SharedClockOffset
    engine: Any
    uow: UnitOfWork
    gate: RedisGate
    cache: FactCache
    jobs: JobQueue
    mailer: Mailer
    store: ObjectStore

    @classmethod
    def of(cls, settings: Settings) -> "Engines":
        engine = make_engine(settings)
        offset = SharedClockOffset(engine)
        clock = Clock(offset if settings.development else None)
        uow = UnitOfWork(engine, read_only=settings.read_only)
        gate = RedisGate(settings.redis_url.get_secret_value(), connections=settings.threads * 2)
        cache = FactCache(
            gate,
            enabled=settings.cache_enabled,
            on_lookup=lambda kind, how: cache_lookups(kind, how).inc(),
        )
        jobs = JobQueue(engine, uow, before_each=offset.refresh if settings.development else lambda: None)
        smtp = settings.smtp_url.get_secret_value() if settings.smtp_url else None
        mailer = make_mailer(smtp, settings.mail_from, settings.mailbox_dir, clock=clock)
        store = build_store(settings)
        return cls(settings, clock, offset, engine, uow, gate, cache, jobs, mailer, store)
