"""listMyActivity: what happened to the safety of one's own account, the newest first."""

from uuid import UUID

import pytest

from app.core.access import Client
from app.core.audit import AuditKind, AuditTrail
from tests.fixtures.accounts import code_of, signs_in

KINDS = [AuditKind.sign_in_succeeded, AuditKind.password_changed, AuditKind.passkey_added]
LAPTOP = Client("198.51.100.77", "tests", "a laptop")


@pytest.fixture
def happened(parts):
    """``happened(user, kind, ...)``: a row of the trail."""

    def record(user, kind, **options):
        with parts.uow:
            return parts.services[AuditTrail].record(kind, user=user.id, client=LAPTOP, **options)

    return record


def test_events_are_told_with_device_and_truncated_network(alice, happened):
    identifier = happened(alice.user, AuditKind.passkey_added, actor=alice.user.id, data={"name": "Key"})
    answer = alice.get("/me/activity")
    assert answer.status_code == 200
    [event] = answer.json["items"]
    assert event == {
        "id": str(identifier), "kind": "passkey.added", "device": "a laptop", "ip": "198.51.100.0",
        "data": {"name": "Key"}, "created_at": event["created_at"],
    }  # fmt: skip
    assert answer.headers["Cache-Control"] in {"private, no-cache", "no-store"}


def test_what_people_do_over_http_stands_there(anonymous, alice):
    signs_in(anonymous, alice.email, "sea otters let go")
    signs_in(anonymous, alice.email)
    kinds = [event["kind"] for event in alice.get("/me/activity").json["items"]]
    assert kinds.index("sign_in.succeeded") < kinds.index("sign_in.failed")


def test_pages_show_every_event_once_the_newest_first(alice, happened, advance):
    made = []
    for kind in KINDS:
        made.append(str(happened(alice.user, kind)))
        advance(seconds=1)
    first = alice.get("/me/activity?limit=2&include_total=true").json
    rest = alice.get(f"/me/activity?limit=2&cursor={first['next_cursor']}").json
    assert [event["id"] for event in (*first["items"], *rest["items"])] == made[::-1]
    assert (first["has_more"], rest["has_more"], first["total"]) == (True, False, 3)


def test_events_of_one_moment_do_not_get_lost_between_pages(alice, happened, sql):
    for kind in KINDS:
        happened(alice.user, kind)
    seen, cursor = [], ""
    while True:
        page = alice.get(f"/me/activity?limit=1{cursor}").json
        seen += [event["id"] for event in page["items"]]
        if not page["has_more"]:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert sorted(map(UUID, seen)) == sorted(UUID(str(row[0])) for row in sql("SELECT id FROM audit_events"))


def test_sec_39_other_peoples_events_and_cursors_are_theirs(alice, bob, happened):
    for kind in KINDS:
        happened(bob.user, kind)
    assert alice.get("/me/activity").json["items"] == []
    cursor = bob.get("/me/activity?limit=1").json["next_cursor"]
    assert code_of(alice.get(f"/me/activity?cursor={cursor}")) == (422, "invalid_cursor")


def test_where_an_administrator_sat_is_not_told(alice, ada, happened):
    happened(alice.user, AuditKind.role_changed, actor=ada.user.id)
    [event] = alice.get("/me/activity").json["items"]
    assert (event["kind"], event["device"], event["ip"]) == ("account.role_changed", None, None)


def test_the_trail_is_not_changed_by_reading_it(alice, ada, happened, sql):
    happened(alice.user, AuditKind.role_changed, actor=ada.user.id)
    before = sql("SELECT a::text FROM audit_events a ORDER BY id")
    alice.get("/me/activity")
    assert sql("SELECT a::text FROM audit_events a ORDER BY id") == before


def test_nobody_is_asked_without_a_session(anonymous):
    assert code_of(anonymous.get("/me/activity")) == (401, "not_authenticated")
