"""What somebody who took an account over still has once its old address objected (SEC-35)."""

from tests.fixtures.accounts import code_of, signs_in
from tests.fixtures.email_changes import confirms, objects
from tests.fixtures.resets import NEW, asks_for_reset, resets

OLD = "alice@example.com"


def test_sec_35_undoing_takes_away_the_password_that_a_thief_may_know(anonymous, alice, asked, letters):
    confirm, told = asked(alice)
    confirms(anonymous, token=confirm.token)
    assert objects(anonymous, told.token).status_code == 204
    assert code_of(signs_in(anonymous, OLD)) == (401, "invalid_credentials")
    asks_for_reset(anonymous)
    mail = next(each for each in letters(OLD) if each.kind == "reset_password")
    assert resets(anonymous, token=mail.token).status_code == 204
    assert signs_in(anonymous, OLD, NEW).status_code == 200


def test_sec_35_undoing_revokes_api_tokens(anonymous, alice, asked):
    made = alice.post("/me/tokens", json={"name": "a thief's", "scopes": ["read", "write"]})
    bearer = {"Authorization": f"Bearer {made.json['token']}"}
    confirm, told = asked(alice)
    confirms(anonymous, token=confirm.token)
    assert anonymous.get("/me", headers=bearer).status_code == 200
    assert objects(anonymous, told.token).status_code == 204
    assert code_of(anonymous.get("/me", headers=bearer)) == (401, "token_invalid")
