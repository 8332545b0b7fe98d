"""A copy on its way: one at a time, tried again, given up, thrown away."""

from datetime import timedelta
from uuid import UUID

import pytest

from app.core.objects import Objects
from app.core.storage.interface import ObjectMissingError
from app.exports import building
from app.exports.sections import Sections
from app.exports.service import BUILD, PATIENCE, TRIES, UNCLAIMED, ExportService
from app.projects.service import ProjectService
from app.web.fields import wire_time
from tests.fixtures.accounts import code_of


@pytest.fixture
def service(parts):
    return parts.services[ExportService]


@pytest.fixture
def broken(parts, monkeypatch):
    """Reading projects fails, as with a row that cannot be written."""

    def fail(*_args):
        raise ValueError("a poisoned row")

    monkeypatch.setattr(parts.services[ProjectService], "belonging", fail)


def states(sql):
    return sql("SELECT state, reason, attempts FROM exports ORDER BY created_at")


def objects(parts):
    return [stored.key for stored in parts.engines.store.objects("exports/")]


def run(parts, export_id):
    parts.jobs.app.tasks[BUILD].func(export_id=export_id)


def test_it_is_queued_then_ready_and_told_by_mail(alice, asks, letters, parts):
    export = asks(alice)
    assert (export["state"], export["reason"], export["size"], export["ready_at"]) == (
        "queued",
        None,
        None,
        None,
    )
    assert alice.get(f"/me/exports/{export['id']}").json == export
    letters()
    mail = letters(alice.email)[0]
    ready = alice.get(f"/me/exports/{export['id']}").json
    assert ready["state"] == "ready"
    assert ready["size"] > 500
    latest = parts.clock.now() + timedelta(days=parts.settings.export_days)
    assert export["expires_at"] <= ready["expires_at"] <= wire_time(latest)
    assert (mail.kind, mail.link, mail.token) == ("export_ready", None, None)
    assert export["id"] not in mail.text


def test_the_worker_makes_it(alice, asks, run_jobs):
    export = asks(alice)
    run_jobs()
    assert alice.get(f"/me/exports/{export['id']}").json["state"] == "ready"


def test_sec_29_asking_needs_a_recent_proof(alice, advance, parts):
    advance(seconds=parts.settings.step_up_seconds + 1)
    assert alice.post("/me/exports").status_code in {401, 403}


def test_while_one_is_in_the_making_it_is_answered(alice, asks, do_jobs, sql):
    first = asks(alice)
    assert asks(alice) == first
    do_jobs()
    second = asks(alice)
    assert second["id"] != first["id"]
    assert sql("SELECT count(*) FROM audit_events WHERE kind = 'export.requested'") == [(2,)]


def test_of_many_who_ask_at_once_all_get_the_same(alice, app, at_once, sql):
    headers = {"Authorization": f"Bearer {alice.token}"}
    answers = at_once(8, lambda _number: app.test_client().post("/api/v1/me/exports", headers=headers))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json["id"] for answer in answers}) == 1
    assert sql("SELECT count(*) FROM exports") == [(1,)]
    assert sql("SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'exports.build'") == [(1,)]


def test_a_newer_copy_takes_the_place_of_the_older(alice, asks, do_jobs, parts, sql):
    old = asks(alice)
    do_jobs()
    new = asks(alice)
    assert alice.get(f"/me/exports/{old['id']}/content").status_code == 200, "until the newer one is ready"
    do_jobs()
    assert code_of(alice.get(f"/me/exports/{old['id']}")) == (404, "not_found")
    assert alice.get(f"/me/exports/{new['id']}").json["state"] == "ready"
    assert len(objects(parts)) == 2, "the older one waits for the sweep"
    assert parts.services[Objects].sweep() == 1
    assert objects(parts) == [row[0] for row in sql("SELECT object_key FROM exports")]


def test_of_many_runs_at_once_one_makes_it(alice, asks, parts, at_once, sql):
    export = asks(alice)
    assert at_once(4, lambda _number: run(parts, export["id"])) == [None] * 4
    assert states(sql) == [("ready", None, 1)]
    assert objects(parts) == [row[0] for row in sql("SELECT object_key FROM exports")]
    assert sql("SELECT count(*) FROM doomed_objects") == [(0,)]


def test_a_poisoned_row_ends_as_failed(alice, asks, parts, sql, broken, log_lines):
    export = asks(alice)
    for attempt in range(1, TRIES):
        with pytest.raises(ValueError, match="poisoned"):
            run(parts, export["id"])
        assert states(sql) == [("queued", None, attempt)]
    run(parts, export["id"])
    assert states(sql) == [("failed", "internal_error", TRIES)]
    shown = alice.get(f"/me/exports/{export['id']}").json
    assert (shown["state"], shown["reason"]) == ("failed", "internal_error")
    assert code_of(alice.get(f"/me/exports/{export['id']}/content")) == (409, "write_conflict")
    assert len(log_lines.of("export_failed")) == 1
    assert objects(parts) == []
    assert parts.services[Objects].sweep() == TRIES, "the keys they were promised"
    assert asks(alice)["id"] != export["id"], "one may ask again"


