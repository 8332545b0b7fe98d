"""Changes that the caches were not told of, found without looking through all that waits.

Revision: 0017, after 0016
"""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.create_index(
        "ix_procrastinate_jobs_cache_forget",
        "procrastinate_jobs",
        ["id"],
        postgresql_where="task_name = 'cache.forget' AND status IN ('todo', 'doing')",
    )


def downgrade() -> None:
    op.drop_index("ix_procrastinate_jobs_cache_forget", table_name="procrastinate_jobs")
