"""How far it is: seen by whoever asked for it, by nobody else, forgotten after a week."""

from app.core.errors import Code
from app.core.ids import new_id
from app.web.fields import wire_time
from app.web.problems import CATALOGUE
from app.work.service import KEPT_DAYS
from tests.fixtures.accounts import code_of

RESULT = "/api/v1/me/exports/1/content"


def test_what_waits_is_seen_at_once(alice, begun, sees, sql):
    item_id = begun(alice, total=8)
    [(created_at, updated_at)] = sql("SELECT created_at, updated_at FROM work_items")
    assert sees(alice, item_id) == {
        "id": str(item_id), "kind": "exports.build", "state": "queued", "done": 0, "total": 8, "problem": None,
        "result_url": None, "created_at": wire_time(created_at), "updated_at": wire_time(updated_at),
    }  # fmt: skip


def test_how_far_it_is_then_where_the_result_is(alice, begun, work, sees):
    item_id = begun(alice)
    work.progress(item_id, 3, 8)
    shown = sees(alice, item_id)
    assert (shown["state"], shown["done"], shown["total"]) == ("running", 3, 8)
    work.finish(item_id, RESULT)
    shown = sees(alice, item_id)
    assert (shown["state"], shown["done"], shown["total"], shown["result_url"]) == ("ready", 8, 8, RESULT)


def test_why_it_failed_in_the_words_of_a_problem(alice, begun, work, sees):
    item_id = begun(alice)
    work.fail(item_id, Code.storage_unavailable, "The copy could not be stored.")
    shown = sees(alice, item_id)
    assert (shown["state"], shown["result_url"]) == ("failed", None)
    assert shown["problem"] == {
        "code": "storage_unavailable", "title": CATALOGUE[Code.storage_unavailable].title,
        "detail": "The copy could not be stored.",
    }  # fmt: skip


def test_sec_39_for_others_it_does_not_exist(alice, bob, ada, begun):
    item_id = begun(alice)
    for person in (bob, ada):
        answer, unknown = person.get(f"/jobs/{item_id}"), person.get(f"/jobs/{new_id()}")
        assert code_of(answer) == (404, "not_found")
        assert answer.json["detail"] == unknown.json["detail"]


def test_a_script_of_hers_that_may_read_sees_it(alice, bob, begun, script):
    item_id = begun(alice)
    assert script(alice, "read").get(f"/jobs/{item_id}").status_code == 200
    assert script(bob, "read").get(f"/jobs/{item_id}").status_code == 404
    assert code_of(script(alice, "write").get(f"/jobs/{item_id}")) == (403, "token_scope_insufficient")


def test_who_is_leaving_sees_it_too(alice, begun, sees):
    item_id = begun(alice)
    assert alice.delete("/me").status_code == 202
    assert sees(alice, item_id)["state"] == "queued"


def test_it_goes_with_the_account(alice, bob, begun, sql):
    begun(alice)
    kept = begun(bob)
    sql("DELETE FROM users WHERE id = %s", (str(alice.user.id),))
    assert sql("SELECT id FROM work_items") == [(str(kept),)]


def test_after_a_week_it_is_forgotten_whatever_became_of_it(alice, begun, work, advance, sql):
    for item_id in (begun(alice), begun(alice)):
        work.progress(item_id, 1)
    work.finish(item_id)
    advance(days=KEPT_DAYS, seconds=-60)
    young = begun(alice)
    assert work.sweep() == 0
    advance(seconds=61)
    assert work.sweep() == 2
    assert sql("SELECT id FROM work_items") == [(str(young),)]
