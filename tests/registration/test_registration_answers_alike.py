"""SEC-11 and SEC-12: registering and asking for another mail tell nobody which addresses have an account."""

import pytest

from tests.fixtures.account_states import STATES, all_alike, answers_in_every_state, costs_in_every_state
from tests.fixtures.accounts import registers


def resends(client, email, **options):
    return client.post("/auth/resend-verification", json={"email": email}, **options)


def types_a_wrong_code(client, email, **options):
    return client.post("/auth/verify-email", json={"email": email, "code": "0000000"[:6]}, **options)


@pytest.mark.parametrize(("ask", "status"), [(registers, 202), (resends, 202)])
def test_sec_11_every_state_gets_the_same_bytes(app, in_every_state, ask, status):
    answer = all_alike(answers_in_every_state(app, ask))
    assert answer[0] == status


@pytest.mark.parametrize("ask", [registers, resends])
def test_sec_12_every_state_costs_the_same_work(app, in_every_state, count_queries, hashes, ask):
    """Structure only; benchmarks/timing_equality.py measures the time at real cost."""
    bcrypts, _statements = all_alike(costs_in_every_state(app, ask, count_queries, hashes))
    assert bcrypts == (1 if ask is registers else 0)


def test_sec_11_a_refused_password_tells_nothing_either(app, in_every_state):
    def ask(client, email, **options):
        return registers(client, email, "state-state-12", **options)

    assert all_alike(answers_in_every_state(app, ask))[0] == 422


def test_sec_11_the_owner_gets_another_mail_instead(app, anonymous, in_every_state, letters, parts):
    letters()
    parts.mailbox.clear()
    for email in STATES.values():
        registers(anonymous, email)
    kinds = {state: [mail.kind for mail in letters(email)] for state, email in STATES.items()}
    assert kinds == {
        "missing": ["verify_email"],
        "known": ["already_registered"],
        "unverified": ["verify_email"],
        "suspended": ["already_registered"],
    }


def test_sec_11_the_owners_mail_holds_no_way_in(app, anonymous, in_every_state, letters):
    registers(anonymous, STATES["known"])
    [mail] = letters(STATES["known"])
    assert (mail.code, mail.token) == (None, None)


def test_sec_11_a_mail_asked_for_again_goes_to_those_who_can_use_it(
    anonymous, in_every_state, letters, parts
):
    letters()
    parts.mailbox.clear()
    for email in STATES.values():
        resends(anonymous, email)
    kinds = {state: [mail.kind for mail in letters(email)] for state, email in STATES.items()}
    assert kinds == {
        "missing": [],
        "known": ["already_registered"],
        "unverified": ["verify_email"],
        "suspended": ["already_registered"],
    }


def test_sec_11_wrong_codes_answer_alike_until_and_after_the_tries_are_spent(app, in_every_state):
    for expected in [422] * 5 + [410] * 2:
        assert all_alike(answers_in_every_state(app, types_a_wrong_code))[0] == expected
