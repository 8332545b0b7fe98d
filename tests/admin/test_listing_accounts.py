"""The list of accounts: pages, filters, what is shown; and one account whole."""

import pytest

from tests.fixtures.accounts import code_of
from tests.fixtures.people import make_person


def names(client, query=""):
    answer = client.get(f"/admin/users{query}")
    assert answer.status_code == 200, answer.text
    return [item["display_name"] for item in answer.json["items"]]


def test_the_newest_first_and_the_same_as_their_owners_see(ada, alice, bob):
    assert names(ada) == ["Bob", "Alice", "Ada"]
    assert names(ada, "?sort=created_at") == ["Ada", "Alice", "Bob"]
    assert ada.get("/admin/users").json["items"][1] == alice.get("/me").json


def test_pages_show_everybody_once(app, ada):
    made = [make_person(app, f"Person{number}").user.display_name for number in range(5)]
    seen, cursor = [], ""
    while cursor is not None:
        page = ada.get(f"/admin/users?limit=2&include_total=true{cursor and '&cursor=' + cursor}").json
        assert page["total"] == 6
        seen += [item["display_name"] for item in page["items"]]
        cursor = page["next_cursor"]
    assert seen == [*reversed(made), "Ada"]


def test_a_cursor_belongs_to_its_filters_and_its_reader(app, ada, grace):
    make_person(app, "Person")
    cursor = ada.get("/admin/users?limit=1").json["next_cursor"]
    assert ada.get(f"/admin/users?limit=1&cursor={cursor}").status_code == 200
    assert code_of(ada.get(f"/admin/users?role=user&cursor={cursor}")) == (422, "invalid_cursor")
    assert code_of(grace.get(f"/admin/users?cursor={cursor}")) == (422, "invalid_cursor")
    assert code_of(ada.get(f"/admin/users?cursor={cursor}x")) == (422, "invalid_cursor")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=ali", ["Alice"]),
        ("q=ALICE%40EXAMPLE", ["Alice"]),
        ("q=@example.com", ["Bob", "Alice", "Ada"]),
        ("q=_", []),
        ("q=%25", []),
        ("q=a%25e", []),
        ("q=%5C", []),
        ("role=admin", ["Ada"]),
        ("role=user", ["Bob", "Alice"]),
        ("status=suspended", ["Bob"]),
        ("status=active", ["Alice", "Ada"]),
        ("status=active,suspended&role=user", ["Bob", "Alice"]),
        ("q=a&role=admin&status=suspended", []),
    ],
)
def test_sec_55_filters_all_hold_and_wildcards_are_letters(ada, alice, bob, sql, query, found):
    sql("UPDATE users SET status = 'suspended' WHERE email = 'bob@example.com'")
    assert names(ada, f"?{query}") == found


@pytest.mark.parametrize(
    "query", ["q=", "role=owner", "status=gone", "sort=email", "email=alice@example.com", "limit=101"]
)
def test_what_is_not_a_filter_is_refused(ada, query):
    assert code_of(ada.get(f"/admin/users?{query}")) == (422, "validation_failed")


def test_one_account_with_its_sessions_and_factors(ada, alice, enrols):
    alone = ada.get(f"/admin/users/{alice.user.id}").json
    assert (alone["live_sessions"], alone["factors"]) == (1, [])
    assert alone["last_signed_in_at"]
    alice.signs_in_again()
    assert ada.get(f"/admin/users/{alice.user.id}").json["live_sessions"] == 2
    enrols(alice)
    whole = ada.get(f"/admin/users/{alice.user.id}").json
    assert (whole["live_sessions"], whole["factors"]) == (1, ["totp", "recovery_code"])
    own = alice.get("/me").json
    assert {name: whole[name] for name in own} == own


def test_one_account_that_never_signed_in(app, ada, parts, sql, alice):
    sql("DELETE FROM sessions WHERE user_id = %s", (str(alice.user.id),))
    shown = ada.get(f"/admin/users/{alice.user.id}").json
    assert (shown["live_sessions"], shown["last_signed_in_at"]) == (0, None)


def test_what_was_read_need_not_be_sent_again(ada, alice):
    first = ada.get(f"/admin/users/{alice.user.id}")
    again = ada.get(f"/admin/users/{alice.user.id}", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304
