"""Exports and scheduled deletions.

Revision: 0007, after 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

ANONYMISE_AUDIT = """
CREATE FUNCTION anonymise_audit_events(person uuid) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE about integer; done integer;
BEGIN
    -- Only for an account that is due to be erased. The test clock's offset is 0 in production; a minute is for clocks
    -- that do not quite agree.
    PERFORM 1 FROM public.users u CROSS JOIN public.system_state s
     WHERE u.id = person AND u.status = 'deletion_scheduled'
       AND u.deletion_scheduled_at
           <= clock_timestamp() + make_interval(secs => s.clock_offset_seconds) + interval '1 minute';
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the deletion of this account is not due' USING ERRCODE = '42501';
    END IF;
    -- What happened to the person: that it happened stays, and who did it if that was somebody else.
    UPDATE public.audit_events
       SET user_id = NULL, actor_id = nullif(actor_id, person), ip = NULL, device = NULL, data = '{}',
           request_id = NULL
     WHERE user_id = person;
    GET DIAGNOSTICS about = ROW_COUNT;
    -- What the person did to others stays theirs, done by nobody.
    UPDATE public.audit_events
       SET actor_id = NULL, ip = NULL, device = NULL, request_id = NULL
     WHERE actor_id = person AND actor_id IS DISTINCT FROM user_id;
    GET DIAGNOSTICS done = ROW_COUNT;
    RETURN about + done;
END $$;
REVOKE ALL ON FUNCTION anonymise_audit_events(uuid) FROM PUBLIC;
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.create_table(
        "account_deletions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("key_id", sa.String(length=16), nullable=False),
        sa.Column("mails", sa.Integer(), nullable=False),
        sa.Column("device", sa.String(length=300), nullable=True),
        sa.Column("ip", sa.String(length=45), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_account_deletions_user_id_users", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_account_deletions"),
    )
    op.create_index("ix_account_deletions_due_at", "account_deletions", ["due_at"], unique=False)
    op.create_index("uq_account_deletions_user_id", "account_deletions", ["user_id"], unique=True)
    op.create_table(
        "exports",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("parts", sa.Integer(), nullable=True),
        sa.Column("sha256", sa.LargeBinary(), nullable=True),
        sa.Column("device", sa.String(length=300), nullable=True),
        sa.Column("ip", sa.String(length=45), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ready_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state IN ('queued', 'running', 'ready', 'failed')", name="ck_exports_state"),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_exports_user_id_users", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_exports"),
    )
    op.create_index("ix_exports_expires_at", "exports", ["expires_at"], unique=False)
    op.create_index("ix_exports_user_id_created_at", "exports", ["user_id", "created_at"], unique=False)
    op.create_table(
        "export_parts",
        sa.Column("export_id", sa.Uuid(), nullable=False),
        sa.Column("run", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["export_id"], ["exports.id"], name="fk_export_parts_export_id_exports", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("export_id", "run", "number", name="pk_export_parts"),
    )
    op.create_index(
        "ix_events_actor_id", "events", ["actor_id"], unique=False,
        postgresql_where=sa.text("actor_id IS NOT NULL"),
    )  # fmt: skip
    op.create_index(
        "ix_events_subject_id", "events", ["subject_id"], unique=False,
        postgresql_where=sa.text("project_id IS NULL"),
    )  # fmt: skip
    op.create_index(
        "ix_audit_events_actor_id", "audit_events", ["actor_id"], unique=False,
        postgresql_where=sa.text("actor_id IS NOT NULL AND actor_id IS DISTINCT FROM user_id"),
    )  # fmt: skip
    op.execute(ANONYMISE_AUDIT)


def downgrade() -> None:
    op.execute("DROP FUNCTION anonymise_audit_events(uuid)")
    op.drop_index("ix_audit_events_actor_id", table_name="audit_events")
    op.drop_index("ix_events_subject_id", table_name="events")
    op.drop_index("ix_events_actor_id", table_name="events")
    for table in ("export_parts", "exports", "account_deletions"):
        op.drop_table(table)
