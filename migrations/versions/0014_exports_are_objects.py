"""Copies of people's data lie in the storage of files.

Revision: 0014, after 0013
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.add_column("exports", sa.Column("object_key", sa.String(length=200, collation="C"), nullable=True))
    # Of a table that holds some days of copies: quicker than asking for no lock.
    op.create_index("uq_exports_object_key", "exports", ["object_key"], unique=True)
    op.execute(
        "CREATE TRIGGER doom_object AFTER DELETE ON exports FOR EACH ROW"
        " WHEN (OLD.object_key IS NOT NULL) EXECUTE FUNCTION doom_object()"
    )


def downgrade() -> None:
    # Without the column nobody finds them; the trigger hands their objects to the sweep.
    op.execute("DELETE FROM exports WHERE object_key IS NOT NULL")
    op.execute("DROP TRIGGER doom_object ON exports")
    op.drop_index("uq_exports_object_key", table_name="exports")
    op.drop_column("exports", "object_key")
