"""SEC-38: every operation of the document, for every set of scopes."""

import pytest

from app.core.access import Caller
from app.web.operations import declared
from tests.fixtures.accounts import code_of
from tests.fixtures.api_tokens import makes_token
from tests.fixtures.bodies import sound_request
from tests.fixtures.client import ApiClient
from tests.fixtures.contract import documented_operations

OPEN = {
    "getMe": "read", "updateMe": "write", "listProjects": "read", "createProject": "write", "getProject": "read",
    "updateProject": "write", "deleteProject": "write", "archiveProject": "write", "unarchiveProject": "write",
    "restoreProject": "write", "listMembers": "read", "updateMember": "write", "removeMember": "write",
    "leaveProject": "write", "listProjectActivity": "read", "bulkProjects": "write", "listProjectChanges": "read",
    "listInvitations": "read", "createInvitation": "write", "resendInvitation": "write", "revokeInvitation": "write",
    "listMyInvitations": "read", "acceptInvitation": "write", "declineInvitation": "write",
    "acceptInvitationByToken": "write", "getJob": "read", "listFiles": "read", "getFile": "read", "downloadFile": "read",
    "getThumbnail": "read", "renameFile": "write", "deleteFile": "write", "restoreFile": "write", "uploadFile": "write",
    "startUpload": "write", "completeUpload": "write", "createTusUpload": "write", "getTusUpload": "read",
    "appendTusUpload": "write", "deleteTusUpload": "write", "listMyUploads": "read", "deleteMyUpload": "write",
}  # fmt: skip
"""All that a script may do. A new operation for accounts is added here, or says ``api_tokens=False``."""
SCOPES = (("read",), ("write",), ("read", "write"))


def declarations(app):
    found = (declared(app, rule.endpoint) for rule in app.url_map.iter_rules())
    return {operation.name: operation for operation in found}


@pytest.fixture
def private(app):
    """Operations that ask who calls."""
    return [operation for operation in documented_operations(app) if not operation.public]


def asks(client, operation):
    return client.open(operation.method, operation.address, **sound_request(operation))


def test_the_list_of_what_scripts_may_do_is_the_one_that_routes_declare(app, private):
    known = declarations(app)
    assert {operation.name for operation in private if known[operation.name].api_tokens} == set(OPEN)
    assert {known[name].caller for name in OPEN} == {Caller.account}


@pytest.mark.parametrize("scopes", SCOPES, ids="+".join)
def test_sec_38_each_operation_for_each_set_of_scopes(app, private, ada, scopes):
    """Ada, so that neither her role nor her factor is what refuses."""
    client = ApiClient(app, makes_token(ada, *scopes)["token"])
    for operation in private:
        answer = asks(client, operation)
        wanted = OPEN.get(operation.name)
        if wanted is None:
            assert code_of(answer) == (403, "forbidden"), operation.name
        elif wanted not in scopes:
            assert code_of(answer) == (403, "token_scope_insufficient"), operation.name
        else:
            assert answer.status_code not in {401, 403}, (operation.name, answer.json)


def test_sec_29_no_operation_with_step_up_is_open_however_young_the_proof(app, private, alice):
    client = ApiClient(app, makes_token(alice, "read", "write")["token"])
    known = declarations(app)
    sensitive = [each for each in private if "step-up" in known[each.name].caller.value]
    assert {"createApiToken", "purgeProject"} <= {each.name for each in sensitive}
    for operation in sensitive:
        assert code_of(asks(client, operation)) == (403, "forbidden"), operation.name
