"""listFiles: narrowed, sorted, paged to its end, and nobody else's."""

import pytest

from app.files.filters import SORTS
from tests.fixtures.accounts import code_of

ORDERS = {
    "created_at": "created_at, id", "-created_at": "created_at DESC, id DESC", "updated_at": "updated_at, id",
    "-updated_at": "updated_at DESC, id DESC", "name": "lower(name), id", "-name": "lower(name) DESC, id DESC",
    "size": "size, id", "-size": "size DESC, id DESC",
}  # fmt: skip
NAMES = [
    "Kelp.txt",
    "kelp.md",
    "urchins in kelp.txt",
    "Otter.txt",
    "otter 10%.csv",
    "otter_10.csv",
    "\xc4sche.txt",
]


@pytest.fixture
def filled(alice, reef, advance):
    """The reef with a file of each name, a minute apart and each larger than the one before; two pairs of one moment."""
    for number, name in enumerate(NAMES):
        if number not in {2, 5}:
            advance(minutes=1)
        assert alice.uploads(reef, name, b"k" * (1 + number // 2)).status_code == 201
    return reef


@pytest.fixture
def lists(alice, filled):
    """``lists(sort="name")``: the answer's body."""

    def ask(**query):
        answer = alice.get(f"/projects/{filled.id}/files", query_string=query)
        assert answer.status_code == 200, answer.json
        return answer.json

    return ask


def names(page):
    return [file["name"] for file in page["items"]]


def test_every_sort_is_tried_here():
    assert set(ORDERS) == set(SORTS)


def test_the_newest_come_first(lists):
    assert lists() == lists(sort="-created_at")


@pytest.mark.parametrize("limit", [1, 3, 7])
def test_every_order_is_paged_to_its_end(alice, filled, lists, sql, subtests, limit):
    for sort, order in ORDERS.items():
        with subtests.test(sort=sort):
            found, cursor = [], None
            while cursor or not found:
                page = lists(sort=sort, limit=limit, **({"cursor": cursor} if cursor else {}))
                found += [file["id"] for file in page["items"]]
                cursor = page["next_cursor"]
                assert page["has_more"] is (cursor is not None)
            assert found == [row[0] for row in sql(f"SELECT id::text FROM files ORDER BY {order}")]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("kelp", {"Kelp.txt", "kelp.md", "urchins in kelp.txt"}),
        ("txt KELP", {"Kelp.txt", "urchins in kelp.txt"}),
        ("10%", {"otter 10%.csv"}),
        ("_", {"otter_10.csv"}),
        ("\xe4s", {"\xc4sche.txt"}),
        ("seal", set()),
    ],
)
def test_words_of_the_name_find_it(lists, words, found):
    assert set(names(lists(q=words))) == found


def test_files_are_found_by_their_state(alice, filled, lists, sql):
    sql("UPDATE files SET state = 'failed', failure_code = 'picture_damaged' WHERE name = 'Otter.txt'")
    assert names(lists(state="failed")) == ["Otter.txt"]
    assert len(names(lists(state="ready"))) == len(NAMES) - 1
    assert names(lists(state="quarantined")) == []


def test_the_trash_is_a_list_of_its_own(alice, filled, lists):
    [first, *rest] = lists(sort="name")["items"]
    assert alice.delete(f"/projects/{filled.id}/files/{first['id']}").status_code == 204
    assert names(lists(trashed="true")) == [first["name"]]
    assert names(lists(sort="name")) == [file["name"] for file in rest]
    assert lists(trashed="true")["items"][0]["deleted_at"]


def test_the_total_is_told_when_asked_for(lists):
    assert "total" not in lists(limit=2) or lists(limit=2)["total"] is None
    assert lists(limit=2, include_total="true")["total"] == len(NAMES)
    assert lists(limit=2, include_total="true", q="kelp")["total"] == 3


@pytest.mark.parametrize(
    "query",
    ["colour=red", "sort=colour", "state=lost", "trashed=perhaps", "limit=0", "limit=101", "q=", f"q={'k' * 101}",
     "q=a&q=b"],
)  # fmt: skip
def test_other_parameters_are_refused_by_name(alice, reef, query):
    answer = alice.get(f"/projects/{reef.id}/files?{query}")
    assert code_of(answer) == (422, "validation_failed")
    assert answer.json["errors"][0]["field"] == query.partition("=")[0]


def test_who_may_see_the_list(people, reef, alice):
    file = alice.uploads(reef).json
    for who, person in people.items():
        answer = person.get(f"/projects/{reef.id}/files")
        if who in {"anonymous", "stranger"}:
            assert answer.status_code == (401 if who == "anonymous" else 404)
        else:
            assert [each["id"] for each in answer.json["items"]] == [file["id"]]


@pytest.mark.parametrize(
    "query", [{}, {"q": "kelp"}, {"trashed": "true"}, {"state": "ready"}, {"sort": "size"}]
)
def test_a_cursor_belongs_to_its_query(alice, filled, lists, query):
    cursor = lists(sort="name", limit=1)["next_cursor"]
    answer = alice.get(f"/projects/{filled.id}/files", query_string={**query, "cursor": cursor})
    assert code_of(answer) == (422, "invalid_cursor")


def test_a_cursor_belongs_to_its_project_and_person(alice, bob, filled, lists, joins):
    cursor = lists(limit=1)["next_cursor"]
    joins(bob, filled, "viewer")
    other = alice.creates("Another reef")
    for person, project in ((alice, other), (bob, filled)):
        answer = person.get(f"/projects/{project.id}/files", query_string={"cursor": cursor})
        assert code_of(answer) == (422, "invalid_cursor")


def test_the_list_shows_what_reading_one_shows(alice, filled, lists):
    for file in lists()["items"]:
        assert alice.get(f"/projects/{filled.id}/files/{file['id']}").json == file


def test_a_project_in_the_trash_shows_its_files_to_its_owner(alice, bob, filled, joins, projects):
    joins(bob, filled, "editor")
    projects.trash(alice.actor, filled.id)
    assert len(alice.get(f"/projects/{filled.id}/files").json["items"]) == len(NAMES)
    assert code_of(bob.get(f"/projects/{filled.id}/files")) == (404, "not_found")


@pytest.mark.parametrize("many", [0, 1, 7])
def test_a_list_costs_the_same_however_long(alice, reef, statements, many):
    for name in NAMES[:many]:
        alice.uploads(reef, name)
    alice.get(f"/projects/{reef.id}/files")
    with statements() as sent:
        assert len(alice.get(f"/projects/{reef.id}/files").json["items"]) == many
    assert [each for each in sent if each not in {"SELECT sessions", "SELECT projects"}] == ["SELECT files"]
    assert len(sent) <= 3
