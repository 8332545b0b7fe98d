"""listProjects: filters, search, totals, expansion, parameters that are not known."""

import pytest

from tests.fixtures.projects import NO_SUCH_ID, START


def names(person, **query):
    response = person.get("/projects", query_string=query)
    assert response.status_code == 200, response.json
    return [item["name"] for item in response.json["items"]]


def faults(person, query):
    response = person.get(f"/projects?{query}")
    assert (response.status_code, response.json["code"]) == (422, "validation_failed")
    assert {fault["location"] for fault in response.json["errors"]} == {"query"}
    return {fault["field"]: fault["code"] for fault in response.json["errors"]}


def test_an_empty_list_is_a_page_too(alice):
    assert alice.get("/projects").json == {
        "items": [], "next_cursor": None, "has_more": False, "total": None, "total_capped": None,
    }  # fmt: skip


def test_an_item_is_what_get_project_answers(alice):
    project = alice.creates("Reef survey", "What grows where.")
    assert alice.get("/projects").json["items"] == [alice.get(f"/projects/{project.id}").json]


def test_own_and_shared_projects_and_nobody_elses(alice, bob, charlie, joins):
    mine, shared, _theirs = alice.creates("Mine"), bob.creates("Shared"), charlie.creates("Theirs")
    joins(alice, shared, "viewer")
    items = {item["id"]: item["my_role"] for item in alice.get("/projects").json["items"]}
    assert items == {str(mine.id): "owner", str(shared.id): "viewer"}


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (None, {"active"}),
        ("active", {"active"}),
        ("archived", {"archived"}),
        ("deleted", {"deleted"}),
        ("active,archived", {"active", "archived"}),
        ("deleted,active,deleted", {"deleted", "active"}),
        ("active,archived,deleted", {"active", "archived", "deleted"}),
    ],
)
def test_status(alice, in_state, status, expected):
    for state in ("active", "archived", "deleted"):
        in_state(alice, state, state)
    assert set(names(alice, **({"status": status} if status else {}))) == expected


def test_role_and_owner(alice, bob, joins):
    mine, shared, edited = alice.creates("Mine"), bob.creates("Shared"), bob.creates("Edited")
    joins(alice, shared, "viewer")
    joins(alice, edited, "editor")
    assert names(alice, role="owner") == ["Mine"]
    assert names(alice, role="viewer") == ["Shared"]
    assert names(alice, role="admin") == []
    assert set(names(alice, owner_id=str(bob.user.id))) == {"Shared", "Edited"}
    assert names(alice, owner_id=str(mine.owner_id)) == ["Mine"]
    assert names(alice, owner_id=NO_SUCH_ID) == []
    assert names(alice, owner_id=str(bob.user.id), role="editor") == ["Edited"]


MOMENTS = [
    ({"created_after": "2026-05-01T12:01:00.000Z"}, ["two", "three"]),
    ({"created_after": "2026-05-01T12:01:00.001Z"}, ["three"]),
    ({"created_before": "2026-05-01T12:01:00.000Z"}, ["one"]),
    ({"created_before": "2026-05-01T12:01:00.001Z"}, ["one", "two"]),
    ({"updated_after": "2026-05-01T12:02:00.000Z"}, ["three"]),
    ({"updated_after": "2026-05-01T12:02:00.001Z"}, []),
    ({"created_after": "2026-05-01T12:01:00Z", "created_before": "2026-05-01T12:02:00Z"}, ["two"]),
    ({"created_after": "2026-05-01T14:01:00+02:00"}, ["two", "three"]),
    ({"created_after": "0001-01-01T00:00:00Z"}, ["one", "two", "three"]),
    ({"created_after": "9999-12-31T23:59:59Z"}, []),
]


def test_moments_at_or_after_and_before(alice, plant, subtests):
    plant(alice, ["one", "two", "three"])
    assert START.isoformat() == "2026-05-01T12:00:00+00:00"
    for query, expected in MOMENTS:
        with subtests.test(query=query):
            assert names(alice, sort="created_at", **query) == expected


NAMES = (
    "100% kelp",
    "100 kelp",
    "under_score",
    "underXscore",
    r"back\slash",
    "backslash",
    "Äpfel",
    "ΟΔΟΣ",
    "a/b",
    "'quoted'",
)


SEARCHES = [
    ("%", {"100% kelp"}),
    ("100%", {"100% kelp"}),
    ("0% k", {"100% kelp"}),
    ("_", {"under_score"}),
    ("r_s", {"under_score"}),
    ("\\", {r"back\slash"}),
    ("k\\s", {r"back\slash"}),
    ("\\\\", set()),
    ("/", {"a/b"}),
    ("'", {"'quoted'"}),
    ("KELP", {"100% kelp", "100 kelp"}),
    ("äPFEL", {"Äpfel"}),
    ("ΟΔΟΣ", {"ΟΔΟΣ"}),
    (" kelp ", {"100% kelp", "100 kelp"}),
    ("k", {"100% kelp", "100 kelp", r"back\slash", "backslash"}),
    ("nothing like it", set()),
]


def test_q_is_part_of_the_name_whatever_it_is_made_of(alice, plant, subtests):
    plant(alice, NAMES)
    for q, expected in SEARCHES:
        with subtests.test(q=q):
            assert set(names(alice, q=q)) == expected
            assert set(names(alice, q=q, sort="name")) == expected


def test_q_finds_every_name_by_itself(alice, plant):
    plant(alice, NAMES)
    for name in NAMES:
        assert name in names(alice, q=name)
        assert names(alice, q=name)[0] == name


