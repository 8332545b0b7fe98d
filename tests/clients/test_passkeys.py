"""Passkeys in headless Chromium with its virtual authenticator, and the QR code of an authenticator app as a phone sees it."""

import pyotp
import pytest

from tests.clients.test_browser import ask, mail_to

ERIN = {"email": "erin@example.com", "password": "a sentence only Erin knows", "display_name": "Erin"}


@pytest.fixture(scope="module")
def erin(service):
    """A new account, so that the demo cast stays as other tests expect it."""
    assert ask(service, "/api/v1/auth/register", ERIN)[0] == 202
    token = mail_to(service, ERIN["email"])["token"]
    assert ask(service, "/api/v1/auth/verify-email", {"token": token})[0] == 200
    return ERIN


@pytest.fixture(scope="module")
def told(drive, erin):
    return drive("passkeys.mjs", email=erin["email"], password=erin["password"])


def test_a_passkey_is_registered(told):
    assert told["added"]["name"] == "Passkey"
    assert told["added"]["transports"] == ["internal"]
    assert (told["added"]["backup_eligible"], told["added"]["backed_up"]) == (True, True)
    [credential] = told["credentials"]
    assert credential["isResidentCredential"] is True
    assert credential["rpId"] == "localhost"


def test_the_same_authenticator_makes_no_second_one(told):
    assert told["again"]["error"] == "InvalidStateError"


def test_it_signs_in_alone(told):
    assert told["signedIn"] == {"status": "signed_in", "email": ERIN["email"], "mfa_enabled": True}


def test_it_is_the_second_step_after_a_password(told):
    assert told["secondStep"] == {"waited": "mfa_required", "methods": ["passkey"], "status": "signed_in"}


def test_it_proves_again(told):
    assert told["steppedUp"] == {"status": "signed_in"}


def test_without_user_verification_there_is_no_answer(told):
    assert told["unverified"]["error"] == "NotAllowedError"


def test_without_the_passkey_there_is_no_answer(told):
    assert told["forgotten"]["error"] == "NotAllowedError"


def test_another_decoder_reads_the_qr_code(told):
    assert told["decoded"] == told["started"]["otpauth_uri"]
    read = pyotp.parse_uri(told["decoded"])
    assert (read.secret, read.name, read.digits, read.interval) == (
        told["started"]["secret"],
        ERIN["email"],
        6,
        30,
    )


def test_the_page_speaks_to_the_service_and_nobody_else(told):
    assert told["failed"] == []
    assert all(address.startswith(told["origin"]) for address in told["elsewhere"])
