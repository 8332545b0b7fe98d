"""Invitations.

Revision: 0010, after 0009
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

OPEN = "accepted_at IS NULL AND declined_at IS NULL AND revoked_at IS NULL"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.create_table(
        "invitations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("email_key", sa.String(length=254), nullable=False),
        sa.Column("role", sa.String(length=10), nullable=False),
        sa.Column("invited_by", sa.Uuid(), nullable=True),
        sa.Column("key_id", sa.String(length=16), nullable=False),
        sa.Column("mails", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("declined_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("role IN ('viewer', 'editor', 'admin')", name=op.f("ck_invitations_role")),
        sa.CheckConstraint(
            "num_nonnulls(accepted_at, declined_at, revoked_at) <= 1", name=op.f("ck_invitations_closed_once")
        ),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name="fk_invitations_project_id_projects", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["invited_by"], ["users.id"], name="fk_invitations_invited_by_users", ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_invitations"),
    )
    op.create_index(
        "uq_invitations_project_id_email_key",
        "invitations",
        ["project_id", "email_key"],
        unique=True,
        postgresql_where=sa.text(OPEN),
    )
    op.create_index(
        "ix_invitations_project_id_created_at_id",
        "invitations",
        ["project_id", "created_at", "id"],
        unique=False,
    )
    op.create_index(
        "ix_invitations_email_key_created_at_id",
        "invitations",
        ["email_key", "created_at", "id"],
        unique=False,
    )
    op.create_index(
        "ix_invitations_invited_by",
        "invitations",
        ["invited_by"],
        unique=False,
        postgresql_where=sa.text("invited_by IS NOT NULL"),
    )
    op.create_index(
        "ix_invitations_ended_at",
        "invitations",
        [sa.literal_column("coalesce(accepted_at, declined_at, revoked_at, expires_at)")],
        unique=False,
    )


def downgrade() -> None:
    op.drop_table("invitations")