def test_relevance_is_the_order_of_a_search_unless_another_is_asked_for(alice, plant):
    plant(alice, ["kelp", "kelp and much else besides", "kelp forest"])
    by_likeness = ["kelp", "kelp forest", "kelp and much else besides"]
    assert names(alice, q="kelp") == by_likeness
    assert names(alice, q="KELP", sort="relevance") == by_likeness
    assert names(alice, q="kelp", sort="created_at") == ["kelp", "kelp and much else besides", "kelp forest"]
    newest_first = ["kelp forest", "kelp and much else besides", "kelp"]
    assert names(alice, sort="relevance") == names(alice) == newest_first


def test_total_counts_what_the_filters_leave_on_every_page(alice, bob, plant):
    plant(alice, [f"kelp {number}" for number in range(7)] + ["reef"])
    plant(bob, ["kelp of somebody else"])
    page = alice.get("/projects?q=kelp&limit=3&include_total=true").json
    assert (page["total"], page["total_capped"], len(page["items"])) == (7, False, 3)
    following = alice.get(f"/projects?q=kelp&limit=3&include_total=true&cursor={page['next_cursor']}").json
    assert (following["total"], following["total_capped"]) == (7, False)
    for query in ("", "?include_total=false"):
        page = alice.get(f"/projects{query}").json
        assert (page["total"], page["total_capped"]) == (None, None)


def test_total_counts_to_10000_and_says_so(alice, sql, parts):
    """At the edge, and one beyond."""
    rows = (
        "INSERT INTO projects (id, owner_id, name, status, version, created_at, updated_at)"
        " SELECT gen_random_uuid(), %(owner)s, 'n', 'active', 1, %(now)s, %(now)s FROM generate_series(1, %(many)s);"
        "INSERT INTO project_members (project_id, user_id, role, joined_at)"
        " SELECT id, %(owner)s, 'owner', %(now)s FROM projects ON CONFLICT DO NOTHING"
    )
    for many, expected in ((10_000, False), (1, True)):
        sql(rows, {"owner": str(alice.user.id), "now": START, "many": many})
        parts.engines.cache.clear()
        page = alice.get("/projects?limit=1&include_total=true").json
        assert (page["total"], page["total_capped"]) == (10_000, expected)


def test_expand(alice, bob, joins):
    mine, shared = alice.creates("Mine"), bob.creates("Shared")
    joins(alice, shared, "viewer")
    items = {item["id"]: item for item in alice.get("/projects?expand=owner,counts").json["items"]}
    assert items[str(mine.id)]["owner"] == {"id": str(alice.user.id), "display_name": "Alice"}
    assert items[str(shared.id)]["owner"] == {"id": str(bob.user.id), "display_name": "Bob"}
    assert items[str(mine.id)]["counts"] == {"members": 1, "files": 0, "storage_bytes": 0}
    assert items[str(shared.id)]["counts"]["members"] == 2
    for item in alice.get("/projects").json["items"]:
        assert (item["owner"], item["counts"]) == (None, None)


REFUSED = [
    ("colour=red", {"colour": "unknown_field"}),
    ("page=2", {"page": "unknown_field"}),
    ("status=active&status=deleted", {"status": "invalid_format"}),
    ("limit=1&limit=2&q=a&q=b", {"limit": "invalid_format", "q": "invalid_format"}),
    ("status=gone", {"status": "invalid_choice"}),
    ("status=active,", {"status": "invalid_choice"}),
    ("status=", {"status": "invalid_choice"}),
    ("role=god", {"role": "invalid_choice"}),
    ("owner_id=alice", {"owner_id": "invalid_format"}),
    ("owner_id=0197a5b07c1e7a609c2f3f3b8a1c0a02", {"owner_id": "invalid_format"}),
    ("created_after=yesterday", {"created_after": "invalid_format"}),
    ("created_after=2026-05-01T12:00:00", {"created_after": "invalid_format"}),
    ("created_before=0001-01-01T00:00:00%2B14:00", {"created_before": "invalid_format"}),
    ("updated_after=9999999-01-01T00:00:00Z", {"updated_after": "invalid_format"}),
    ("limit=0", {"limit": "too_small"}),
    ("limit=101", {"limit": "too_large"}),
    ("limit=-1", {"limit": "too_small"}),
    ("limit=100000000000000000000", {"limit": "wrong_type"}),
    ("limit=1.5", {"limit": "wrong_type"}),
    ("limit=%D9%A3", {"limit": "wrong_type"}),
    ("limit=", {"limit": "wrong_type"}),
    ("include_total=1", {"include_total": "wrong_type"}),
    ("include_total=True", {"include_total": "wrong_type"}),
    ("sort=id", {"sort": "invalid_choice"}),
    ("sort=name,id", {"sort": "invalid_choice"}),
    ("sort=-relevance", {"sort": "invalid_choice"}),
    ("sort=name;drop table projects", {"sort": "invalid_choice"}),
    ("expand=members", {"expand": "invalid_choice"}),
    ("q=", {"q": "too_short"}),
    ("q=%20%20", {"q": "too_short"}),
    ("q=" + "x" * 101, {"q": "too_long"}),
    ("q=%00", {"q": "invalid_format"}),
    ("cursor=", {"cursor": "too_short"}),
]


def test_sec_55_what_is_not_known_or_not_valid_is_named(alice, subtests):
    """SEC-55: sorts and filters come from closed lists, so no part of a query string is ever part of a statement."""
    for query, expected in REFUSED:
        with subtests.test(query=query):
            assert faults(alice, query) == expected


@pytest.mark.parametrize("limit", [1, 20, 100])
def test_limit(alice, plant, limit):
    plant(alice, [f"number {number}" for number in range(101)])
    page = alice.get("/projects", query_string={} if limit == 20 else {"limit": limit}).json
    assert (len(page["items"]), page["has_more"]) == (limit, True)
