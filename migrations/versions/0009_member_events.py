"""Events found by project and by member in the order of their transactions: the change feed.

Revision: 0009, after 0008
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.create_index(
        "ix_events_project_id_xid_seq",
        "events",
        ["project_id", "xid", "seq"],
        unique=False,
        postgresql_where=sa.text("project_id IS NOT NULL"),
    )
    op.create_index(
        "ix_events_member_id_xid_seq",
        "events",
        ["subject_id", "xid", "seq"],
        unique=False,
        postgresql_where=sa.text(
            "kind IN ('member.added', 'member.role_changed', 'member.removed', 'member.left')"
        ),
    )


def downgrade() -> None:
    op.drop_index("ix_events_member_id_xid_seq", table_name="events")
    op.drop_index("ix_events_project_id_xid_seq", table_name="events")
