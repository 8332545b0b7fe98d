"""The `flask` command itself, as a process."""

from tests.fixtures.command_line import environment_of, flask_process

COMMANDS = (
    "db", "seed", "create-admin", "unlock", "sessions", "doctor", "openapi", "callers", "worker", "mail", "keys", "storage",
)  # fmt: skip


def test_help_lists_every_command_with_what_it_does(settings):
    done = flask_process(environment_of(settings), "--help")
    assert done.returncode == 0, done.stderr
    told = dict(
        line.strip().split(maxsplit=1)
        for line in done.stdout.partition("Commands:\n")[2].splitlines()
        if line.strip()
    )
    for command in COMMANDS:
        assert told[command].endswith(".")


def test_faulty_settings_end_a_command_with_one_line_a_fault(settings):
    done = flask_process(
        environment_of(settings, DATABASE_URL="mysql://secretword", WORKERS="many"), "worker"
    )
    assert done.returncode == 78
    assert {line.split(":")[1].strip() for line in done.stderr.splitlines()} == {"WORKERS", "DATABASE_URL"}
    assert "Traceback" not in done.stderr
    assert "secretword" not in done.stderr + done.stdout


def test_a_command_that_is_none_is_refused(settings):
    done = flask_process(environment_of(settings), "sead")
    assert done.returncode == 2
    assert "No such command" in done.stderr
