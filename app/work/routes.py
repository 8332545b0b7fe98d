"""How far it is, what I asked for."""

from typing import Any
from uuid import UUID

from app.core.access import Caller
from app.core.errors import Code
from app.web.blueprint import Blueprint
from app.web.current import current_actor, service
from app.work.schemas import Job
from app.work.service import WorkService

blp = Blueprint("jobs", __name__, url_prefix="/api/v1/jobs", description="What is made in the background.")


def job_location(job_id: UUID) -> dict[str, str]:
    """The header of a 202: where to ask how far the work is that was begun."""
    return {"Location": f"{blp.url_prefix}/{job_id}"}


@blp.operation(
    "GET", "/<uuid:job_id>", "getJob", caller=Caller.account, while_leaving=True, codes=(Code.not_found,)
)
@blp.response(200, Job)
def get_job(job_id: UUID) -> Any:
    """See how far something is that I asked for. Ask every second or two; a week after it began it is forgotten."""
    return service(WorkService).get(current_actor(), job_id)
