"""Runs migrations on the connection that app/core/schema.py hands over (or one to ``url``)."""

from typing import Any

from alembic import context
from sqlalchemy import Connection, create_engine
from sqlalchemy.pool import NullPool

from app.models import Base


def include_name(name: str | None, kind: str, _parents: Any) -> bool:
    """The job queue's tables have their own migrations inside ours; autogenerate must not drop them."""
    return not (kind == "table" and name is not None and name.startswith("procrastinate_"))


def run(connection: Connection) -> None:
    context.configure(
        connection=connection, target_metadata=Base.metadata, include_name=include_name, compare_type=True,
        transaction_per_migration=True,
    )  # fmt: skip
    with context.begin_transaction():
        context.run_migrations()


handed_over = context.config.attributes.get("connection")
if handed_over is not None:
    run(handed_over)
else:
    with create_engine(context.config.attributes["url"], poolclass=NullPool).connect() as own:
        run(own)
