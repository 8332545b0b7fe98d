"""Proofs of identity: by a second factor in a session; tokens of known devices, all void at once.

Revision: 0003, after 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.add_column("sessions", sa.Column("factor_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("users", sa.Column("device_epoch", sa.Integer(), server_default="0", nullable=False))


def downgrade() -> None:
    op.drop_column("users", "device_epoch")
    op.drop_column("sessions", "factor_at")
