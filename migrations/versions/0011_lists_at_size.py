"""Memberships in the order of what they belong to; no index over everybody's names.

Revision: 0011, after 0010
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

# Whoever inserts a member holds the project's row, so that neither the count nor the times can move meanwhile.
FUNCTIONS = """
CREATE FUNCTION copy_times_to_new_member() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    most CONSTANT integer := 20;
    of_project record;
BEGIN
    SELECT created_at, updated_at, crowded INTO of_project FROM projects WHERE id = NEW.project_id;
    IF NOT FOUND THEN
        NEW.project_created_at := NEW.joined_at;  -- the foreign key says what is wrong
        RETURN NEW;
    END IF;
    NEW.project_created_at := of_project.created_at;
    IF of_project.crowded THEN
        RETURN NEW;
    END IF;
    IF most <= (SELECT count(*) FROM (SELECT FROM project_members WHERE project_id = NEW.project_id LIMIT most) AS found)
    THEN
        UPDATE projects SET crowded = true WHERE id = NEW.project_id;
        UPDATE project_members SET project_updated_at = NULL WHERE project_id = NEW.project_id;
        RETURN NEW;
    END IF;
    NEW.project_updated_at := of_project.updated_at;
    RETURN NEW;
END $$;
CREATE TRIGGER copy_times_to_new_member BEFORE INSERT ON project_members FOR EACH ROW
    WHEN (NEW.project_created_at IS NULL) EXECUTE FUNCTION copy_times_to_new_member();

CREATE FUNCTION copy_time_to_members() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE project_members SET project_updated_at = NEW.updated_at WHERE project_id = NEW.id;
    RETURN NULL;
END $$;
CREATE TRIGGER copy_time_to_members AFTER UPDATE OF updated_at ON projects FOR EACH ROW
    WHEN (NOT NEW.crowded AND NEW.updated_at <> OLD.updated_at) EXECUTE FUNCTION copy_time_to_members();
"""
BACKFILL = """
WITH counted AS (SELECT project_id, count(*) > 20 AS crowded FROM project_members GROUP BY project_id),
marked AS (
    UPDATE projects p SET crowded = true FROM counted c WHERE c.project_id = p.id AND c.crowded RETURNING p.id
)
UPDATE project_members m
SET project_created_at = p.created_at, project_updated_at = CASE WHEN c.crowded THEN NULL ELSE p.updated_at END
FROM projects p JOIN counted c ON c.project_id = p.id
WHERE p.id = m.project_id
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.execute("SET LOCAL statement_timeout = 0")
    op.add_column(
        "projects", sa.Column("crowded", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )
    op.add_column(
        "project_members", sa.Column("project_created_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.add_column(
        "project_members", sa.Column("project_updated_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.execute(BACKFILL)
    op.execute(FUNCTIONS)
    op.alter_column("project_members", "project_created_at", nullable=False)
    for time in ("project_created_at", "project_updated_at"):
        op.create_index(
            f"ix_project_members_user_id_{time}",
            "project_members",
            ["user_id", time, "project_id"],
            unique=False,
        )
    op.drop_index("ix_projects_name_trgm", table_name="projects")


def downgrade() -> None:
    op.create_index(
        "ix_projects_name_trgm",
        "projects",
        [sa.literal_column("lower(name) gin_trgm_ops")],
        unique=False,
        postgresql_using="gin",
    )
    op.execute("DROP TRIGGER copy_time_to_members ON projects")
    op.execute("DROP TRIGGER copy_times_to_new_member ON project_members")
    op.execute("DROP FUNCTION copy_time_to_members()")
    op.execute("DROP FUNCTION copy_times_to_new_member()")
    for time in ("project_updated_at", "project_created_at"):
        op.drop_index(f"ix_project_members_user_id_{time}", table_name="project_members")
        op.drop_column("project_members", time)
    op.drop_column("projects", "crowded")
