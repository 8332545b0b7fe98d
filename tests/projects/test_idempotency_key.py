"""Idempotency-Key on createProject and updateProject (SEC-50)."""

import pytest

KEY = {"Idempotency-Key": "the-first-try"}
BODY = {"name": "Reef survey", "description": "What grows where."}
VOLATILE = {"RateLimit", "X-Request-ID", "Idempotency-Replayed"}


@pytest.fixture
def count(sql):
    return lambda table="projects": sql(f"SELECT count(*) FROM {table}")[0][0]


def steady(response):
    """The headers that a replay must repeat."""
    return {name: value for name, value in response.headers if name not in VOLATILE}


def test_a_replay_is_the_same_answer_byte_by_byte_and_has_no_second_effect(alice, count):
    first = alice.post("/projects", json=BODY, headers=KEY)
    written = count("events")
    second = alice.post("/projects", json=BODY, headers=KEY)
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.get_data() == second.get_data()
    assert steady(first) == steady(second)
    assert first.headers["Location"] == f"/api/v1/projects/{first.json['id']}"
    assert first.headers["ETag"]
    assert "Idempotency-Replayed" not in first.headers
    assert second.headers["Idempotency-Replayed"] == "true"
    assert (count(), count("events")) == (1, written)


def test_a_replay_tells_what_was_then_not_what_is_now(alice):
    first = alice.post("/projects", json=BODY, headers=KEY)
    alice.patch(f"/projects/{first.json['id']}", json={"name": "Kelp"})
    assert alice.post("/projects", json=BODY, headers=KEY).get_data() == first.get_data()


@pytest.mark.parametrize(
    "other", [{"json": {**BODY, "name": "Kelp"}}, {"json": {"name": BODY["name"]}},
              {"data": b'{"description": "What grows where.", "name": "Reef survey"}',
               "content_type": "application/json"}],
)  # fmt: skip
def test_another_body_is_refused(alice, count, other):
    alice.post("/projects", json=BODY, headers=KEY)
    response = alice.post("/projects", headers=KEY, **other)
    assert (response.status_code, response.json["code"]) == (422, "idempotency_key_reused")
    assert count() == 1


def test_a_key_belongs_to_one_account(alice, bob, count):
    mine = alice.post("/projects", json=BODY, headers=KEY)
    theirs = bob.post("/projects", json=BODY, headers=KEY)
    assert (mine.status_code, theirs.status_code) == (201, 201)
    assert mine.json["id"] != theirs.json["id"]
    assert "Idempotency-Replayed" not in theirs.headers
    assert count() == 2


def test_a_key_belongs_to_one_account_not_to_one_session(alice, count):
    alice.post("/projects", json=BODY, headers=KEY)
    replay = alice.signs_in_again().post("/projects", json=BODY, headers=KEY)
    assert replay.headers["Idempotency-Replayed"] == "true"
    assert count() == 1


def test_a_key_belongs_to_one_operation(alice):
    project = alice.post("/projects", json={"name": "Kelp"}, headers=KEY).json
    response = alice.patch(f"/projects/{project['id']}", json={"name": "Reef"}, headers=KEY)
    assert (response.status_code, response.json["name"]) == (200, "Reef")


def test_a_key_stands_for_one_request_on_one_project(alice):
    one, two = alice.creates("One"), alice.creates("Two")
    assert alice.patch(f"/projects/{one.id}", json={"name": "Reef"}, headers=KEY).status_code == 200
    response = alice.patch(f"/projects/{two.id}", json={"name": "Reef"}, headers=KEY)
    assert (response.status_code, response.json["code"]) == (422, "idempotency_key_reused")
    assert alice.get(f"/projects/{two.id}").json["name"] == "Two"


def test_a_patch_is_replayed_before_if_match_is_looked_at(alice):
    """The retry of a phone that lost the answer carries the old tag: it must not be told 412."""
    project = alice.creates()
    headers = {**KEY, "If-Match": '"1"'}
    first = alice.patch(f"/projects/{project.id}", json={"name": "Kelp"}, headers=headers)
    second = alice.patch(f"/projects/{project.id}", json={"name": "Kelp"}, headers=headers)
    assert (first.status_code, second.status_code) == (200, 200)
    assert second.headers["Idempotency-Replayed"] == "true"
    assert second.get_data() == first.get_data()
    assert second.headers["ETag"] == first.headers["ETag"]
    assert alice.get(f"/projects/{project.id}").json["version"] == 2


def test_a_patch_refused_by_if_match_frees_its_key(alice, count):
    project = alice.creates()
    stale, fresh = {**KEY, "If-Match": '"7"'}, {**KEY, "If-Match": '"1"'}
    refused = alice.patch(f"/projects/{project.id}", json={"name": "Kelp"}, headers=stale)
    assert (refused.status_code, refused.json["current"]["version"]) == (412, 1)
    assert count("idempotency_records") == 0
    assert alice.patch(f"/projects/{project.id}", json={"name": "Kelp"}, headers=fresh).status_code == 200


@pytest.mark.parametrize("bad", [{"name": ""}, {}, {"name": "x", "colour": "red"}])
def test_a_refused_request_frees_its_key(alice, count, bad):
    assert alice.post("/projects", json=bad, headers=KEY).status_code == 422
    assert count("idempotency_records") == 0
    created = alice.post("/projects", json=BODY, headers=KEY)
    assert created.status_code == 201
    assert "Idempotency-Replayed" not in created.headers


