"""Files, what is on its way in, and which objects of the storage are nobody's.

Revision: 0013, after 0012
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

# A project that goes takes its counts along before its files tell that they go: then the update meets no row.
FUNCTIONS = """
CREATE FUNCTION count_file() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO project_storage AS s (project_id, files, bytes, reserved)
        VALUES (NEW.project_id, (NEW.deleted_at IS NULL)::integer, NEW.size, 0)
        ON CONFLICT (project_id) DO UPDATE SET files = s.files + excluded.files, bytes = s.bytes + excluded.bytes;
    ELSIF TG_OP = 'DELETE' THEN
        UPDATE project_storage
        SET files = files - (OLD.deleted_at IS NULL)::integer, bytes = bytes - OLD.size
        WHERE project_id = OLD.project_id;
    ELSE
        UPDATE project_storage
        SET files = files + (NEW.deleted_at IS NULL)::integer - (OLD.deleted_at IS NULL)::integer
        WHERE project_id = NEW.project_id;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER count_file AFTER INSERT OR DELETE OR UPDATE OF deleted_at ON files
    FOR EACH ROW EXECUTE FUNCTION count_file();

CREATE FUNCTION count_upload() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO project_storage AS s (project_id, files, bytes, reserved)
        VALUES (NEW.project_id, 0, 0, NEW.reserved)
        ON CONFLICT (project_id) DO UPDATE SET reserved = s.reserved + excluded.reserved;
    ELSIF TG_OP = 'DELETE' THEN
        UPDATE project_storage SET reserved = reserved - OLD.reserved WHERE project_id = OLD.project_id;
    ELSE
        UPDATE project_storage SET reserved = reserved + NEW.reserved - OLD.reserved
        WHERE project_id = NEW.project_id;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER count_upload AFTER INSERT OR DELETE OR UPDATE OF reserved ON uploads
    FOR EACH ROW EXECUTE FUNCTION count_upload();

