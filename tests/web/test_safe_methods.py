"""GET asks and changes nothing, so that a link, an image or a form of a foreign page cannot either."""

from app.models import Base
from tests.fixtures.contract import documented_operations

NOTED = {"audit_events", "throttle_counters"}
"""What is noted of a request itself: a download is on record, tries are counted."""
TABLES = sorted(set(Base.metadata.tables) - NOTED)


def test_reading_changes_no_row(app, alice, ada, sql):
    project = alice.creates()
    for person in (alice, ada):
        person.get("/me")  # the first use of a token leaves its mark on the session
    before = {table: sorted(sql(f"SELECT t::text FROM {table} t")) for table in TABLES}
    reads = [operation for operation in documented_operations(app) if operation.method == "GET"]
    for operation in reads:
        address = operation.addressed(project_id=project.id, user_id=alice.user.id)
        address += "?token=kelp" * ("token" in operation.query)
        answer = (ada if address.startswith("/admin/") else alice).get(address)
        assert answer.status_code in {200, 404}, operation.name
    assert len(reads) >= 15
    assert {table: sorted(sql(f"SELECT t::text FROM {table} t")) for table in TABLES} == before
