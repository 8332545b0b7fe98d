"""Workers as processes: stopped in the middle of a job, killed in the middle of one, kept busy by a long one."""

import signal

import pytest

from app.core.job_rescue import SILENT
from tests.fixtures.command_line import environment_of, flask_started
from tests.fixtures.counting_app import COUNT, HEAVY_JOB
from tests.fixtures.gunicorn_process import until

OPTIONS = {"FLASK_APP": "tests.fixtures.counting_app"}
JOBS = 100
HANGING = {10: "before commit", 35: "after commit", 60: "before commit", 85: "after commit"}
REGISTRATION = {"email": "grace@example.com", "password": "sea otters hold hands", "display_name": "Grace"}


@pytest.fixture
def start(settings, tmp_path, app):
    """``with start(): ...``: a worker of the counting application."""
    environment = environment_of(settings, COUNTING_DIR=str(tmp_path), **OPTIONS)

    def begin(*words):
        return flask_started(environment, "worker", *words, output=tmp_path / "worker.log")

    return begin


@pytest.fixture
def asks_for(queue, uow):
    """``asks_for(COUNT, number=1)``: a job, committed."""

    def nothing(**_arguments):
        raise AssertionError("the worker's process does it, not this one")

    queue.register(COUNT, nothing)
    queue.register(HEAVY_JOB, nothing, queue="heavy")

    def defer(name, **arguments):
        with uow:
            queue.defer(name, **arguments)

    return defer


@pytest.fixture
def uow(parts):
    return parts.uow


@pytest.fixture
def time_passes(sql):
    """As long as a worker may be silent, and a little."""

    def run():
        sql(
            "UPDATE procrastinate_workers SET last_heartbeat = last_heartbeat - make_interval(secs => %s)",
            (SILENT + 5,),
        )

    return run


def of_kind(sql, name):
    return sql(
        "SELECT (args ->> 'number')::int, status::text FROM procrastinate_jobs WHERE task_name = %s ORDER BY id",
        (name,),
    )


def test_of_a_hundred_jobs_none_is_lost_and_none_is_done_twice_however_often_workers_are_killed(
    start, asks_for, parts, sql, tmp_path, time_passes
):
    """At least once: what was in hand runs again, and minds it not."""
    for number in range(JOBS):
        asks_for(COUNT, number=number, stays=HANGING.get(number))
    for number in HANGING:
        with start() as worker:
            until((tmp_path / f"hangs-{number}").exists, f"job {number} did not begin")
            worker.kill()
            worker.wait()
        assert (number, "doing") in of_kind(sql, COUNT)
        time_passes()
        parts.jobs.defer_now("jobs.rescue")
    with start() as worker:
        until(lambda: of_kind(sql, COUNT) == [], "some jobs are left")
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(20) == 0
    assert sql("SELECT count(*) FROM throttle_counters WHERE key LIKE 'job %%'") == [(JOBS,)]
    assert sql("SELECT hits FROM throttle_counters WHERE key = 'total'") == [(JOBS,)]
    assert len(list(tmp_path.glob("run-*"))) >= JOBS + len(HANGING), "the interrupted ones ran again"


def test_told_to_stop_it_finishes_what_it_has_in_hand_and_takes_nothing_new(start, asks_for, sql, tmp_path):
    for number in (1, 2):
        asks_for(HEAVY_JOB, number=number)
    with start("--heavy", "1") as worker:
        until((tmp_path / "heavy-1").exists, "the first did not begin")
        worker.send_signal(signal.SIGTERM)
        # The lane that has nothing in hand goes at once: the signal has arrived.
        until(lambda: sql("SELECT count(*) FROM procrastinate_workers") == [(1,)], "it did not hear")
        assert of_kind(sql, HEAVY_JOB) == [(1, "doing"), (2, "todo")]
        (tmp_path / "release").touch()
        assert worker.wait(20) == 0
    assert of_kind(sql, HEAVY_JOB) == [(2, "todo")]
    assert not (tmp_path / "heavy-2").exists()


def test_mails_do_not_wait_behind_long_work(start, asks_for, anonymous, parts, sql, tmp_path):
    for number in (1, 2):
        asks_for(HEAVY_JOB, number=number)
    with start("--heavy", "1") as worker:
        until((tmp_path / "heavy-1").exists, "the first did not begin")
        assert anonymous.post("/auth/register", json=REGISTRATION).status_code == 202
        until(lambda: parts.mailbox.list("grace@example.com"), "the mail waits")
        assert of_kind(sql, HEAVY_JOB) == [(1, "doing"), (2, "todo")]
        (tmp_path / "release").touch()
        until(lambda: of_kind(sql, HEAVY_JOB) == [], "the long ones are not done")
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(20) == 0
