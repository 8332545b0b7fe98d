"""A copy on its way is work that its owner can see."""

import re

import pytest

from app.exports.service import BUILD, SECTIONS, TRIES, ExportService
from app.projects.service import ProjectService
from app.work.service import WorkService


@pytest.fixture
def asked(alice):
    """Alice asked for a copy: its id, and where she may see how far it is."""
    answer = alice.post("/me/exports")
    location = answer.headers["Location"]
    assert location == f"/api/v1/jobs/{answer.json['id']}"
    return answer.json["id"], location.removeprefix("/api/v1")


def run(parts, export_id):
    parts.jobs.app.tasks[BUILD].func(export_id=export_id)


def test_the_answer_says_where_to_look(alice, asked):
    export_id, place = asked
    shown = alice.get(place).json
    assert (shown["id"], shown["kind"]) == (export_id, "exports.build")
    assert (shown["state"], shown["done"], shown["total"]) == ("queued", 0, None)


def test_who_asks_again_is_told_the_same_place(alice, asked):
    _, place = asked
    assert alice.post("/me/exports").headers["Location"].endswith(place)


def test_a_repeated_request_gets_the_place_too(alice):
    key = {"Idempotency-Key": "one"}
    first, second = alice.post("/me/exports", headers=key), alice.post("/me/exports", headers=key)
    assert second.headers["Idempotency-Replayed"] == "true"
    assert second.headers["Location"] == first.headers["Location"]


def test_each_file_is_a_step_and_the_result_can_be_downloaded(alice, asked, parts, monkeypatch):
    export_id, place = asked
    steps = []
    progress = WorkService.progress

    def told(self, *arguments):
        progress(self, *arguments)
        shown = alice.get(place).json
        steps.append((shown["state"], shown["done"]))

    monkeypatch.setattr(WorkService, "progress", told)
    run(parts, export_id)
    assert steps == [("running", number) for number in range(SECTIONS)]
    shown = alice.get(place).json
    assert (shown["state"], shown["done"], shown["total"]) == ("ready", SECTIONS, SECTIONS)
    assert alice.get(shown["result_url"].removeprefix("/api/v1")).mimetype == "application/zip"


def test_a_copy_has_so_many_files_as_are_told(alice, gets):
    assert len([name for name in gets(alice) if name.endswith(".json")]) == SECTIONS + 1, "and the manifest"


def test_one_that_failed_says_why_and_one_may_ask_again(alice, asked, parts, monkeypatch):
    export_id, place = asked
    with monkeypatch.context() as patch:
        patch.setattr(parts.services[ProjectService], "belonging", lambda *_args: 1 / 0)
        for _ in range(1, TRIES):
            with pytest.raises(ZeroDivisionError):
                run(parts, export_id)
            assert alice.get(place).json["state"] == "running", "it is tried again"
        run(parts, export_id)
    shown = alice.get(place).json
    assert (shown["state"], shown["problem"]["code"]) == ("failed", "internal_error")
    assert not re.search(r"zero|division|Error", shown["problem"]["detail"])
    assert not alice.post("/me/exports").headers["Location"].endswith(place)


def test_one_whose_worker_died_too_often_says_so(alice, asked, parts, sql, advance):
    _, place = asked
    sql("UPDATE exports SET state = 'running', attempts = %s, started_at = created_at", (TRIES,))
    advance(hours=2)
    parts.services[ExportService].sweep()
    assert (
        alice.signs_in_again()
        .get(place)
        .json["problem"]["detail"]
        .startswith("The copy was begun several times")
    )


def test_one_that_was_asked_for_before_there_was_anything_to_see_is_seen_when_asked_again(alice, asked, sql):
    _, place = asked
    sql("DELETE FROM work_items")
    assert alice.post("/me/exports").headers["Location"].endswith(place)
    assert alice.get(place).json["state"] == "queued"


def test_it_waits_among_the_heavy_work(asked, sql):
    assert sql("SELECT queue_name FROM procrastinate_jobs WHERE task_name = %s", (BUILD,)) == [("heavy",)]
