"""How gunicorn serves the API; ``gunicorn wsgi:app`` finds this file by itself.

Everything that differs between places comes from the settings (docs/configuration.md). A faulty configuration
ends the master with exit code 78 and one line per fault, before any worker exists.
"""

import os
from typing import Any

from app.core.telemetry import configure_logging
from app.files.addresses import account_named_in
from app.web import gunicorn_hooks as hooks
from app.web.gunicorn_worker import ProblemThreadWorker

_settings = hooks.settings_or_exit()
configure_logging(_settings.log_level)

bind = (
    f"[{_settings.host}]:{_settings.port}" if ":" in _settings.host else f"{_settings.host}:{_settings.port}"
)
proc_name = "holdfast"
control_socket_disable = True

# Processes use the cores, threads the time that others wait for the database. More threads than a few lose to the
# interpreter lock. The application is loaded in each worker: no connection is ever opened before a fork (trap T21).
workers = _settings.workers
threads = _settings.threads
worker_class = "app.web.gunicorn_worker.ProblemThreadWorker"
ProblemThreadWorker.type_base = f"{_settings.base_url}/docs/errors#"
if _settings.secure_cookies:
    ProblemThreadWorker.extra_headers = "Strict-Transport-Security: max-age=31536000; includeSubDomains\r\n"

# Uploads, downloads and bodies that arrive slowly have threads of their own, which wait most of the time (D9).
ProblemThreadWorker.transfer_threads = _settings.transfer_threads
ProblemThreadWorker.idle_seconds = _settings.transfer_idle_seconds
ProblemThreadWorker.of_token = staticmethod(account_named_in)

# A worker whose main loop stands still for so long is replaced. The heartbeat is a file: in memory where there is
# such a folder, since a disk that stalls would look like a worker that stalls.
timeout = 30
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108 - gunicorn unlinks it at once

# Idle connections cost no thread here. They outlive the 60 s of the usual proxies, so that it is always the proxy
# that closes first and no request meets a connection that is just being closed.
keepalive = 65

# SIGTERM: /readyz answers 503 for the drain time, then the listener closes and requests have 25 s to finish.
# Whoever stops the process must wait longer than both together before killing it.
graceful_timeout = 25

# SEC-45
limit_request_line = 4094
limit_request_fields = 100
limit_request_field_size = 8190

# Only these may say by X-Forwarded-Proto that the client came over TLS.
forwarded_allow_ips = _settings.forwarded_allow_ips

# Messages go through the application's log. On a laptop only those that matter.
logger_class = "app.web.gunicorn_log.ApplicationLogger"
loglevel = _settings.log_level if _settings.production else "warning"
accesslog = None


def on_starting(_server: Any) -> None:
    """Called in the master, before the listener opens."""
    hooks.refuse_database_at_fault(_settings)
    hooks.load_modules()
    hooks.prepare_metrics()


def when_ready(server: Any) -> None:
    """Called in the master, before the first fork."""
    hooks.mend_signals(server, _settings.drain_for)


def pre_fork(server: Any, worker: Any) -> None:
    """Called in the master before each fork."""
    hooks.give_slot(server, worker)


def post_worker_init(worker: Any) -> None:
    """Called in a worker that has loaded the application."""
    hooks.release_late(worker)


def child_exit(_server: Any, worker: Any) -> None:
    """Called in the master when a worker is gone."""
    hooks.forget_worker(worker)
