"""What is kept of a person is in their copy, or stands here with the reason why it is not."""

import pytest

from app.api_tokens.models import ApiToken
from app.exports import views
from app.files.models import File
from app.invitations.models import Invitation
from app.models import Base
from app.passkeys.models import Passkey
from app.projects.models import Project, ProjectMember
from app.sessions.models import Session
from app.users.models import User

VIEWS = {
    User: views.ACCOUNT, Session: views.SESSION, ApiToken: views.TOKEN, Project: views.PROJECT, Passkey: views.PASSKEY,
    Invitation: views.INVITATION, ProjectMember: views.MEMBERSHIP, File: views.FILE,
}  # fmt: skip
LEFT_OUT = {
    User: {"email_key": "from email", "password_hash": "a secret", "device_epoch": "a counter", "version": "a counter"},
    Session: {
        "user_id": "the person", "auth_epoch": "a counter", "mac_key": "a secret", "counter": "a counter",
        "min_generation": "a counter", "seen_generation": "a counter", "rotated_at": "of the tokens",
        "idle_expires_at": "from last_used_at",
    },
    ApiToken: {"user_id": "the person", "digest": "a secret"},
    Project: {"owner_id": "the person", "crowded": "from the number of members"},
    ProjectMember: {
        "project_id": "told with the project's name", "user_id": "the person", "project_created_at": "the project's",
        "project_updated_at": "the project's",
    },
    File: {"object_key": "told as path", "attempts": "a counter", "previews": "made of the content"},
    Passkey: {
        "user_id": "the person", "credential_id": "of the key", "public_key": "of the key", "sign_count": "a counter",
    },
    Invitation: {
        "email_key": "from email", "project_id": "told as project_name", "invited_by": "told by name", "key_id": "of the key",
        "mails": "a counter", "accepted_at": "only open ones are in it", "declined_at": "as above", "revoked_at": "as above",
    },
}  # fmt: skip
TABLES_LEFT_OUT = {
    "totp_factors": "a secret; mfa_enabled tells that there is one",
    "recovery_codes": "digests",
    "mfa_challenges": "for minutes",
    "passkey_challenges": "for minutes",
    "password_resets": "for half an hour; the activity tells of it",
    "email_changes": "pending_email and the activity tell of it",
    "account_deletions": "deletion_scheduled_at and the activity tell of it",
    "exports": "the copies themselves",
    "uploads": "for a day at most; what they become is a file",
    "work_items": "how far something is that was asked for, for a week",
}


@pytest.mark.parametrize("model", VIEWS, ids=lambda model: model.__tablename__)
def test_every_column_is_in_the_copy_or_left_out_for_a_reason(model):
    columns = set(model.__table__.c.keys())
    assert columns - set(VIEWS[model]) == set(LEFT_OUT[model]), (
        "add it in app/exports/views.py, or here with the reason"
    )


def test_so_is_every_table_that_names_an_account():
    naming = {
        table.name
        for table in Base.metadata.sorted_tables
        if any(key.column.table.name == "users" for key in table.foreign_keys)
    }
    assert naming - {model.__tablename__ for model in VIEWS} == set(TABLES_LEFT_OUT), (
        "give it a view in app/exports/views.py, or the reason here"
    )
