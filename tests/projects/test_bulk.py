"""bulkProjects: up to a hundred, each on its own, told in the order they were asked for."""

import pytest

from tests.fixtures.accounts import code_of
from tests.fixtures.projects import NO_SUCH_ID


def does(person, action, ids, **options):
    return person.post("/projects/bulk", json={"action": action, "ids": [str(one) for one in ids]}, **options)


def statuses(answer):
    assert answer.status_code == 200
    return [(each["id"], each["status"]) for each in answer.json["results"]]


def test_an_anonymous_caller_is_refused(anonymous, alice, row_of):
    project = alice.creates()
    assert does(anonymous, "archive", [project.id]).status_code == 401
    assert row_of(project.id)["status"] == "active"


@pytest.mark.parametrize(
    ("before", "action", "after"),
    [
        ("active", "archive", "archived"),
        ("archived", "unarchive", "active"),
        ("active", "delete", "deleted"),
        ("deleted", "restore", "active"),
    ],
)
def test_each_action_does_what_its_own_operation_does(alice, in_state, row_of, before, action, after):
    ids = [in_state(alice, before).id for _ in range(3)]
    answer = does(alice, action, reversed(ids))
    assert statuses(answer) == [(str(one), 200) for one in reversed(ids)]
    assert {each["project"]["status"] for each in answer.json["results"]} == {after}
    assert {row_of(one)["status"] for one in ids} == {after}


def test_what_one_refuses_keeps_no_other(alice, bob, in_state, joins, row_of, events_of):
    """Mine, one where I may not, one that lies in the trash, one of a stranger, and none at all: each its own answer."""
    mine, last = bob.creates(), bob.creates()
    shared, hidden = alice.creates(), alice.creates()
    joins(bob, shared, "viewer")
    trashed = in_state(bob, "deleted")
    ids = [mine.id, shared.id, trashed.id, hidden.id, NO_SUCH_ID, last.id]
    answer = does(bob, "archive", ids)
    assert statuses(answer) == list(zip(map(str, ids), (200, 403, 409, 404, 404, 200), strict=True))
    codes = [(each["problem"] or {}).get("code") for each in answer.json["results"]]
    assert codes == [None, "forbidden", "project_deleted", "not_found", "not_found", None]
    assert [row_of(one)["status"] for one in ids[:4]] == ["archived", "active", "deleted", "active"]
    assert [kind for kind, *_ in events_of(shared.id)] == ["project.created"]
    assert [kind for kind, *_ in events_of(last.id)] == ["project.created", "project.archived"]


def test_sec_39_a_strangers_project_is_told_as_one_that_is_missing(alice, charlie):
    answer = does(charlie, "archive", [alice.creates().id, NO_SUCH_ID])
    told, missing = (each["problem"] for each in answer.json["results"])
    assert told == missing


def test_it_may_be_repeated_safely(alice, events_of):
    """Without an Idempotency-Key: what is archived already answers as the first time, and nothing is told twice."""
    ids = [alice.creates().id for _ in range(2)]
    first, again = does(alice, "archive", ids), does(alice, "archive", ids)
    assert first.json == again.json
    assert [kind for kind, *_ in events_of(ids[0])] == ["project.created", "project.archived"]


@pytest.mark.parametrize(
    ("body", "faults"),
    [
        ({}, {"action": "required", "ids": "required"}),
        ({"action": "purge", "ids": [NO_SUCH_ID]}, {"action": "invalid_choice"}),
        ({"action": "archive", "ids": []}, {"ids": "too_short"}),
        ({"action": "archive", "ids": [NO_SUCH_ID] * 101}, {"ids": "too_long"}),
        ({"action": "archive", "ids": [NO_SUCH_ID] * 2}, {"ids": "invalid_format"}),
        ({"action": "archive", "ids": "all"}, {"ids": "wrong_type"}),
        ({"action": "archive", "ids": [NO_SUCH_ID, "all"]}, {"ids.1": "invalid_format"}),
    ],
)
def test_what_it_does_not_take(alice, body, faults):
    answer = alice.post("/projects/bulk", json=body)
    assert code_of(answer) == (422, "validation_failed")
    assert {fault["field"]: fault["code"] for fault in answer.json["errors"]} == faults


@pytest.mark.parametrize(
    "spelled",
    [
        lambda one: "-" + one.replace("-", "") + "---",
        lambda one: "urn:" + one.replace("-", ""),
        lambda one: "+" + one[1:],
        lambda one: " " + one[:-1],
        lambda one: "0x" + one[2:],
        lambda one: one[0] + "_" + one[2:],
        lambda one: "\uff10" + one[1:],
    ],
    ids=["hyphens", "urn", "sign", "space", "prefix", "underscore", "full width"],
)
def test_sec_44_an_id_in_an_odd_spelling_is_not_taken_for_another(alice, row_of, spelled):
    project = alice.creates()
    answer = does(alice, "archive", [spelled(str(project.id))])
    assert code_of(answer) == (422, "validation_failed")
    assert [(fault["field"], fault["code"]) for fault in answer.json["errors"]] == [
        ("ids.0", "invalid_format")
    ]
    assert row_of(project.id)["status"] == "active"


def test_a_hundred_at_a_time(alice, plant):
    ids = plant(alice, [f"Number {number}" for number in range(100)])
    assert [status for _, status in statuses(does(alice, "archive", ids))] == [200] * 100


def test_two_in_opposite_orders_at_once_never_wait_for_each_other(alice, plant, at_once):
    ids = plant(alice, [f"Number {number}" for number in range(12)])
    orders = (ids, ids[::-1])
    answers = at_once(
        8, lambda number: does(alice, ("archive", "unarchive")[number // 4], orders[number % 2])
    )
    assert {status for answer in answers for _, status in statuses(answer)} == {200}
