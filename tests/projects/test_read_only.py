"""READ_ONLY=true: whatever writes is told to come back, whatever reads goes on."""

from tests.fixtures.client import ApiClient
from tests.projects.test_permissions import OPERATIONS, calls

READS = {"listProjects", "getProject"}


def test_writes_are_refused_and_reads_go_on(alice, make_app, row_of, subtests):
    project = alice.creates()
    before = row_of(project.id)
    # The same token at another process: signing in there would be a write.
    person = ApiClient(make_app(read_only=True), alice.token)
    for operation in OPERATIONS:
        with subtests.test(operation=operation):
            response = calls(person, operation, project.id)
            if operation in READS:
                assert response.status_code == 200
            else:
                assert (response.status_code, response.json["code"]) == (503, "read_only")
                assert response.headers["Retry-After"] == "30"
    assert row_of(project.id) == before
