"""REL-07, D12: what one wrote is read at once, what one lost is lost at once, and a replica's troubles are nobody's."""

import pytest
from sqlalchemy import text

from app.core.replicas.marks import Asker, asker
from tests.fixtures.client import ApiClient
from tests.fixtures.gunicorn_process import until
from tests.fixtures.people import make_person, sign_in

BY_REPLICA = [("replica", "in_step")]
BOB_READS = ("/projects", "/projects/{}/members", "/projects/{}/activity", "/projects/{}/files")


def names(answer):
    assert answer.status_code == 200
    return [project["name"] for project in answer.json["items"]]


def at(app, person):
    """The same session, in another process."""
    return ApiClient(app, person.token)


@pytest.fixture
def reef(alice, bob, joins, pair, look):
    """A project of Alice's with Bob as an editor, known to the replica, and read by nobody since."""
    project = alice.creates("Reef")
    joins(bob, project, "editor")
    bob.get("/me")
    pair.resume()
    look()
    return project


@pytest.mark.parametrize("process", ["app", "elsewhere"])
def test_rel_07_one_reads_what_one_wrote_before_the_replica_has_it(
    alice, pair, look, answered, request, process
):
    """Whichever process answers: the mark is in Redis."""
    client = at(request.getfixturevalue(process), alice)
    pair.pause()
    assert alice.post("/projects", json={"name": "Kelp"}).status_code == 201
    assert answered(lambda: client.get("/projects")) == [("primary", "behind")]
    assert names(client.get("/projects")) == ["Kelp"]
    pair.resume()
    look()
    assert answered(lambda: client.get("/projects")) == BY_REPLICA
    assert names(client.get("/projects")) == ["Kelp"]


def test_a_replica_that_lags_answers_those_who_wrote_nothing(alice, bob, reef, pair, answered):
    """And it is the replica: it does not know the new name. Whoever gave that name sees it."""
    pair.pause()
    assert alice.patch(f"/projects/{reef.id}", json={"name": "Atoll"}).status_code == 200
    assert answered(lambda: bob.get("/projects")) == BY_REPLICA
    assert names(bob.get("/projects")) == ["Reef"]
    assert names(alice.get("/projects")) == ["Atoll"]


@pytest.mark.parametrize("read", BOB_READS[1:])
def test_lists_of_a_project_show_what_anybody_wrote_in_it(alice, bob, reef, pair, look, answered, read):
    """So that a phone that was told of a change finds it."""
    path = read.format(reef.id)
    assert answered(lambda: bob.get(path)) == BY_REPLICA
    pair.pause()
    assert alice.uploads(reef).status_code == 201
    assert answered(lambda: bob.get(path)) == [("primary", "behind")]
    assert "file.uploaded" in [
        each["kind"] for each in bob.get(f"/projects/{reef.id}/activity").json["items"]
    ]
    pair.resume()
    look()
    assert answered(lambda: bob.get(path)) == BY_REPLICA


@pytest.mark.parametrize("marks", ["kept", "lost"])
def test_sec_42_who_was_removed_reads_nothing_that_the_replica_still_has(
    alice, bob, reef, pair, answered, redis_client, marks
):
    """The removal is somebody else's write; and it holds without any mark, because the primary decides."""
    assert all(bob.get(read.format(reef.id)).status_code == 200 for read in BOB_READS)
    pair.pause()
    assert alice.delete(f"/projects/{reef.id}/members/{bob.user.id}").status_code == 204
    if marks == "lost":
        redis_client.flushdb()
    assert pair.on_replica(
        "SELECT count(*) FROM project_members WHERE user_id = %s", (str(bob.user.id),)
    ) == [(1,)]
    why = {"kept": "behind", "lost": "not_confirmed"}[marks]
    assert answered(lambda: bob.get("/projects")) == [("primary", why)]
    assert names(bob.get("/projects")) == []
    for read in ("/projects/{}", *BOB_READS[1:]):
        assert bob.get(read.format(reef.id)).status_code == 404


def test_sec_42_a_role_is_that_of_now(alice, bob, reef, pair, redis_client):
    pair.pause()
    path = f"/projects/{reef.id}/members/{bob.user.id}"
    assert alice.patch(path, json={"role": "viewer"}).status_code == 200
    redis_client.flushdb()
    [project] = bob.get("/projects").json["items"]
    assert project["my_role"] == "viewer"


