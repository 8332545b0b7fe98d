"""`flask worker`: does what waits, waits for a database that is away, and stops when told to."""

import asyncio
import json
import signal
import socket
import threading

import pytest

from app.cli.worker import Lane, _run_worker, run
from app.core.jobs import QUEUES
from app.registration.service import SEND_VERIFICATION
from tests.fixtures.command_line import environment_of, flask_process, flask_started
from tests.fixtures.gunicorn_process import until

REGISTRATION = {"email": "grace@example.com", "password": "sea otters hold hands", "display_name": "Grace"}
# At some minutes a sweep is at work as well.
OF_THE_MAIL = f"SELECT status::text FROM procrastinate_jobs WHERE task_name = '{SEND_VERIFICATION}'"


def log_lines(path):
    return [json.loads(line) for line in path.read_text().splitlines() if line.startswith("{")]


def told(path, event):
    return any(line.get("event") == event for line in log_lines(path))


@pytest.fixture
def worker(settings, tmp_path, app):
    """A real worker, at work: its process and its log."""
    output = tmp_path / "worker.log"
    with flask_started(environment_of(settings), "worker", output=output) as process:
        until(lambda: told(output, "worker_started"), "the worker did not start")
        yield process, output


def registers(client):
    assert client.post("/auth/register", json=REGISTRATION).status_code == 202


def test_until_idle_does_what_waits_and_ends(flask, anonymous, parts, sql):
    registers(anonymous)
    [(job, state)] = sql("SELECT id, status::text FROM procrastinate_jobs")
    assert state == "todo"
    result = flask("worker", "--until-idle")
    assert result.exit_code == 0
    assert len(parts.mailbox.list("grace@example.com")) == 1
    # Others may be there by now: a minute that begins has periodic jobs of its own.
    assert sql("SELECT count(*) FROM procrastinate_jobs WHERE id = %s AND status = 'todo'", (job,)) == [(0,)]


def test_until_idle_with_nothing_to_do_ends_at_once(flask):
    assert flask("worker", "--until-idle").exit_code == 0


def test_until_idle_as_a_process(settings, anonymous, parts):
    registers(anonymous)
    done = flask_process(environment_of(settings), "worker", "--until-idle", "--concurrency", "2")
    assert done.returncode == 0, done.stderr
    assert len(parts.mailbox.list("grace@example.com")) == 1


@pytest.mark.parametrize("value", ["0", "65", "many"])
def test_an_impossible_concurrency_is_refused(flask, value):
    assert flask("worker", "--concurrency", value).exit_code == 2


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_with_exit_code_0(worker, sql, how):
    process, output = worker
    until(lambda: sql("SELECT count(*) FROM procrastinate_workers") == [(2,)], "no sign of life")
    process.send_signal(how)
    assert process.wait(15) == 0
    assert told(output, "worker_stopped")
    assert sql("SELECT count(*) FROM procrastinate_workers") == [(0,)]


def test_work_in_hand_is_finished_before_it_stops(settings, tmp_path, app, anonymous, sql):
    """A mail that is being handed over when the signal comes is handed over once, and its job is done."""
    released, arrived, received = threading.Event(), threading.Event(), []

    def serve(listener):
        link, _ = listener.accept()
        with link, link.makefile("rwb") as talk:

            def say(line):
                talk.write(line + b"\r\n")
                talk.flush()

            say(b"220 slow.example")
            while line := talk.readline():
                word = line[:4].upper().strip()
                if word == b"DATA":
                    say(b"354 go on")
                    while (part := talk.readline()) != b".\r\n":
                        received.append(part)
                    arrived.set()
                    released.wait(20)
                say(b"221 bye" if word == b"QUIT" else b"250 OK")
                if word == b"QUIT":
                    return

    registers(anonymous)
    output = tmp_path / "worker.log"
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=serve, args=(listener,), daemon=True)
        server.start()
        environment = environment_of(settings, SMTP_URL=f"smtp://127.0.0.1:{listener.getsockname()[1]}")
        with flask_started(environment, "worker", output=output) as process:
            assert arrived.wait(20)
            process.send_signal(signal.SIGTERM)
            assert sql(OF_THE_MAIL) == [("doing",)]
            released.set()
            assert process.wait(20) == 0
        server.join(5)
    assert b"To: grace@example.com\r\n" in received
    assert sql(OF_THE_MAIL) == []


def test_a_database_that_is_away_is_waited_for_until_told_to_stop(settings, tmp_path, app):
    """It never ends by itself because of that: nobody would start it again."""
    environment = environment_of(settings, DATABASE_URL="postgresql://app:x@127.0.0.1:1/nowhere")
    output = tmp_path / "worker.log"
    with flask_started(environment, "worker", output=output) as process:
        until(lambda: told(output, "worker_waits_for_database"), "it did not say that it waits")
        assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 0


def test_run_tells_whether_the_database_went_away(make_app, settings):
    app = make_app()
    parts = app.extensions["holdfast"]
    gone = settings.model_copy(
        update={
            "database_url": type(settings.database_url)("postgresql+psycopg2://app:x@127.0.0.1:1/nowhere")
        }
    )
    assert run(parts.settings, parts.jobs, wait=False) is True
    assert run(gone, parts.jobs, wait=False) is False


def test_a_queue_that_stops_unasked_is_a_database_that_went_away():
    """The queue's library ends without an error when it loses its connection and cannot have another."""

    class Queue:
        async def run_worker_async(self, **_options):
            return

    assert asyncio.run(_run_worker(Queue(), [Lane(QUEUES, 1)], wait=True)) is False
    assert asyncio.run(_run_worker(Queue(), [Lane(QUEUES, 1)], wait=False)) is True


def test_it_does_new_work_and_logs_which_request_caused_it(worker, anonymous, parts):
    """SEC-57, SEC-58: one line a job, without the address."""
    _, output = worker
    sent = anonymous.post("/auth/register", json=REGISTRATION, headers={"X-Request-ID": "kelp-1234-request"})
    assert sent.status_code == 202

    def lines():
        return [each for each in log_lines(output) if each.get("request_id") == "kelp-1234-request"]

    until(lines, "no line about the job")
    (line,) = lines()
    assert (line["event"], line["outcome"]) == ("job", "done")
    assert len(parts.mailbox.list("grace@example.com")) == 1
    assert "grace@example.com" not in output.read_text()
