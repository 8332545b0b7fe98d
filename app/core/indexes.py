"""The indexes that the models declare, as statements: to look whether all are there, and to make one again."""

from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex

from app.core.db import Base


def index_statements() -> dict[str, str]:
    """``CREATE INDEX ...`` of every declared index, by its name; primary keys are constraints and not among them."""
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it bare
    return {
        str(index.name): " ".join(str(CreateIndex(index).compile(dialect=dialect)).split())
        for table in Base.metadata.sorted_tables
        for index in sorted(table.indexes, key=lambda each: str(each.name))
    }
