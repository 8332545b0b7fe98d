"""The command line: `flask ...`, on a laptop, in the image, in a job of the cluster."""

from flask import Flask

from app.cli import accounts, database, doctor, documents, keys, mail, queue, seed, storage, worker
from app.config import ConfigError

GROUPS = (
    database.db, seed.seed, seed.demo_code, accounts.create_admin, accounts.unlock, accounts.sessions, doctor.doctor,
    documents.openapi, documents.callers, worker.worker, queue.jobs, mail.mail, keys.keys, storage.storage,
)  # fmt: skip


def register_commands(app: Flask) -> None:
    """Add our commands; `openapi` replaces the one that flask-smorest brings."""
    for group in GROUPS:
        app.cli.add_command(group)


def bare_app(error: ConfigError) -> Flask:
    """What the command line gets while the configuration is faulty: only what needs none, and the faults told."""
    app = Flask("app")
    app.cli.add_command(keys.keys)
    app.cli.add_command(doctor.faults_only(error))
    return app
