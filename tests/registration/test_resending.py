"""resendVerification: another mail with a new code."""

from tests.fixtures.accounts import DANA, code_of, coming_from, registers, registers_and_reads_mail, verifies

WRONG = (422, "invalid_code")


def resends(client, email=DANA):
    response = client.post("/auth/resend-verification", json={"email": email})
    assert (response.status_code, response.json) == (202, {"resend_after": 60})


def test_a_new_code_comes_and_the_old_one_stops(anonymous, letters):
    first = registers_and_reads_mail(anonymous, letters)
    resends(anonymous)
    second = letters(DANA)[0]
    assert second.code != first.code
    assert code_of(verifies(anonymous, email=DANA, code=first.code)) == WRONG
    assert verifies(anonymous, email=DANA, code=second.code).status_code == 200


def test_the_link_of_the_first_mail_still_leads_there(anonymous, letters):
    first = registers_and_reads_mail(anonymous, letters)
    resends(anonymous)
    assert verifies(anonymous, token=first.token).status_code == 200


def test_a_new_code_has_ten_minutes_and_five_tries_of_its_own(anonymous, letters, advance):
    first = registers_and_reads_mail(anonymous, letters)
    for _ in range(6):
        verifies(anonymous, email=DANA, code=f"{(int(first.code) + 1) % 1_000_000:06}")
    advance(minutes=11)
    resends(anonymous)
    code = letters(DANA)[0].code
    advance(minutes=9)
    assert verifies(anonymous, email=DANA, code=code).status_code == 200


def test_a_job_that_was_overtaken_sends_nothing(anonymous, letters):
    registers_and_reads_mail(anonymous, letters)
    resends(anonymous)
    resends(anonymous)
    assert len(letters(DANA)) == 2


def test_a_registration_that_expired_is_not_mailed_about(anonymous, letters, advance):
    registers_and_reads_mail(anonymous, letters)
    advance(days=1, seconds=1)
    resends(anonymous)
    assert len(letters(DANA)) == 1


def test_sec_36_whoever_asks_gets_the_code_of_the_attempt_made_from_there(anonymous, letters):
    """Not that of a stranger who registered the same address afterwards, with a password of their own."""
    registers_and_reads_mail(anonymous, letters, name="Dana")
    registers(anonymous, name="Mallory", **coming_from("198.51.100.7"))
    resends(anonymous)
    verified = verifies(anonymous, email=DANA, code=letters(DANA)[0].code)
    assert verified.json["user"]["display_name"] == "Dana"
