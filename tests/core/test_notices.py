"""What a mail advises whoever did not do it: another password ends sessions, and nothing else that was added."""

import pytest

from app.core.audit import AuditKind
from app.core.notices import NOTICES


@pytest.mark.parametrize(
    ("kind", "step"),
    [
        (AuditKind.totp_enabled, "write to the people who run this service"),
        (AuditKind.passkey_added, "delete it from the list of your passkeys"),
        (AuditKind.recovery_codes_made, "make new recovery codes"),
        (AuditKind.recovery_code_used, "make new recovery codes"),
        (AuditKind.api_token_created, "revoke it in the list of your API tokens"),
    ],
)
def test_what_outlives_another_password_has_a_step_of_its_own(kind, step):
    assert "Reset your password at once" in NOTICES[kind].advice
    assert step in NOTICES[kind].advice


@pytest.mark.parametrize("kind", [AuditKind.factors_reset, AuditKind.role_changed])
def test_nobody_is_asked_whether_they_were_the_administrator(kind):
    assert "an administrator" in NOTICES[kind].told
    assert "Was that not you?" not in NOTICES[kind].advice
