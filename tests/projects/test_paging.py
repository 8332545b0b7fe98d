"""Pages of listProjects: every order to its end, and cursors that stay with their query and person."""

from datetime import timedelta

import pytest

ORDERS = {
    "updated_at": "updated_at, id",
    "-updated_at": "updated_at DESC, id DESC",
    "created_at": "created_at, id",
    "-created_at": "created_at DESC, id DESC",
    "name": "lower(name), id",
    "-name": "lower(name) DESC, id DESC",
    None: "updated_at DESC, id DESC",
}
STEPS = {
    "a minute": timedelta(minutes=1),
    "a microsecond": timedelta(microseconds=1),
    "nothing": timedelta(0),
}
MIXED = [
    "reef",
    "Reef",
    "REEF",
    "kelp",
    "Ångström",
    "ångström",
    "z",
    "Z",
    "_",
    "10",
    "9",
    "😀",
    "ΟΔΟΣ",
    "a b",
]


def pages(person, limit, **query):
    """Every page of a list, by following the cursor."""
    found, cursor = [], None
    while True:
        asked = {"limit": limit, **query, **({"cursor": cursor} if cursor else {})}
        response = person.get("/projects", query_string=asked)
        assert response.status_code == 200, response.json
        page = response.json
        found.append([item["id"] for item in page["items"]])
        cursor = page["next_cursor"]
        assert page["has_more"] is (cursor is not None)
        if cursor is None:
            return found


def together(found):
    return [project_id for page in found for project_id in page]


@pytest.mark.parametrize("step", STEPS)
def test_every_order_is_paged_to_its_end(alice, plant, sql, step, subtests):
    """Ties in name and moment; each project once, in the order that PostgreSQL itself would give."""
    plant(alice, MIXED * 2, step=STEPS[step])
    for sort, order in ORDERS.items():
        expected = [row[0] for row in sql(f"SELECT id FROM projects ORDER BY {order}")]
        for limit in (9, 28, 100):
            with subtests.test(sort=sort, limit=limit):
                found = pages(alice, limit, **({"sort": sort} if sort else {}))
                assert together(found) == expected
                assert [len(page) for page in found[:-1]] == [limit] * (len(found) - 1)
                assert found[-1]


def test_relevance_is_paged_to_its_end(alice, plant, sql):
    plant(
        alice,
        ["kelp", "Kelp", "kelp forest", "my kelp", "kelp kelp", "no such thing", "KELP farm 1", "kelp farm 2"]
        * 2,
    )
    expected = [
        row[0]
        for row in sql(
            "SELECT id FROM projects WHERE lower(name) LIKE '%%kelp%%'"
            " ORDER BY similarity(lower(name), 'kelp') DESC, id DESC"
        )
    ]
    for limit in (1, 3, 14):
        assert together(pages(alice, limit, q="Kelp")) == expected


def test_a_page_that_is_just_full_is_the_last(alice, plant):
    plant(alice, ["one", "two", "three"])
    page = alice.get("/projects?limit=3").json
    assert (page["has_more"], page["next_cursor"]) == (False, None)


def test_the_longest_names_page_too(alice, plant):
    """A cursor holds the sort key: 255 characters of four bytes each are the most it must carry."""
    plant(alice, ["😀" * 254 + last for last in "abc"])
    for sort in ("name", "-name"):
        assert len(together(pages(alice, 1, sort=sort))) == 3


def test_projects_made_and_removed_between_pages_disturb_nobody(alice, plant, projects):
    ids = plant(alice, ["a", "b", "c", "d"])
    page = alice.get("/projects?sort=name&limit=2").json
    projects.trash(alice.actor, ids[1])
    alice.creates("aa")
    alice.creates("cc")
    following = alice.get(f"/projects?sort=name&limit=10&cursor={page['next_cursor']}").json
    assert [item["name"] for item in following["items"]] == ["c", "cc", "d"]


QUERY = {"sort": "name", "q": "kelp", "status": "active", "created_after": "2026-01-01T00:00:00Z"}
OTHERS = {
    "another sort": {**QUERY, "sort": "-name"},
    "another default": {name: value for name, value in QUERY.items() if name != "sort"},
    "other words": {**QUERY, "q": "kel"},
    "no words": {name: value for name, value in QUERY.items() if name != "q"},
    "another status": {**QUERY, "status": "active,archived"},
    "a role": {**QUERY, "role": "owner"},
    "an owner": {**QUERY, "owner_id": "0197a5b0-7c1e-7a60-9c2f-3f3b8a1c0a02"},
    "another moment": {**QUERY, "created_after": "2026-01-01T00:00:01Z"},
    "an end": {**QUERY, "created_before": "2027-01-01T00:00:00Z"},
    "a change": {**QUERY, "updated_after": "2026-01-01T00:00:00Z"},
}


@pytest.fixture
def cursor(alice, plant):
    plant(alice, [f"kelp {number}" for number in range(4)])
    return alice.get("/projects", query_string={**QUERY, "limit": 2}).json["next_cursor"]


def refused(response):
    assert (response.status_code, response.json["code"]) == (422, "invalid_cursor")
    [fault] = response.json["errors"]
    assert (fault["location"], fault["field"]) == ("query", "cursor")
    return True


def test_a_cursor_belongs_to_its_query(alice, cursor, subtests):
    for name, query in OTHERS.items():
        with subtests.test(name):
            assert refused(alice.get("/projects", query_string={**query, "cursor": cursor}))


@pytest.mark.parametrize("more", [{"limit": 1}, {"include_total": "true"}, {"expand": "owner"}])
def test_a_cursor_may_be_used_with_another_page_size_and_more_detail(alice, cursor, more):
    page = alice.get("/projects", query_string={**QUERY, **more, "cursor": cursor}).json
    assert page["items"][0]["name"] == "kelp 2"


def test_a_cursor_belongs_to_one_person(alice, bob, cursor):
    assert refused(bob.get("/projects", query_string={**QUERY, "cursor": cursor}))
    assert (
        alice.signs_in_again().get("/projects", query_string={**QUERY, "cursor": cursor}).status_code == 200
    )


JUNK = [
    "x",
    ".",
    "k1.",
    "k1.AAAA",
    "k1." + "A" * 100,
    "k1." + "A" * 1990,
    "k2.AAAA",
    "null",
    "0",
    "k1.\u00e9",
    "k1.A A",
    "..",
    "k1.=",
    "%",
    "k1.-_-_",
]


def test_a_forged_cursor_is_refused(alice, subtests):
    for junk in JUNK:
        with subtests.test(junk=junk):
            assert refused(alice.get("/projects", query_string={"cursor": junk}))


def test_a_cursor_that_is_too_long_is_no_cursor(alice):
    response = alice.get("/projects", query_string={"cursor": "x" * 2001})
    assert (response.status_code, response.json["code"]) == (422, "validation_failed")


def test_a_cursor_made_with_a_retired_key_goes_on_while_the_key_is_in_the_ring(
    alice, cursor, make_app, settings
):
    """SEC-59: rotate SECRET_KEYS and nobody loses their place; take the old key out and they do."""
    import base64

    fresh = "k2:" + base64.b64encode(bytes(32)).decode()
    old = settings.secret_keys.get_secret_value()
    for ring, status in ((f"{fresh},{old}", 200), (fresh, 422)):
        other = make_app(secret_keys=ring)
        response = alice.signs_in_again(other).get("/projects", query_string={**QUERY, "cursor": cursor})
        assert response.status_code == status
