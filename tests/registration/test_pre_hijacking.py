"""SEC-36: nobody can prepare a password for an address that is not theirs."""

from uuid import UUID

from app.core.keys import KeyRing
from app.core.mail_codes import MailCodes
from app.registration.models import Registration
from app.registration.service import RegistrationService
from tests.fixtures.accounts import (
    DANA,
    asks_who_it_is,
    code_of,
    registers,
    registers_and_reads_mail,
    signs_in,
    verifies,
)

STRANGERS, HERS = "the stranger waits here", "the owner sings in rain"
REFUSED = (401, "invalid_credentials")


def test_only_the_answered_mails_password_counts(anonymous, letters):
    registers(anonymous, password=STRANGERS, name="Mallory")
    letters()
    hers = registers_and_reads_mail(anonymous, letters, password=HERS)
    signed_in = verifies(anonymous, token=hers.token).json
    assert signed_in["user"]["display_name"] == "Dana"
    assert signs_in(anonymous, DANA, HERS).status_code == 200
    assert code_of(signs_in(anonymous, DANA, STRANGERS)) == REFUSED


def test_the_same_by_code_whoever_registered_last(anonymous, letters):
    hers = registers_and_reads_mail(anonymous, letters, password=HERS)
    registers_and_reads_mail(anonymous, letters, password=STRANGERS, name="Mallory")
    assert verifies(anonymous, email=DANA, code=hers.code).status_code == 200
    assert signs_in(anonymous, DANA, HERS).status_code == 200
    assert code_of(signs_in(anonymous, DANA, STRANGERS)) == REFUSED


def test_the_strangers_mail_is_worth_nothing_once_hers_was_answered(anonymous, letters):
    strangers = registers_and_reads_mail(anonymous, letters, password=STRANGERS)
    hers = registers_and_reads_mail(anonymous, letters, password=HERS)
    verifies(anonymous, token=hers.token)
    assert code_of(verifies(anonymous, token=strangers.token)) == (410, "token_expired_or_used")
    assert code_of(verifies(anonymous, email=DANA, code=strangers.code)) == (422, "invalid_code")


def test_registering_again_does_not_touch_an_account(anonymous, letters, sql):
    hers = registers_and_reads_mail(anonymous, letters, password=HERS)
    access_token = verifies(anonymous, token=hers.token).json["access_token"]
    before = sql("SELECT * FROM users")
    registers(anonymous, password=STRANGERS, name="Mallory")
    letters()
    assert sql("SELECT * FROM users") == before
    assert code_of(signs_in(anonymous, DANA, STRANGERS)) == (403, "email_not_verified")
    assert asks_who_it_is(anonymous, access_token).status_code == 200


def test_nobody_is_signed_in_before_the_address_is_proved(anonymous, sql):
    registers(anonymous, password=STRANGERS)
    assert code_of(signs_in(anonymous, DANA, STRANGERS)) == (403, "email_not_verified")
    assert code_of(signs_in(anonymous, DANA, HERS)) == REFUSED
    assert sql("SELECT count(*) FROM sessions") == [(0,)]


def test_a_waiting_registration_ends_by_itself(anonymous, advance, parts, sql):
    registers(anonymous, password=STRANGERS)
    advance(days=1, seconds=1)
    assert code_of(signs_in(anonymous, DANA, STRANGERS)) == REFUSED
    assert parts.services[RegistrationService].sweep() == 1
    assert sql("SELECT count(*) FROM registrations") == [(0,)]


def test_what_is_kept_for_a_known_address_can_never_be_answered(anonymous, alice, parts, sql, advance):
    """The row stands there for equal answers (SEC-11) and work (SEC-12): even its own code and link are refused."""
    ring = KeyRing.parse(parts.settings.secret_keys.get_secret_value())
    codes = MailCodes("hfv1", ring.derive("verify-email-link"), ring.derive("verify-email-code"))
    registers(anonymous, alice.email, STRANGERS)
    [(identifier,)] = sql("SELECT id FROM registrations")
    for mails in (0, 1):
        row = Registration(id=UUID(identifier), key_id="k1", mails=mails)
        assert code_of(verifies(anonymous, email=alice.email, code=codes.code(row))) == (422, "invalid_code")
        assert code_of(verifies(anonymous, token=codes.link_token(row))) == (410, "token_expired_or_used")
    advance(days=1, seconds=1)
    assert code_of(signs_in(anonymous, alice.email, STRANGERS)) == REFUSED
    assert parts.services[RegistrationService].sweep() == 1
