"""SEC-36, whole: while several ask for an account with one address, nobody's password counts but the mailbox owner's."""

import pytest

from tests.fixtures.accounts import DANA, asks_who_it_is, code_of, coming_from, registers, signs_in, verifies
from tests.fixtures.resets import NEW, resets

STRANGERS, HERS = "the stranger waits here", "the owner sings in rain"
HOME, ELSEWHERE = coming_from("203.0.113.5"), coming_from("198.51.100.9")
REFUSED = (401, "invalid_credentials")
BOTH = [("Dana", HERS, HOME), ("Mallory", STRANGERS, ELSEWHERE)]


def mails_of(client, letters, attempts):
    """The verification mail of each attempt, in its order."""
    found = {}
    for name, password, network in attempts:
        assert registers(client, DANA, password, name, **network).status_code == 202
        found[name] = letters(DANA)[0]
    return found


def newest(letters):
    """One job makes the reset, and another one mails it."""
    letters()
    return letters(DANA)[0]


@pytest.fixture(params=["hers first", "the stranger's first"])
def attempts(request):
    return BOTH if request.param == "hers first" else BOTH[::-1]


@pytest.mark.parametrize("clicked", ["Dana", "Mallory"])
def test_sec_36_neither_password_counts_whichever_mail_is_answered(
    anonymous, letters, sql, attempts, clicked
):
    """She cannot know which of two equal mails is hers, and a click on the stranger's must not let them in."""
    mails = mails_of(anonymous, letters, attempts)
    signed_in = verifies(anonymous, token=mails[clicked].token)
    assert signed_in.status_code == 200
    assert signed_in.json["user"]["has_password"] is False
    assert sql("SELECT password_hash FROM users") == [(None,)]
    for password, network in ((STRANGERS, ELSEWHERE), (HERS, HOME)):
        assert code_of(signs_in(anonymous, DANA, password, **network)) == REFUSED
    assert asks_who_it_is(anonymous, signed_in.json["access_token"]).status_code == 200, "sessions as usual"


@pytest.mark.parametrize("clicked", ["Dana", "Mallory"])
def test_sec_36_the_owner_is_sent_a_mail_to_choose_one(anonymous, letters, attempts, clicked):
    mails = mails_of(anonymous, letters, attempts)
    assert verifies(anonymous, email=DANA, code=mails[clicked].code).status_code == 200
    choose = newest(letters)
    assert choose.kind == "choose_password"
    assert "/reset-password#token=" in choose.link
    assert resets(anonymous, token=choose.token).status_code == 204
    assert signs_in(anonymous, DANA, NEW, **HOME).status_code == 200


def test_sec_36_two_attempts_from_one_network_are_one_persons(anonymous, letters):
    mails = mails_of(anonymous, letters, [("Dana", STRANGERS, HOME), ("Dana again", HERS, HOME)])
    assert verifies(anonymous, token=mails["Dana again"].token).json["user"]["has_password"] is True
    assert signs_in(anonymous, DANA, HERS).status_code == 200
    letters()
    assert "choose_password" not in {mail.kind for mail in letters(DANA)}


def test_sec_36_an_attempt_that_ended_contests_nothing(anonymous, letters, advance):
    registers(anonymous, DANA, STRANGERS, "Mallory", **ELSEWHERE)
    advance(days=1, seconds=1)
    mails = mails_of(anonymous, letters, BOTH[:1])
    assert verifies(anonymous, token=mails["Dana"].token).json["user"]["has_password"] is True


def test_sec_36_a_job_that_runs_after_a_password_was_chosen_sends_nothing(anonymous, letters, sql, parts):
    mails = mails_of(anonymous, letters, BOTH)
    verifies(anonymous, token=mails["Dana"].token)
    [(arguments,)] = sql("SELECT args FROM procrastinate_jobs WHERE task_name = 'passwords.send_reset'")
    choose = newest(letters)
    resets(anonymous, token=choose.token)
    before = len(letters(DANA))
    parts.jobs.app.tasks["passwords.send_reset"].func(**arguments)
    assert len(letters(DANA)) == before
