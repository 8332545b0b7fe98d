"""The security trail as administrators read it, and the figures of the site."""

from urllib.parse import quote

import pytest

from app.admin import repository
from tests.fixtures.accounts import code_of, signs_in


def events(client, query=""):
    answer = client.get(f"/admin/audit-events{query}")
    assert answer.status_code == 200, answer.text
    return answer.json["items"]


def test_sec_58_the_newest_first_with_who_and_whom(ada, alice, anonymous):
    signs_in(anonymous, alice.email)
    ada.delete(f"/admin/users/{alice.user.id}/sessions")
    ended, *before = events(ada)
    assert (ended["kind"], ended["user_id"], ended["actor_id"], ended["data"]) == (
        "session.ended_by_administrator", str(alice.user.id), str(ada.user.id), {"ended": 2},
    )  # fmt: skip
    assert ended["ip"]
    assert ended["request_id"]
    assert "sign_in.succeeded" in [each["kind"] for each in before]
    assert [each["created_at"] for each in before] == sorted(
        (each["created_at"] for each in before), reverse=True
    )


def test_filters_all_hold(ada, alice, bob, anonymous, advance):
    signs_in(anonymous, alice.email, "wrong, wrong, wrong")
    between = ada.get("/admin/stats").json["counted_at"]
    advance(minutes=2)
    ada.delete(f"/admin/users/{bob.user.id}/sessions")
    kinds = {each["kind"] for each in events(ada, "?kind=sign_in.failed")}
    assert kinds == {"sign_in.failed"}
    assert {each["user_id"] for each in events(ada, f"?user_id={bob.user.id}")} == {str(bob.user.id)}
    assert {each["actor_id"] for each in events(ada, f"?actor_id={ada.user.id}")} == {str(ada.user.id)}
    assert events(ada, f"?actor_id={ada.user.id}&user_id={alice.user.id}") == []
    after = {each["kind"] for each in events(ada, f"?created_after={quote(between)}")}
    assert after == {"session.ended_by_administrator"}
    before = {each["kind"] for each in events(ada, f"?created_before={quote(between)}")}
    assert "sign_in.failed" in before
    assert "session.ended_by_administrator" not in before


@pytest.mark.parametrize("query", ["kind=all", "user_id=alice", "created_after=yesterday", "q=kelp"])
def test_what_is_not_a_filter_is_refused(ada, query):
    assert code_of(ada.get(f"/admin/audit-events?{query}")) == (422, "validation_failed")


def test_pages_show_every_line_once(ada, alice):
    for _ in range(5):
        ada.delete(f"/admin/users/{alice.user.id}/sessions")
    seen, cursor = [], ""
    while cursor is not None:
        page = ada.get(f"/admin/audit-events?limit=2{cursor and '&cursor=' + cursor}").json
        seen += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
    assert seen == [each["id"] for each in events(ada, "?limit=100")]
    assert len(set(seen)) == len(seen) >= 5


def test_sec_58_there_is_no_way_to_change_it(ada):
    (line,) = (events(ada) or [None])[:1]
    for method in ("POST", "PATCH", "DELETE"):
        assert ada.open(method, "/admin/audit-events").status_code == 405
        if line:
            assert ada.open(method, f"/admin/audit-events/{line['id']}").status_code == 404


def figures(ada):
    answer = ada.get("/admin/stats")
    assert answer.status_code == 200, answer.text
    return answer.json


def test_the_figures(ada, alice, bob, anonymous, sql):
    alice.creates()
    ada.patch(f"/admin/users/{bob.user.id}", json={"status": "suspended"})
    signs_in(anonymous, alice.email)
    signs_in(anonymous, alice.email, "wrong, wrong, wrong")
    signs_in(anonymous, "nobody@example.com")
    found = figures(ada)
    assert found["accounts"] == {
        "active": 2, "suspended": 1, "deletion_scheduled": 0, "approximate": False,
    }  # fmt: skip
    assert found["projects"] == {"active": 1, "archived": 0, "deleted": 0, "approximate": False}
    # Ada and Alice have two each; Bob's ended.
    assert found["sessions"] == {"live": 4, "approximate": False}
    assert (found["sign_ins"]["succeeded"], found["sign_ins"]["failed"]) == (1, 2)
    assert found["jobs"]["failed"] == 0


def test_sign_ins_of_the_last_day_and_sessions_that_ended_meanwhile(ada, alice, anonymous, advance):
    signs_in(anonymous, alice.email)
    assert figures(ada)["sign_ins"]["succeeded"] == 1
    advance(days=1, minutes=1)
    again = ada.signs_in_again()
    assert figures(again)["sign_ins"]["succeeded"] == 0
    advance(days=400)
    assert figures(again.signs_in_again())["sessions"]["live"] == 1


def test_a_failed_job_is_seen(ada, alice, parts, sql):
    with parts.uow:
        parts.jobs.defer("users.tell", user_id=str(alice.user.id), audit_id=str(alice.user.id))
    assert figures(ada)["jobs"]["waiting"] == 1
    sql("UPDATE procrastinate_jobs SET status = 'doing'")
    sql("UPDATE procrastinate_jobs SET status = 'failed'")
    assert figures(ada)["jobs"] == {"waiting": 0, "running": 0, "failed": 1, "oldest_waiting_seconds": 0}


def test_how_long_the_oldest_job_waits(ada, alice, parts, sql):
    with parts.uow:
        parts.jobs.defer("users.tell", user_id=str(alice.user.id), audit_id=str(alice.user.id))
    sql("UPDATE procrastinate_events SET at = at - interval '10 minutes'")
    assert 600 <= figures(ada)["jobs"]["oldest_waiting_seconds"] < 700


def test_large_tables_are_counted_by_a_sample(ada, alice, sql, monkeypatch):
    """The sample here is of all pages, so that the figure is known."""
    sql("ANALYZE users")
    monkeypatch.setattr(repository, "EXACT", 0)
    monkeypatch.setattr(repository, "SAMPLED_ROWS", 1)
    sampled = figures(ada)
    assert sampled["accounts"]["approximate"] is True
    assert sampled["projects"]["approximate"] is False
