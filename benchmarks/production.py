"""The settings of the service that is measured: those of production, with every check, limit, header and log line on.

Nothing is raised for the load. It comes from many accounts, each at an address of its own, through what a production has in
front of it: a proxy on the same host that ends TLS. tests/benchmarks compares each setting with its default.
"""

import os
from collections.abc import Mapping
from pathlib import Path

from app.config import Settings

HOST = "api.bench.example"
PUBLIC_URL = f"https://{HOST}"
COLD = {"CACHE_ENABLED": "false"}
"""What `holdfast-cold` is measured with on top."""
SEEDING = {"APP_ENV": "development"}
"""Production refuses to be filled by `flask seed`; this is for that command alone."""
FOOT = (
    "Holdfast runs with production's settings and no limit raised: the load is spread over many accounts and addresses, "
    "behind a proxy (TRUSTED_PROXIES=1)"
)


def production_settings(
    home: Path,
    keys: Mapping[str, str],
    urls: Mapping[str, str],
    *,
    port: int,
    smtp_port: int,
    workers: int,
    threads: int,
) -> dict[str, str]:
    """Every setting that has no default in production, the address, and the size that all targets share.

    Args:
        home: where files and figures go.
        keys: the key rings and `OPS_TOKEN`.
        urls: of the engines.
        port: on loopback, where the proxy would send its requests.
        smtp_port: of a server that takes every mail.
        workers: processes.
        threads: of each.
    """
    return {
        "APP_ENV": "production", "HOST": "127.0.0.1", "PORT": str(port), "PUBLIC_URL": PUBLIC_URL,
        "TRUSTED_PROXIES": "1", "WORKERS": str(workers), "THREADS": str(threads),
        "SMTP_URL": f"smtp://127.0.0.1:{smtp_port}", "STORAGE_DIR": str(home / "storage"), **keys, **urls,
    }  # fmt: skip


def environment(settings: Mapping[str, str], metrics: Path) -> dict[str, str]:
    """The whole environment of a process: nothing that a person's shell holds for another instance gets in."""
    ours = {name.upper() for name in Settings.model_fields} | {
        f"{name.upper()}_FILE" for name in Settings.model_fields
    }
    kept = {name: value for name, value in os.environ.items() if name not in ours}
    return {
        **kept, **settings, "HOLDFAST_ENV_FILE": os.devnull, "PROMETHEUS_MULTIPROC_DIR": str(metrics),
        "PYTHONUNBUFFERED": "1",
    }  # fmt: skip