def test_sec_42_trash_is_its_owners_alone(alice, bob, reef, pair, redis_client):
    pair.pause()
    assert alice.delete(f"/projects/{reef.id}").status_code == 204
    redis_client.flushdb()
    assert names(bob.get("/projects")) == []


def test_sec_20_an_ended_session_is_over_although_the_replica_has_it(app, alice, reef, pair, redis_client):
    phone = sign_in(app, alice.user)
    assert phone.get("/projects").status_code == 200
    pair.pause()
    assert alice.delete(f"/auth/sessions/{phone.session_id}").status_code == 204
    redis_client.flushdb()
    assert phone.get("/projects").status_code == 401


def test_only_safe_requests_of_somebody_known_leave_the_primary(app, alice, reef, parts, answered):
    def read():
        with parts.uow.reading():
            return parts.uow.lately(lambda: parts.uow.session.execute(STANDBY).scalar_one())

    assert read() is False, "a job, a command"
    for only_reads in (True, False):
        token = asker.set(Asker(alice.user.id, only_reads))
        assert read() is only_reads
        with parts.uow:
            assert parts.uow.lately(lambda: parts.uow.session.execute(STANDBY).scalar_one()) is False
        asker.reset(token)
    assert answered(lambda: alice.open("HEAD", "/projects")) == BY_REPLICA
    assert asker.get() is None, "the next request is somebody else's"


STANDBY = text("SELECT pg_is_in_recovery()")
TROUBLES = {
    "it dies in the middle": "SELECT CASE WHEN pg_is_in_recovery() THEN pg_terminate_backend(pg_backend_pid()) END",
    "it has not got the new column": "SELECT CASE WHEN pg_is_in_recovery() THEN pg_current_wal_lsn() END",
}


@pytest.mark.parametrize("trouble", TROUBLES)
def test_what_fails_on_a_replica_is_read_once_more_on_the_primary(
    alice, reef, parts, replica, answered, trouble
):
    asked = []

    def load():
        asked.append(parts.uow.session.execute(STANDBY).scalar_one())
        parts.uow.session.execute(text(TROUBLES[trouble]))
        return "read"

    def read():
        with parts.uow.reading():
            assert parts.uow.lately(load) == "read"

    token = asker.set(Asker(alice.user.id, only_reads=True))
    assert answered(read) == [("primary", "failed")]
    asker.reset(token)
    assert asked == [True, False]
    assert bool(replica.state.fault) == (trouble == "it dies in the middle"), "nobody else is sent into it"


def test_d12_four_who_write_and_read_at_once_miss_nothing_on_a_replica_that_is_always_late(
    app, elsewhere, pair, look, at_once, answered
):
    """Each sees all of their own, in the other process; and the replica answers some of it, as soon as it may."""
    people = [make_person(app, name) for name in ("Alice", "Bob", "Charlie", "Dora")]
    late_by = "ALTER SYSTEM SET recovery_min_apply_delay = {}"
    pair.on_replica(late_by.format("'30ms'"))
    pair.on_replica("SELECT pg_reload_conf()")
    missed = []

    def work(number):
        person, other = people[number], at(elsewhere, people[number])
        for round_ in range(6):
            assert person.post("/projects", json={"name": f"Reef {round_}"}).status_code == 201
            for _ in range(4):
                look()
                missed.append(len(names(other.get("/projects"))) != round_ + 1)

    try:
        reads = answered(lambda: at_once(4, work))
    finally:
        pair.on_replica(late_by.format("DEFAULT"))
        pair.on_replica("SELECT pg_reload_conf()")
    assert missed == [False] * 96
    assert {who for who, _why in reads} == {"primary", "replica"}


def test_d12_a_replica_that_is_killed_costs_no_error(alice, reef, pair, look, answered):
    assert answered(lambda: alice.get("/projects")) == BY_REPLICA
    pair.kill()
    try:
        reads = answered(lambda: [names(alice.get("/projects")) for _ in range(3)])
    finally:
        pair.replica.start()
    assert sorted(reads) == [("primary", "failed"), *[("primary", "no_replica")] * 2]
    pair.resume()
    until(lambda: not any(state.fault for state in look()), "it does not come back")
    assert answered(lambda: alice.get("/projects")) == BY_REPLICA
