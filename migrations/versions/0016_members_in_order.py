"""Members of a project in the order in which they are listed.

Revision: 0016, after 0015
"""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.create_index(
        "ix_project_members_project_id_joined_at", "project_members", ["project_id", "joined_at", "user_id"]
    )


def downgrade() -> None:
    op.drop_index("ix_project_members_project_id_joined_at", table_name="project_members")
