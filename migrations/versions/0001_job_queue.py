"""The job queue: procrastinate 3.10's schema, word for word (`SchemaManager.get_schema()`).

Revision: 0001, the first
"""

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SCHEMA = Path(__file__).with_name("0001_job_queue.sql")
DROP = """
DROP TABLE procrastinate_events, procrastinate_periodic_defers, procrastinate_jobs, procrastinate_workers CASCADE;
DO $$
DECLARE thing regprocedure;
BEGIN
    FOR thing IN SELECT oid::regprocedure FROM pg_proc WHERE proname LIKE 'procrastinate\\_%' LOOP
        EXECUTE format('DROP FUNCTION %s CASCADE', thing);
    END LOOP;
END $$;
DROP TYPE IF EXISTS procrastinate_job_to_defer_v2, procrastinate_job_to_defer_v1 CASCADE;
DROP TYPE procrastinate_job_event_type, procrastinate_job_status CASCADE;
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    # The driver reads % as a parameter; the schema means itself.
    op.get_bind().exec_driver_sql(SCHEMA.read_text(encoding="utf-8").replace("%", "%%"))


def downgrade() -> None:
    op.get_bind().exec_driver_sql(DROP.replace("%", "%%"))
