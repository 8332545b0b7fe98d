"""Is it alive, is it ready, what does it measure (REL-05)."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, current_app
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest, multiprocess
from prometheus_client import REGISTRY as THIS_PROCESS

from app.web.auth import operator_asks
from app.web.current import parts, settings
from app.web.drain import draining
from app.web.operations import for_operators, public

KEPT_FOR = 1.0
blueprint = Blueprint("health", __name__)


@dataclass(frozen=True)
class Check:
    """One dependency: ``ok``, ``degraded`` or ``unavailable``, and a sentence for operators."""

    state: str
    detail: str = ""


class Readiness:
    """Asks every dependency, at most once a second.

    Args:
        checks: by name; each answers within a second or so.
    """

    def __init__(self, checks: dict[str, Callable[[], Check]]) -> None:
        self._checks = checks
        self._kept: tuple[float, dict[str, Check]] = (float("-inf"), {})

    def look(self) -> dict[str, Check]:
        asked_at, found = self._kept
        if time.monotonic() - asked_at >= KEPT_FOR:
            found = {name: check() for name, check in self._checks.items()}
            self._kept = (time.monotonic(), found)
        return found


@blueprint.get("/livez")
@public("livez")
def livez() -> dict[str, str]:
    """The process answers; nothing else is asked."""
    return {"status": "ok"}


@blueprint.get("/readyz")
@public("readyz")
def readyz() -> tuple[dict[str, Any], int]:
    """Whether to send requests here: 503 only when it could not serve them."""
    found = parts().readiness.look()
    states = {check.state for check in found.values()}
    status = (
        "unavailable"
        if "unavailable" in states or draining()
        else "degraded"
        if "degraded" in states
        else "ok"
    )
    answer: dict[str, Any] = {"status": status}
    if settings().development or operator_asks():
        answer["checks"] = {
            name: {"status": check.state, **({"detail": check.detail} if check.detail else {})}
            for name, check in found.items()
        }
        answer["draining"] = draining()
    return answer, 503 if status == "unavailable" else 200


@blueprint.get("/metrics")
@for_operators("metrics")
def metrics() -> Response:
    """For Prometheus, with ``OPS_TOKEN`` as bearer; without it there is nothing here."""
    parts().measure()
    registry: Any = THIS_PROCESS
    if current_app.config["METRICS_ARE_SHARED"]:
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # brings no types
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
