"""Jobs: they exist if and only if their change does, and leave when they are done."""

# ruff: noqa: PT012 - the blocks under test have more than one line

import threading

import pytest

from app.cli.worker import run as run_worker
from app.core.jobs import HEAVY
from app.core.telemetry import request_id
from tests.fixtures.queue import DONE, Handler, states


def test_a_job_is_done_once_with_its_arguments_and_deleted(queue, asks_for):
    handler = Handler()
    queue.register("test.job", handler)
    asks_for("test.job", id="1", number=7, nothing=None)
    queue.work()
    queue.work()
    assert handler.calls == [{"id": "1", "number": 7, "nothing": None}]
    assert queue.rows() == DONE


def test_a_job_exists_when_its_change_is_committed_and_not_before(queue, uow, add, committed):
    queue.register("test.job", Handler())
    with uow:
        add("one")
        queue.defer("test.job", id="1")
        assert (queue.rows(), committed()) == ([], set())
    assert states(queue) == [("test.job", "todo", 0)]
    assert committed() == {"one"}


def test_a_job_is_gone_with_a_rollback(queue, uow, add, committed):
    queue.register("test.job", Handler())
    with pytest.raises(ZeroDivisionError), uow:
        add("one")
        queue.defer("test.job", id="1")
        1 / 0  # noqa: B018 - it raises
    assert (queue.rows(), committed()) == ([], set())


def test_a_job_of_a_failed_item_is_gone_with_it(queue, uow):
    queue.register("test.job", Handler())
    with uow:
        with pytest.raises(ZeroDivisionError), uow.item():
            queue.defer("test.job", id="lost")
            1 / 0  # noqa: B018 - it raises
        queue.defer("test.job", id="kept")
    assert [arguments["id"] for *_rest, arguments in queue.rows()] == ["kept"]


def test_a_job_belongs_inside_a_write_block(queue):
    queue.register("test.job", Handler())
    with pytest.raises(RuntimeError, match="no unit of work"):
        queue.defer("test.job", id="1")


def test_the_same_job_may_wait_several_times(queue, asks_for):
    handler = Handler()
    queue.register("test.job", handler)
    for number in range(3):
        asks_for("test.job", number=number)
    queue.work()
    assert handler.calls == [{"number": 0}, {"number": 1}, {"number": 2}]


def test_a_job_carries_the_request_that_caused_it(queue, asks_for, caplog):
    handler = Handler()
    queue.register("test.job", handler)
    token = request_id.set("request-number-1")
    asks_for("test.job", id="1")
    request_id.reset(token)
    queue.work()
    assert handler.requests == ["request-number-1"]
    told = [record.msg for record in caplog.records if isinstance(record.msg, dict)]
    [line] = [message for message in told if message["event"] == "job"]
    assert (line["job"], line["outcome"], line["request_id"]) == ("test.job", "done", "request-number-1")


def test_a_request_id_does_not_stay_with_the_thread(queue, asks_for):
    first, second = Handler(), Handler()
    queue.register("test.first", first)
    queue.register("test.second", second)
    token = request_id.set("request-number-1")
    asks_for("test.first")
    request_id.set(None)
    asks_for("test.second")
    request_id.reset(token)
    queue.work()
    assert (first.requests, second.requests) == (["request-number-1"], [None])


def test_over_http_the_jobs_of_a_request_carry_its_id(anonymous, sql):
    body = {"email": "new@example.com", "password": "sea otters hold hands", "display_name": "New"}
    response = anonymous.post("/auth/register", json=body, headers={"X-Request-ID": "request-number-1"})
    assert response.status_code == 202
    causes = sql("SELECT args ->> 'caused_by' FROM procrastinate_jobs")
    assert causes
    assert set(causes) == {("request-number-1",)}


def test_a_periodic_job_that_already_waits_is_not_asked_for_twice(queue):
    queue.register("test.hourly", Handler(), cron="0 * * * *")
    queue.defer_now("test.hourly")
    queue.defer_now("test.hourly")
    assert states(queue) == [("test.hourly", "todo", 0)]


def test_arguments_of_the_applications_jobs_are_ids_and_plain_words(anonymous, sql):
    """Never an address, a code or a token: whoever reads the queue learns nothing."""
    body = {"email": "new@example.com", "password": "sea otters hold hands", "display_name": "New"}
    anonymous.post("/auth/register", json=body)
    for (arguments,) in sql("SELECT args::text FROM procrastinate_jobs"):
        assert "@" not in arguments
        assert "otters" not in arguments


def test_a_job_waits_in_the_queue_that_it_was_registered_for(queue, asks_for, sql):
    queue.register("test.short", Handler())
    queue.register("test.long", Handler(), queue=HEAVY)
    queue.register("test.nightly", Handler(), queue=HEAVY, cron="0 0 1 1 *")
    asks_for("test.short")
    asks_for("test.long")
    queue.defer_now("test.nightly")
    assert sql("SELECT task_name, queue_name FROM procrastinate_jobs ORDER BY id") == [
        ("test.short", "default"),
        ("test.long", "heavy"),
        ("test.nightly", "heavy"),
    ]


def test_a_long_job_that_failed_is_tried_again_in_its_own_queue(queue, asks_for, sql):
    queue.register("test.long", Handler(OSError()), queue=HEAVY)
    asks_for("test.long")
    queue.work()
    assert sql("SELECT queue_name, status::text FROM procrastinate_jobs") == [("heavy", "todo")]


def test_a_queue_that_no_worker_looks_into_is_refused(queue):
    with pytest.raises(ValueError, match="forgotten"):
        queue.register("test.job", Handler(), queue="forgotten")


def test_so_many_jobs_run_at_once_as_the_worker_was_told(queue, asks_for, parts, monkeypatch):
    """Each in a thread of its own, also on a host with fewer cores: all have to be there before one goes on."""
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    together, met = threading.Barrier(8), []
    queue.register("test.meets", lambda **_arguments: met.append(together.wait(20)), attempts=1)
    for _ in range(8):
        asks_for("test.meets")
    assert run_worker(parts.settings, queue, concurrency=8, wait=False)
    assert sorted(met) == list(range(8))
