"""What /readyz looks at."""

from collections.abc import Callable

from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

from app.config import Settings
from app.core.db import reading
from app.core.errors import AppError
from app.core.job_figures import DIED_LATELY, LATELY
from app.core.redis_gate import RedisGate
from app.core.replicas.reads import ReplicaReads
from app.core.replicas.server import UNKNOWN
from app.core.schema import expected_revision
from app.core.storage.interface import ObjectStore
from app.web.health import Check

WORKER_SILENT_AFTER = 60
PLACES = {"local": "files are in a folder (local)", "s3": "files are in a bucket (s3)"}


def build_checks(
    engine: Engine,
    gate: RedisGate,
    store: ObjectStore,
    settings: Settings,
    replicas: ReplicaReads | None = None,
) -> dict[str, Callable[[], Check]]:
    """One check a dependency; each catches what it asks for."""
    reader = reading(engine)
    return {
        "postgres": lambda: _postgres(reader),
        "replicas": lambda: _replicas(replicas),
        "redis": lambda: Check("ok") if gate.ping() else Check("degraded", "Redis does not answer; limits and cache work from memory"),
        "migrations": lambda: _migrations(reader),
        "worker": lambda: _worker(reader),
        "mail": lambda: _mail(settings),
        "storage": lambda: _storage(store),
    }  # fmt: skip


def _postgres(engine: Engine) -> Check:
    try:
        with engine.connect() as connection:
            connection.execute(text("SELECT 1"))
    except SQLAlchemyError as error:
        return Check("unavailable", f"PostgreSQL cannot be reached ({type(error).__name__})")
    return Check("ok")


def _migrations(engine: Engine) -> Check:
    try:
        with engine.connect() as connection:
            found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
    except SQLAlchemyError:
        return Check("unavailable", "the schema cannot be read; run `flask db upgrade`")
    if found != expected_revision():
        return Check(
            "unavailable",
            f"the schema is at {found}, the code needs {expected_revision()}; run `flask db upgrade`",
        )
    return Check("ok")


def _replicas(replicas: ReplicaReads | None) -> Check:
    """Without them everything works, on the primary, so that requests are sent here all the same."""
    if replicas is None:
        return Check("ok", "none are set")
    states = replicas.states()
    away = [f"{name} {state.fault}" for name, state in states.items() if state.fault and state is not UNKNOWN]
    told = f"{sum(not state.fault for state in states.values())} of {len(states)} in the rotation"
    return Check("degraded", f"{told}: {'; '.join(away)}") if away else Check("ok", told)


def _worker(engine: Engine) -> Check:
    """Whether a worker showed signs of life lately, by the server's own clock: both stamps are the server's.

    Jobs that failed for good are told for a day, or until somebody tries them again or cancels them.
    """
    silent = text(
        "SELECT extract(epoch FROM clock_timestamp() - max(last_heartbeat)) FROM procrastinate_workers"
    )
    try:
        with engine.connect() as connection:
            seconds = connection.execute(silent).scalar_one_or_none()
            died = connection.execute(DIED_LATELY, {"lately": LATELY}).scalar_one()
    except SQLAlchemyError:
        return Check("degraded", "the job queue cannot be read")
    if seconds is None or seconds > WORKER_SILENT_AFTER:
        return Check("degraded", "no worker runs: mails wait; start `flask worker`")
    if died:
        return Check(
            "degraded",
            f"{died} jobs failed for good in the last {LATELY} hours; see `flask jobs list --state failed`",
        )
    return Check("ok")


def _mail(settings: Settings) -> Check:
    return Check("ok", "by SMTP" if settings.smtp_url else "kept in the development mailbox")


def _storage(store: ObjectStore) -> Check:
    """Without it everything but files works, so that requests are sent here all the same (D14)."""
    try:
        store.check()
    except AppError as error:
        cause = type(error.__cause__).__name__
        return Check("degraded", f"{store.name}: {error.detail} ({cause}); files cannot be stored or read")
    return Check("ok", PLACES[store.name])
