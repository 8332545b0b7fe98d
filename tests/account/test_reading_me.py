"""getMe: the signed-in person's own account."""

import re

import pytest

from tests.fixtures.accounts import code_of

FIELDS = {
    "id", "email", "pending_email", "email_verified", "display_name", "locale", "time_zone", "role", "status",
    "mfa_enabled", "has_password", "avatar_url", "deletion_scheduled_at", "version", "created_at", "updated_at",
}  # fmt: skip
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def test_every_documented_field_is_there_and_no_other(alice):
    response = alice.get("/me")
    assert response.status_code == 200
    me = response.json
    assert set(me) == FIELDS
    assert (me["id"], me["email"], me["display_name"]) == (str(alice.user.id), "alice@example.com", "Alice")
    assert (me["role"], me["status"], me["version"]) == ("user", "active", 1)
    assert (me["email_verified"], me["has_password"], me["mfa_enabled"]) == (True, True, False)
    empty = {"pending_email", "locale", "time_zone", "avatar_url", "deletion_scheduled_at"}
    assert {name for name in FIELDS if me[name] is None} == empty
    assert MOMENT.fullmatch(me["created_at"])
    assert MOMENT.fullmatch(me["updated_at"])


def test_ada_administers(ada):
    assert ada.get("/me").json["role"] == "admin"


def test_an_etag_names_the_version_and_the_answer_may_be_kept(alice):
    response = alice.get("/me")
    assert re.fullmatch(r'"1\.[0-9a-f]{16}"', response.headers["ETag"])
    assert response.headers["Cache-Control"] == "private, no-cache"
    assert {"Authorization", "Origin"} <= set(response.headers["Vary"].split(", "))
    assert alice.get("/me").headers["ETag"] == response.headers["ETag"]


@pytest.mark.parametrize("form", ["{}", "W/{}", '"0.00", {}', "*"])
def test_sec_51_what_is_known_is_not_sent_again(alice, form):
    tag = alice.get("/me").headers["ETag"]
    response = alice.get("/me", headers={"If-None-Match": form.format(tag)})
    assert (response.status_code, response.get_data()) == (304, b"")
    assert response.headers["ETag"] == tag
    assert "Content-Type" not in response.headers


def test_sec_51_what_changed_is_sent(alice):
    tag = alice.get("/me").headers["ETag"]
    alice.patch("/me", json={"display_name": "Alice B"})
    response = alice.get("/me", headers={"If-None-Match": tag})
    assert response.status_code == 200
    assert response.headers["ETag"] != tag


def test_sec_51_the_version_alone_is_not_enough_to_skip_the_body(alice):
    assert alice.get("/me", headers={"If-None-Match": '"1"'}).status_code == 200


def test_tags_of_two_people_differ(alice, bob):
    assert alice.get("/me").headers["ETag"] != bob.get("/me").headers["ETag"]


def test_one_must_be_signed_in(anonymous):
    assert code_of(anonymous.get("/me")) == (401, "not_authenticated")
    assert code_of(anonymous.patch("/me", json={})) == (401, "not_authenticated")


def test_a_suspended_account_is_told_so(alice, sql):
    sql("UPDATE users SET status = 'suspended'")
    assert code_of(alice.get("/me")) == (403, "account_suspended")


def test_a_warm_read_asks_postgresql_once(alice, count_queries):
    alice.get("/me")
    with count_queries() as statements:
        assert alice.get("/me").status_code == 200
    assert len([each for each in statements if "clock_offset" not in each]) == 1
