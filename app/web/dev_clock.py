"""The test clock: development only (POST /dev/clock)."""

from typing import Any

from flask import Blueprint, request
from werkzeug.exceptions import UnsupportedMediaType

from app.core.errors import FieldCode, invalid
from app.core.system import SystemRepository
from app.web.current import parts, service
from app.web.operations import public
from app.web.strict_json import loads

LONGEST = 10 * 365 * 86_400
blueprint = Blueprint("dev_clock", __name__)


@blueprint.post("/dev/clock")
@public("devClock")
def move_clock() -> dict[str, Any]:
    """Move all processes ``advance_seconds`` ahead of where they are; 0 goes back to real time.

    Jobs that are due by then run, and the sweeps run once. Rate windows and cache entries do not move.
    """
    if request.mimetype != "application/json":
        raise UnsupportedMediaType  # a foreign page cannot send JSON without being asked where it comes from
    body = loads(request.get_data() or b"{}")
    seconds = body.get("advance_seconds") if isinstance(body, dict) else None
    if type(seconds) is not int or not 0 <= seconds <= LONGEST:
        raise invalid("advance_seconds", FieldCode.wrong_type, f"A whole number from 0 to {LONGEST}.")
    system = service(SystemRepository)
    with parts().uow:
        ahead = system.read().clock_offset_seconds + seconds if seconds else 0
        moved = system.set_clock_offset(ahead)
        system.pull_jobs_forward(max(0, moved))
    parts().refresh_clock(force=True)
    parts().sweep_soon()
    return {"now": parts().clock.now(), "offset_seconds": ahead}