CREATE FUNCTION doom_object() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO doomed_objects (object_key, due_at) VALUES (OLD.object_key, '-infinity') ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER doom_object AFTER DELETE ON files FOR EACH ROW EXECUTE FUNCTION doom_object();
CREATE TRIGGER doom_object AFTER DELETE ON file_previews FOR EACH ROW EXECUTE FUNCTION doom_object();
CREATE TRIGGER doom_object AFTER DELETE ON upload_segments FOR EACH ROW EXECUTE FUNCTION doom_object();
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '2s'")
    op.create_table(
        "doomed_objects",
        sa.Column("object_key", sa.String(length=200, collation="C"), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("claimed", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.PrimaryKeyConstraint("object_key", name=op.f("pk_doomed_objects")),
    )
    op.create_index("ix_doomed_objects_due_at", "doomed_objects", ["due_at"], unique=False)
    op.create_table(
        "files",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("content_type", sa.String(length=127), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("object_key", sa.String(length=200, collation="C"), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("failure_code", sa.String(length=40), nullable=True),
        sa.Column("attempts", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("previews", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("uploaded_by", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('processing', 'ready', 'quarantined', 'failed')", name=op.f("ck_files_state")
        ),
        sa.CheckConstraint("char_length(name) BETWEEN 1 AND 255", name=op.f("ck_files_name_length")),
        sa.CheckConstraint("octet_length(sha256) = 32", name=op.f("ck_files_sha256_length")),
        sa.CheckConstraint("size >= 0", name=op.f("ck_files_size")),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_files_project_id_projects"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["uploaded_by"], ["users.id"], name=op.f("fk_files_uploaded_by_users"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_files")),
    )
    op.create_index(
        "ix_files_deleted_at",
        "files",
        ["deleted_at"],
        unique=False,
        postgresql_where=sa.text("deleted_at IS NOT NULL"),
    )
    op.create_index(
        "ix_files_processing",
        "files",
        ["created_at"],
        unique=False,
        postgresql_where=sa.text("state = 'processing'"),
    )
    op.create_index(
        "ix_files_project_id_created_at_id", "files", ["project_id", "created_at", "id"], unique=False
    )
    op.create_index(
        "ix_files_project_id_name_id",
        "files",
        ["project_id", sa.literal_column("lower(name)"), "id"],
        unique=False,
    )
    op.create_index("ix_files_project_id_size_id", "files", ["project_id", "size", "id"], unique=False)
    op.create_index(
        "ix_files_project_id_updated_at_id", "files", ["project_id", "updated_at", "id"], unique=False
    )
    op.create_index(
        "ix_files_uploaded_by_id",
        "files",
        ["uploaded_by", "id"],
        unique=False,
        postgresql_where=sa.text("uploaded_by IS NOT NULL"),
    )
    op.create_index("uq_files_object_key", "files", ["object_key"], unique=True)
    op.create_table(
        "project_storage",
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("files", sa.BigInteger(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("reserved", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "files >= 0 AND bytes >= 0 AND reserved >= 0", name=op.f("ck_project_storage_not_negative")
        ),
        sa.ForeignKeyConstraint(
            ["project_id"],
            ["projects.id"],
            name=op.f("fk_project_storage_project_id_projects"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("project_id", name=op.f("pk_project_storage")),
    )
    op.create_table(
        "uploads",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("content_type", sa.String(length=127), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=True),
        sa.Column("reserved", sa.BigInteger(), nullable=False),
        sa.Column("received", sa.BigInteger(), nullable=False),
        sa.Column("object_key", sa.String(length=200), nullable=True),
        sa.Column("lease", sa.Uuid(), nullable=True),
        sa.Column("file_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('multipart', 'resumable', 'direct')", name=op.f("ck_uploads_kind")),
        sa.CheckConstraint("received BETWEEN 0 AND size", name=op.f("ck_uploads_received")),
        sa.CheckConstraint("reserved >= 0", name=op.f("ck_uploads_reserved")),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_uploads_project_id_projects"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_uploads_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_uploads")),
    )
    op.create_index("ix_uploads_expires_at", "uploads", ["expires_at"], unique=False)
    op.create_index("ix_uploads_project_id", "uploads", ["project_id"], unique=False)
    op.create_index("ix_uploads_user_id", "uploads", ["user_id"], unique=False)
    op.create_table(
        "file_previews",
        sa.Column("file_id", sa.Uuid(), nullable=False),
        sa.Column("edge", sa.SmallInteger(), nullable=False),
        sa.Column("width", sa.SmallInteger(), nullable=False),
        sa.Column("height", sa.SmallInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("object_key", sa.String(length=200, collation="C"), nullable=False),
        sa.ForeignKeyConstraint(
            ["file_id"], ["files.id"], name=op.f("fk_file_previews_file_id_files"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("file_id", "edge", name=op.f("pk_file_previews")),
    )
    op.create_index("uq_file_previews_object_key", "file_previews", ["object_key"], unique=True)
    op.create_table(
        "upload_segments",
        sa.Column("upload_id", sa.Uuid(), nullable=False),
        sa.Column("start", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("object_key", sa.String(length=200, collation="C"), nullable=False),
        sa.ForeignKeyConstraint(
            ["upload_id"],
            ["uploads.id"],
            name=op.f("fk_upload_segments_upload_id_uploads"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("upload_id", "start", name=op.f("pk_upload_segments")),
    )
    op.create_index("uq_upload_segments_object_key", "upload_segments", ["object_key"], unique=True)
    op.execute(FUNCTIONS)


def downgrade() -> None:
    op.drop_index("uq_upload_segments_object_key", table_name="upload_segments")
    op.drop_table("upload_segments")
    op.drop_index("uq_file_previews_object_key", table_name="file_previews")
    op.drop_table("file_previews")
    op.drop_index("ix_uploads_user_id", table_name="uploads")
    op.drop_index("ix_uploads_project_id", table_name="uploads")
    op.drop_index("ix_uploads_expires_at", table_name="uploads")
    op.drop_table("uploads")
    op.drop_table("project_storage")
    op.drop_index("uq_files_object_key", table_name="files")
    op.drop_index(
        "ix_files_uploaded_by_id", table_name="files", postgresql_where=sa.text("uploaded_by IS NOT NULL")
    )
    op.drop_index("ix_files_project_id_updated_at_id", table_name="files")
    op.drop_index("ix_files_project_id_size_id", table_name="files")
    op.drop_index("ix_files_project_id_name_id", table_name="files")
    op.drop_index("ix_files_project_id_created_at_id", table_name="files")
    op.drop_index("ix_files_processing", table_name="files", postgresql_where=sa.text("state = 'processing'"))
    op.drop_index(
        "ix_files_deleted_at", table_name="files", postgresql_where=sa.text("deleted_at IS NOT NULL")
    )
    op.drop_table("files")
    op.drop_index("ix_doomed_objects_due_at", table_name="doomed_objects")
    op.drop_table("doomed_objects")
    for function in ("count_file", "count_upload", "doom_object"):
        op.execute(f"DROP FUNCTION {function}()")
