"""What decides who a caller is, each change of it noted where it is made.

Revision: 0018, after 0017
"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

# With the rights of their owner: who may change an account, the release before this one included, need not know of the notes.
# What the checks of sessions and API tokens read, and nothing else: a session is written to with each refresh. What has ended
# or expired by itself is no news when it is deleted. When a note was made is told by the server's clock, as its age is: processes
# hear of it in real time, whatever the test clock says. The host of the service may be behind that clock, but not by a day.
TRIGGERS = """
CREATE FUNCTION note_access_change() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO public.access_changes (subject, created_at) VALUES (OLD.id, clock_timestamp());
    RETURN NULL;
END $$;
CREATE FUNCTION note_access_change_of_all() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO public.access_changes (subject, created_at) VALUES (NULL, clock_timestamp());
    RETURN NULL;
END $$;
-- Triggers run them without that right; nobody else has a use for them.
REVOKE ALL ON FUNCTION note_access_change() FROM PUBLIC;
REVOKE ALL ON FUNCTION note_access_change_of_all() FROM PUBLIC;

CREATE TRIGGER note_access_change AFTER UPDATE ON sessions FOR EACH ROW
    WHEN ((OLD.user_id, OLD.min_generation, OLD.auth_epoch, OLD.authenticated_at, OLD.factor_at, OLD.expires_at, OLD.revoked_at)
        IS DISTINCT FROM
        (NEW.user_id, NEW.min_generation, NEW.auth_epoch, NEW.authenticated_at, NEW.factor_at, NEW.expires_at, NEW.revoked_at))
    EXECUTE FUNCTION note_access_change();
CREATE TRIGGER note_access_end AFTER DELETE ON sessions FOR EACH ROW
    WHEN (OLD.revoked_at IS NULL AND OLD.expires_at > clock_timestamp() - interval '1 day') EXECUTE FUNCTION note_access_change();

CREATE TRIGGER note_access_change AFTER UPDATE ON api_tokens FOR EACH ROW
    WHEN ((OLD.user_id, OLD.digest, OLD.scopes, OLD.expires_at, OLD.revoked_at)
        IS DISTINCT FROM (NEW.user_id, NEW.digest, NEW.scopes, NEW.expires_at, NEW.revoked_at))
    EXECUTE FUNCTION note_access_change();
CREATE TRIGGER note_access_end AFTER DELETE ON api_tokens FOR EACH ROW
    WHEN (OLD.revoked_at IS NULL AND OLD.expires_at > clock_timestamp() - interval '1 day') EXECUTE FUNCTION note_access_change();

CREATE TRIGGER note_access_change AFTER UPDATE ON users FOR EACH ROW
    WHEN ((OLD.role, OLD.status, OLD.mfa_enabled) IS DISTINCT FROM (NEW.role, NEW.status, NEW.mfa_enabled))
    EXECUTE FUNCTION note_access_change();
CREATE TRIGGER note_access_end AFTER DELETE ON users FOR EACH ROW EXECUTE FUNCTION note_access_change();

CREATE TRIGGER note_access_change AFTER UPDATE ON system_state FOR EACH ROW
    WHEN (OLD.auth_epoch IS DISTINCT FROM NEW.auth_epoch) EXECUTE FUNCTION note_access_change_of_all();
CREATE TRIGGER note_access_other AFTER INSERT OR DELETE ON system_state FOR EACH ROW EXECUTE FUNCTION note_access_change_of_all();
"""


class Xid8(sa.types.UserDefinedType):
    cache_ok = True

    def get_col_spec(self, **_options: object) -> str:
        return "xid8"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.create_table(
        "access_changes",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("xid", Xid8(), server_default=sa.text("pg_current_xact_id()"), nullable=False),
        sa.Column("subject", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_access_changes"),
    )
    op.create_index("ix_access_changes_xid", "access_changes", ["xid"])
    op.create_index("ix_access_changes_created_at", "access_changes", ["created_at"])
    op.execute(TRIGGERS)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    for table in ("sessions", "api_tokens", "users", "system_state"):
        op.execute(f"DROP TRIGGER note_access_change ON {table}")
    for table in ("sessions", "api_tokens", "users"):
        op.execute(f"DROP TRIGGER note_access_end ON {table}")
    op.execute("DROP TRIGGER note_access_other ON system_state")
    op.drop_table("access_changes")
    op.execute("DROP FUNCTION note_access_change()")
    op.execute("DROP FUNCTION note_access_change_of_all()")
