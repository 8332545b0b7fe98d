"""What a refusal of valid data may say; tests/fuzz/hooks.py and the small run within the tests share it."""

import schemathesis

# These end a session or change how somebody signs in, at times that of whoever asks.
ENDING = [
    "signOut", "revokeSession", "revokeOtherSessions", "stepUp", "deleteMe", "restoreMe", "changePassword", "changeEmail",
    "cancelPendingEmail", "startTotp", "confirmTotp", "disableTotp", "regenerateRecoveryCodes", "addPasskey",
    "renamePasskey", "deletePasskey",
]  # fmt: skip
ADMINISTRATION = [
    "listUsers", "getUser", "updateUser", "revokeUserSessions", "resetUserMfa", "listAuditEvents", "getStats",
]  # fmt: skip
ON_ACCOUNTS = ADMINISTRATION[1:5]
ON_FILES = [
    "listFiles", "uploadFile", "getFile", "renameFile", "deleteFile", "restoreFile", "purgeFile", "downloadFile",
    "getThumbnail", "downloadFileByUrl", "startUpload", "completeUpload", "createTusUpload", "getTusUpload", "appendTusUpload",
    "deleteTusUpload", "getJob",
]  # fmt: skip
# Told by the facts, not by the data: who asks, what exists, what was asked before.
CIRCUMSTANCES = {401, 403, 404, 409, 429}

schemathesis.serializer.alias("application/offset+octet-stream", "application/octet-stream")


@schemathesis.check
class RefusalsAreDeclared:
    """Valid data may be refused only for what schemathesis.toml lists for the operation, each with its reason.

    Sharper than ``positive_data_acceptance``, which sees the status alone.

    Args:
        expected: by operationId, problem codes; a refused field as ``field:code``.
    """

    def __init__(self, *, expected):
        self.expected = expected

    def after_response(self, ctx, response, case):
        status = response.status_code
        if case.meta is None or not case.meta.generation.mode.is_positive:
            return
        if not 400 <= status < 500 or status in CIRCUMSTANCES:
            return
        name = operation_id(case)
        surprises = reasons(response.json()) - set(self.expected.get(name, ()))
        if surprises:
            raise AssertionError(f"{name} refused valid data for {sorted(surprises)}: {response.text[:500]}")


def operation_id(case):
    return case.operation.definition.raw["operationId"]


def reasons(problem):
    """The code of a problem, or of each field it refuses."""
    if problem["code"] != "validation_failed":
        return {problem["code"]}
    return {f"{fault['field']}:{fault['code']}" for fault in problem["errors"]} or {"validation_failed"}