@pytest.mark.parametrize(
    ("state", "role", "status"),
    [("active", "viewer", 403), ("active", None, 404), ("archived", "admin", 409)],
)
def test_a_forbidden_missing_or_conflicting_write_frees_its_key(
    alice, bob, joins, in_state, count, state, role, status
):
    project = in_state(alice, state)
    if role:
        joins(bob, project, role)
    for _ in range(2):
        response = bob.patch(f"/projects/{project.id}", json={"name": "Kelp"}, headers=KEY)
        assert response.status_code == status
    assert count("idempotency_records") == 0


def test_a_bug_after_the_write_leaves_neither_row_nor_key(alice, count, sql):
    """The record and the effect are one transaction."""
    sql("ALTER TABLE idempotency_records ADD CONSTRAINT no_more CHECK (status = 0) NOT VALID")
    try:
        response = alice.post("/projects", json=BODY, headers=KEY)
    finally:
        sql("ALTER TABLE idempotency_records DROP CONSTRAINT no_more")
    assert response.status_code == 500
    assert (count(), count("idempotency_records")) == (0, 0)
    assert alice.post("/projects", json=BODY, headers=KEY).status_code == 201


def test_the_record_and_the_effect_are_of_one_transaction(alice, sql):
    alice.post("/projects", json=BODY, headers=KEY)
    [(record, project)] = sql("SELECT r.xmin::text, p.xmin::text FROM idempotency_records r, projects p")
    assert record == project


def test_a_key_is_kept_for_24_hours(alice, advance, count):
    first = alice.post("/projects", json=BODY, headers=KEY)
    advance(hours=23, minutes=59)
    replay = alice.signs_in_again().post("/projects", json=BODY, headers=KEY)
    assert replay.get_data() == first.get_data()
    advance(minutes=2)
    again = alice.signs_in_again().post("/projects", json={"name": "Kelp"}, headers=KEY)
    assert (again.status_code, again.json["name"]) == (201, "Kelp")
    assert count() == 2
    replay = alice.signs_in_again().post("/projects", json={"name": "Kelp"}, headers=KEY)
    assert replay.get_data() == again.get_data()


@pytest.mark.parametrize("key", ["k", "~" * 255, "two words", '"quoted"', "!#$%&'()*+,-./:;<=>?@[\\]^_`{|}"])
def test_every_printable_key_of_1_to_255_characters_will_do(alice, key):
    for replayed in (None, "true"):
        response = alice.post("/projects", json=BODY, headers={"Idempotency-Key": key})
        assert response.status_code == 201
        assert response.headers.get("Idempotency-Replayed") == replayed


@pytest.mark.parametrize("key", ["", "k" * 256, "caf\xe9", "tab\there", "\x7f", "a\xa0b"])
def test_other_keys_are_refused_by_name(alice, key, count):
    response = alice.post("/projects", json=BODY, headers={"Idempotency-Key": key})
    assert (response.status_code, response.json["code"]) == (422, "validation_failed")
    [fault] = response.json["errors"]
    assert (fault["location"], fault["field"], fault["code"]) == (
        "header",
        "Idempotency-Key",
        "invalid_format",
    )
    assert count() == 0


def test_a_key_is_looked_at_after_authentication(anonymous, alice, count):
    alice.post("/projects", json=BODY, headers=KEY)
    response = anonymous.post("/projects", json=BODY, headers=KEY)
    assert (response.status_code, response.json["code"]) == (401, "not_authenticated")
    assert count() == 1


def test_50_at_once_with_one_key_make_one_project(alice, at_once, count):
    """SEC-50: one row; the others get the same bytes or are told to ask again."""
    people = [alice.signs_in_again() for _ in range(50)]
    answers = at_once(50, lambda number: people[number].post("/projects", json=BODY, headers=KEY))
    created = [answer for answer in answers if answer.status_code == 201]
    busy = [answer for answer in answers if answer.status_code == 409]
    assert len(created) + len(busy) == 50
    assert len({answer.get_data() for answer in created}) == 1
    assert sum("Idempotency-Replayed" not in answer.headers for answer in created) == 1
    assert {answer.json["code"] for answer in busy} <= {"request_in_progress"}
    assert {answer.headers["Retry-After"] for answer in busy} <= {"1"}
    assert (count(), count("idempotency_records")) == (1, 1)


def test_while_the_first_still_runs_the_second_is_told_at_once(alice, parts, count):
    """The first holds its lock; nobody waits for it."""
    from app.core.idempotency import IdempotencyRecords

    with parts.uow:
        assert parts.services[IdempotencyRecords].try_lock(
            alice.user.id, "createProject", KEY["Idempotency-Key"]
        )
        response = in_a_thread(lambda: alice.post("/projects", json=BODY, headers=KEY))
    assert (response.status_code, response.json["code"]) == (409, "request_in_progress")
    assert response.headers["Retry-After"] == "1"
    assert count() == 0
    assert alice.post("/projects", json=BODY, headers=KEY).status_code == 201


def in_a_thread(work):
    """A request has a unit of work of its own, and that belongs to a thread."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(work).result()


@pytest.mark.parametrize(("method", "path"), [("POST", "/archive"), ("DELETE", "")])
def test_operations_that_repeat_by_themselves_keep_no_key(alice, count, method, path):
    project = alice.creates()
    alice.open(method, f"/projects/{project.id}{path}", headers=KEY)
    assert count("idempotency_records") == 0
