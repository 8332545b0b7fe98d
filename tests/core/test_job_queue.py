"""Jobs: they exist if and only if their change does, and leave when they are done."""

# ruff: noqa: PT012 - the blocks under test have more than one line

import threading

import pytest

from app.cli.worker import run as run_worker
from app.core.db_errors import RetryableConflict
from app.core.jobs import HEAVY, TRIES_ON_CONFLICT
from app.core.telemetry import request_id

DONE = []


class Handler:
    """Remembers how it was called; fails as often as it is told."""

    def __init__(self, *failures):
        self.calls = []
        self.requests = []
        self._failures = list(failures)

    def __call__(self, **arguments):
        self.calls.append(arguments)
        self.requests.append(request_id.get())
        if self._failures:
            raise self._failures.pop(0)


@pytest.fixture
def asks_for(uow, queue):
    """``asks_for("test.job", id="1")``: a change that wants a job, committed."""

    def defer(name, **arguments):
        with uow:
            queue.defer(name, **arguments)

    return defer


def states(queue):
    return [(name, state, attempts) for name, state, attempts, _arguments in queue.rows()]


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


@pytest.mark.parametrize("conflicts", range(1, TRIES_ON_CONFLICT))
def test_when_transactions_met_the_whole_handler_runs_again_at_once(queue, asks_for, conflicts):
    handler = Handler(*[RetryableConflict() for _ in range(conflicts)])
    queue.register("test.job", handler)
    asks_for("test.job", id="1")
    queue.work()
    assert handler.calls == [{"id": "1"}] * (conflicts + 1)
    assert queue.rows() == DONE


def test_a_conflict_that_stays_is_tried_three_times_and_again_later(queue, asks_for):
    handler = Handler(*[RetryableConflict() for _ in range(TRIES_ON_CONFLICT)])
    queue.register("test.job", handler)
    asks_for("test.job", id="1")
    queue.work()
    assert len(handler.calls) == TRIES_ON_CONFLICT == 3
    assert states(queue) == [("test.job", "todo", 1)]
    queue.make_due()
    queue.work()
    assert queue.rows() == DONE


def test_two_real_transactions_that_deadlock_in_jobs_both_get_done(queue, uow, add, parts, sql):
    """One of them is chosen by PostgreSQL to fail; it runs again."""
    from sqlalchemy import text

    with uow:
        add("one")
        add("two")
    both_hold, ran = threading.Barrier(2), []

    def handler(first, second):
        ran.append(first)
        with uow:
            for step, word in enumerate((first, second)):
                uow.session.execute(
                    text("UPDATE throttle_counters SET hits = hits + 1 WHERE key = :key"),
                    {"key": word.encode()},
                )
                if not step and len(ran) <= 2:
                    both_hold.wait(10)

    def run(number):
        words = ("one", "two") if number else ("two", "one")
        queue._run("test.job", handler, None, {"first": words[0], "second": words[1]})

    threads = [threading.Thread(target=run, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(ran) == 3
    assert sql("SELECT hits FROM throttle_counters") == [(3,), (3,)]


def test_a_failure_is_tried_again_later_and_so_often_in_all(queue, asks_for):
    handler = Handler(*[OSError() for _ in range(9)])
    queue.register("test.job", handler, attempts=3)
    asks_for("test.job", id="1")
    for tries in (1, 2):
        queue.work()
        assert states(queue) == [("test.job", "todo", tries)]
        queue.make_due()
    queue.work()
    assert states(queue) == [("test.job", "failed", 3)]
    assert len(handler.calls) == 3


def test_one_attempt_is_one(queue, asks_for):
    handler = Handler(OSError())
    queue.register("test.job", handler, attempts=1)
    asks_for("test.job", id="1")
    queue.work()
    assert states(queue) == [("test.job", "failed", 1)]


def test_the_pauses_between_tries_grow(queue, asks_for, sql):
    queue.register("test.job", Handler(*[OSError() for _ in range(9)]))
    asks_for("test.job", id="1")
    for expected in (2, 4, 8, 16):
        queue.work()
        [(pause,)] = sql(
            "SELECT extract(epoch FROM scheduled_at - clock_timestamp()) FROM procrastinate_jobs"
        )
        assert expected / 2 - 1 < pause <= expected
        queue.make_due()


def test_a_failed_job_does_not_stop_the_next(queue, asks_for):
    good = Handler()
    queue.register("test.bad", Handler(ZeroDivisionError()), attempts=1)
    queue.register("test.good", good)
    asks_for("test.bad")
    asks_for("test.good")
    queue.work()
    assert len(good.calls) == 1
    assert states(queue) == [("test.bad", "failed", 1)]


def age(sql, days):
    sql("UPDATE procrastinate_events SET at = at - %s::interval", (f"{days} days",))


def test_failed_jobs_go_after_seven_days_and_waiting_ones_stay(queue, uow, asks_for, sql):
    queue.register("test.bad", Handler(OSError()), attempts=1)
    queue.register("test.waits", Handler())
    asks_for("test.bad", id="old")
    queue.work()
    asks_for("test.waits", id="old")
    age(sql, 6.9)
    with uow:
        assert queue.sweep() == 0
    age(sql, 0.2)
    with uow:
        assert queue.sweep() == 1
    assert states(queue) == [("test.waits", "todo", 0)]


def test_the_sweep_takes_a_failed_periodic_job_too(queue, uow, sql):
    """The periodic table points at the job; that must not keep it."""
    queue.register("test.hourly", Handler(OSError()), attempts=1, cron="0 * * * *")
    sql(
        "SELECT procrastinate_defer_periodic_job_v2('default', NULL, 'test.hourly', 'test.hourly', 0, '', 1, '{}')"
    )
    queue.work()
    assert ("test.hourly", "failed", 1) in states(queue)
    age(sql, 8)
    with uow:
        assert queue.sweep() >= 1
    assert "failed" not in [state for _name, state, _tries in states(queue)]


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
