"""What `flask doctor` reads in the rows: the worker, its jobs, the peppers that passwords were hashed under."""

import base64

from tests.cli.examined import Examined
from tests.fixtures.people import make_person


def test_a_worker_at_work(app, sql):
    sql("INSERT INTO procrastinate_workers DEFAULT VALUES")
    assert Examined(app).one("worker", "ok")["what"] == "1 at work"


def test_a_worker_that_fell_silent(app, sql):
    sql("INSERT INTO procrastinate_workers (last_heartbeat) VALUES (clock_timestamp() - interval '10 min')")
    assert "the last sign of life is 60" in Examined(app).one("worker", "warn")["what"]


def test_no_worker(app):
    assert "`flask worker`" in Examined(app).one("worker", "warn")["mend"]


def test_jobs_that_failed(app, sql):
    sql(
        "INSERT INTO procrastinate_jobs (queue_name, task_name, status) VALUES"
        " ('default', 'mail.send', 'failed'), ('default', 'mail.send', 'failed'), ('default', 'cache.forget', 'failed')"
    )
    found = Examined(app).one("jobs", "warn")
    assert found["what"] == "failed for good: 2 x mail.send, 1 x cache.forget"


def test_jobs_that_wait_too_long(app, sql):
    sql("INSERT INTO procrastinate_jobs (queue_name, task_name) VALUES ('default', 'mail.send')")
    assert Examined(app).one("jobs", "ok")["what"] == "1 waiting, none failed"
    sql("UPDATE procrastinate_events SET at = at - interval '10 min'")
    assert "1 wait, the oldest for 60" in Examined(app).one("jobs", "warn")["what"]


def test_jobs_that_are_due_later_do_not_wait(app, sql):
    sql(
        "INSERT INTO procrastinate_jobs (queue_name, task_name, scheduled_at)"
        " VALUES ('default', 'mail.send', clock_timestamp() + interval '1 hour')"
    )
    sql("UPDATE procrastinate_events SET at = at - interval '10 min'")
    assert Examined(app).one("jobs", "ok")["what"] == "0 waiting, none failed"


def test_passwords_under_a_pepper_that_is_lost(make_app, settings):
    """SEC-03: the stored form names its pepper; without it nobody can sign in any more."""
    first = make_app()
    make_person(first, "Alice")
    assert Examined(first).about("accounts") == []
    other = "k2:" + base64.b64encode(bytes(range(60, 92))).decode()
    found = Examined(make_app(password_peppers=other)).one("accounts", "fault")
    assert (
        found["what"]
        == "1 of the newest accounts have passwords under the pepper k1, which PASSWORD_PEPPERS lacks"
    )
    both = f"{other},{settings.password_peppers.get_secret_value()}"
    assert Examined(make_app(password_peppers=both)).about("accounts") == []