def test_what_failed_once_is_made_by_the_next_try(alice, asks, parts, sql, monkeypatch):
    export = asks(alice)
    with monkeypatch.context() as patch:
        patch.setattr(Sections, "_activity", lambda *_args: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            run(parts, export["id"])
    run(parts, export["id"])
    assert states(sql) == [("ready", None, 2)]
    assert alice.get(f"/me/exports/{export['id']}/content").status_code == 200


def test_what_a_dead_worker_left_is_taken_up_and_at_last_given_up(
    alice, asks, sql, service, advance, do_jobs
):
    asks(alice)
    sql("DELETE FROM procrastinate_jobs")
    for attempts in range(1, TRIES):
        sql("UPDATE exports SET state = 'running', attempts = %s, started_at = created_at", (attempts,))
        advance(seconds=int(PATIENCE.total_seconds()) + 60)
        service.sweep()
        assert states(sql) == [("queued", None, attempts)]
        assert sql("SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'exports.build'") == [
            (attempts,)
        ]
    sql("UPDATE exports SET state = 'running', attempts = %s", (TRIES,))
    service.sweep()
    assert states(sql) == [("failed", "interrupted", TRIES)]


def test_a_run_that_was_given_up_writes_nothing_any_more(alice, asks, service, parts, sql):
    """It may only have been slow: what it says after another began does not count."""
    export_id = UUID(asks(alice)["id"])
    slow = service.begin(export_id)
    sql("UPDATE exports SET attempts = 2")
    assert service.prolong(slow) is False
    service.finish(slow, parts.engines.store.put(slow.key, [b"old"]))
    assert service.give_up(slow) is True
    assert states(sql) == [("running", None, 2)]
    assert parts.services[Objects].sweep() == 1
    assert objects(parts) == []


def test_after_its_days_it_is_gone(alice, asks, do_jobs, advance, parts, sql, service):
    export = asks(alice)
    do_jobs()
    advance(days=parts.settings.export_days, seconds=-60)
    person = alice.signs_in_again()
    service.sweep()
    assert person.get(f"/me/exports/{export['id']}/content").status_code == 200
    advance(seconds=61)
    assert code_of(person.get(f"/me/exports/{export['id']}")) == (404, "not_found")
    assert service.sweep() == 1
    assert parts.services[Objects].sweep() == 1
    assert objects(parts) == []


def test_who_is_erased_meanwhile_gets_none(alice, asks, sql, do_jobs):
    asks(alice)
    sql("DELETE FROM users")
    do_jobs()
    assert sql("SELECT count(*) FROM exports") == [(0,)]


def test_who_is_leaving_can_still_take_a_copy_along(alice, gets):
    alice.delete("/me")
    assert gets(alice)["account.json"]["items"][0]["status"] == "deletion_scheduled"


class PowerCutError(BaseException):
    """Nothing catches it, as nothing catches a kill."""


def test_a_run_that_is_killed_in_the_middle_leaves_no_unknown_object(
    alice, asks, parts, keeps, unknown, sql, advance, monkeypatch
):
    keeps(alice, alice.creates("Reef"), content=bytes(2**20))
    export = asks(alice)
    stopped = {"at": 2}

    def cut(pieces):
        for number, piece in enumerate(pieces):
            if number == stopped["at"]:
                raise PowerCutError
            yield piece

    made = building.Building.pieces
    monkeypatch.setattr(building.Building, "pieces", lambda *arguments: cut(made(*arguments)))
    with pytest.raises(PowerCutError):
        run(parts, export["id"])
    assert objects(parts) == []
    # The storage has it, and the worker dies before the row does.
    stopped["at"] = None
    with monkeypatch.context() as patch:
        patch.setattr(ExportService, "finish", lambda *_args: (_ for _ in ()).throw(PowerCutError))
        sql("UPDATE exports SET state = 'queued'")
        with pytest.raises(PowerCutError):
            run(parts, export["id"])
    assert len(objects(parts)) == 1
    assert unknown() == set()
    advance(seconds=int(UNCLAIMED.total_seconds()) + 1)
    parts.services[Objects].sweep()
    assert objects(parts) == []


def test_a_run_gives_signs_of_life_and_ends_when_it_does_not_count_any_more(
    alice, asks, parts, keeps, sql, advance, monkeypatch, log_lines
):
    """However long it takes: an hour of silence is what counts as death."""
    keeps(alice, alice.creates("Reef"), content=bytes(2**20))
    export = asks(alice)
    monkeypatch.setattr(building, "SECONDS_BETWEEN_SIGNS", 0.0)
    signs, prolong = [], ExportService.prolong

    def told(self, current):
        signs.append(prolong(self, current))
        if len(signs) == 2:
            sql("UPDATE exports SET attempts = attempts + 1")
        return signs[-1]

    monkeypatch.setattr(ExportService, "prolong", told)
    run(parts, export["id"])
    assert signs == [True, True, False]
    assert states(sql) == [("running", None, 2)]
    assert "LostRunError" in repr(log_lines.of("export_failed"))
    assert objects(parts) == []


def test_what_the_sweep_took_meanwhile_is_no_copy(alice, asks, parts, service, sql):
    started = service.begin(UUID(asks(alice)["id"]))
    stored = parts.engines.store.put(started.key, [b"a copy"])
    sql("UPDATE doomed_objects SET claimed = true")
    with pytest.raises(ObjectMissingError):
        service.finish(started, stored)
    assert states(sql) == [("running", None, 1)]


def test_who_is_erased_takes_the_copy_along(alice, asks, do_jobs, parts, unknown, sql):
    asks(alice)
    do_jobs()
    assert len(objects(parts)) == 1
    assert unknown() == set(), "the inventory names it"
    sql("DELETE FROM users")
    assert unknown() == set()
    assert parts.services[Objects].sweep() == 1
    assert objects(parts) == []
