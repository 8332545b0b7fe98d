"""SEC-38: every operation of the document for every kind of caller, each with a sound request and the status it must answer.

The columns are those of ``CALLERS``; the functions write a row: ``everybody`` the same for all nine, ``signed_in`` what an
account answers about itself, ``administrators`` what the site's administrators may, ``members`` what the roles in a project may.
A suspended account's sessions have ended, so that it is told 401 wherever somebody must be signed in.
"""

import pytest

from tests.fixtures.contract import documented_operations
from tests.fixtures.matrix import CALLERS, asks


def everybody(status):
    return (status,) * 9


def signed_in(status, *, owner=None, administrator=None):
    return (401, *(status,) * 4, owner or status, status, 401, administrator or status)


def administrators(status):
    return (401, *(403,) * 6, 401, status)


def members(viewer, editor, admin, owner):
    return (401, 404, viewer, editor, admin, owner, 404, 401, 404)


TABLE = {
    # Open to anybody; with made-up proofs they say so to everybody alike.
    "getMeta": everybody(200),
    "register": everybody(202),
    "resendVerification": everybody(202),
    "forgotPassword": everybody(202),
    "signOut": everybody(204),
    "signIn": everybody(401),
    "completeMfa": everybody(401),
    "refreshSession": everybody(401),
    "startPasskeySignIn": everybody(401),
    "signInWithPasskey": everybody(401),
    "verifyEmail": everybody(422),
    "resetPassword": everybody(422),
    "confirmEmailChange": everybody(410),
    "cancelEmailChange": everybody(410),
    "restoreAccount": everybody(410),
    "previewInvitation": everybody(410),
    # One's own account. The administrator has a second factor, the others have none.
    "getMe": signed_in(200),
    "updateMe": signed_in(200),
    "stepUp": signed_in(200, administrator=422),
    "changePassword": signed_in(204),
    "changeEmail": signed_in(202),
    "cancelPendingEmail": signed_in(204),
    "listMyActivity": signed_in(200),
    "listSessions": signed_in(200),
    "revokeSession": signed_in(404),
    "revokeOtherSessions": signed_in(204),
    "getMfa": signed_in(200),
    "startTotp": signed_in(201, administrator=409),
    "confirmTotp": signed_in(404, administrator=409),
    "disableTotp": signed_in(204, administrator=403),
    "regenerateRecoveryCodes": signed_in(403, administrator=200),
    "listPasskeys": signed_in(200),
    "startPasskey": signed_in(200),
    "addPasskey": signed_in(410),
    "renamePasskey": signed_in(404),
    "deletePasskey": signed_in(404),
    "listApiTokens": signed_in(200),
    "createApiToken": signed_in(201),
    "revokeApiToken": signed_in(404),
    "startExport": signed_in(202),
    "getExport": signed_in(404),
    "getJob": signed_in(404),
    "downloadExport": signed_in(404),
    "deleteMe": signed_in(202, owner=409, administrator=409),
    "restoreMe": signed_in(200),
    # The site.
    "listUsers": administrators(200),
    "getUser": administrators(200),
    "updateUser": administrators(200),
    "revokeUserSessions": administrators(204),
    "resetUserMfa": administrators(204),
    "listAuditEvents": administrators(200),
    "getStats": administrators(200),
    # Projects. Being administrator of the site opens none.
    "listProjects": signed_in(200),
    "listProjectChanges": signed_in(200),
    "createProject": signed_in(201),
    "bulkProjects": signed_in(200),
    "getProject": members(200, 200, 200, 200),
    "updateProject": members(403, 200, 200, 200),
    "archiveProject": members(403, 403, 200, 200),
    "unarchiveProject": members(403, 403, 200, 200),
    "deleteProject": members(403, 403, 403, 204),
    "restoreProject": members(403, 403, 403, 200),
    "purgeProject": members(403, 403, 403, 409),
    "transferProject": members(403, 403, 403, 200),
    "leaveProject": members(204, 204, 204, 409),
    "listProjectActivity": members(200, 200, 200, 200),
    "listMembers": members(200, 200, 200, 200),
    "updateMember": members(403, 403, 200, 200),
    "removeMember": members(403, 403, 204, 204),
    # Files; there is one, not in the trash, and no upload is under way. Its content is local and no picture.
    "listFiles": members(200, 200, 200, 200),
    "getFile": members(200, 200, 200, 200),
    "renameFile": members(403, 200, 200, 200),
    "deleteFile": members(403, 204, 204, 204),
    "restoreFile": members(403, 200, 200, 200),
    "purgeFile": members(403, 403, 409, 409),
    "downloadFile": members(200, 200, 200, 200),
    "getThumbnail": members(404, 404, 404, 404),
    "downloadFileByUrl": everybody(422),
    "uploadFile": members(403, 201, 201, 201),
    "startUpload": members(403, 409, 409, 409),
    "completeUpload": members(404, 404, 404, 404),
    "createTusUpload": members(403, 201, 201, 201),
    "getTusUpload": members(404, 404, 404, 404),
    "appendTusUpload": members(403, 404, 404, 404),
    "deleteTusUpload": members(403, 404, 404, 404),
    "listMyUploads": signed_in(200),
    "deleteMyUpload": signed_in(404),
    # Invitations; with an id or a token that nobody was given.
    "listInvitations": members(403, 403, 200, 200),
    "createInvitation": members(403, 403, 201, 201),
    "resendInvitation": members(403, 403, 404, 404),
    "revokeInvitation": members(403, 403, 404, 404),
    "listMyInvitations": signed_in(200),
    "acceptInvitation": signed_in(404),
    "declineInvitation": signed_in(404),
    "acceptInvitationByToken": signed_in(410),
}
CELLS = 855


def test_sec_38_every_operation_has_its_row_and_nothing_else_has_one(app):
    assert set(TABLE) == {operation.name for operation in documented_operations(app)}
    assert {len(row) for row in TABLE.values()} == {len(CALLERS)}
    assert sum(map(len, TABLE.values())) == CELLS


@pytest.mark.parametrize("name", TABLE)
def test_sec_38_each_caller_gets_what_the_table_says(app, cast, sql, name, subtests):
    operation = next(each for each in documented_operations(app) if each.name == name)
    # What deleteMe answers depends on owning one.
    about_a_project = "{project_id}" in operation.path or name == "deleteMe"
    project = None
    for caller, expected in zip(CALLERS, TABLE[name], strict=True):
        with subtests.test(caller=caller):
            sql("DELETE FROM throttle_counters")
            ids = {"user_id": cast.target.user.id}
            if about_a_project:
                project = project or cast.project()
                ids["project_id"] = project.id
                if "{file_id}" in operation.path:
                    ids["file_id"] = cast.file(project)
            answer = asks(cast.people[caller], operation, ids)
            if answer.status_code < 400 and operation.method != "GET":
                # It is no longer what the next caller should find; who was refused changed nothing.
                project = None
            assert answer.status_code == expected, answer.text
