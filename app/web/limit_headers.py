"""RateLimit fields, as draft-ietf-httpapi-ratelimit-headers has them; still a draft, so the names live here only."""

from flask import Response

from app.core.errors import AppError
from app.core.throttle import RateLimitedError
from app.web.limits import counted

POLICY, STATE = "RateLimit-Policy", "RateLimit"


def write(response: Response, name: str, quota: int, window: int, remaining: int, reset: int) -> None:
    """Structured fields (RFC 9651): a policy by name, and what is left of it."""
    response.headers[POLICY] = f'"{name}";q={quota};w={window}'
    response.headers[STATE] = f'"{name}";r={max(0, remaining)};t={reset}'


def of_request(response: Response) -> None:
    """Tell the general limit that counted this request, unless a narrower one was told."""
    current = counted()
    if current is None or STATE in response.headers:
        return
    limit = current.limit
    write(
        response, current.policy, limit.amount, limit.get_expiry(), current.remaining, current.seconds_left()
    )


def of_budget(response: Response, error: AppError) -> None:
    """Tell the budget that refused."""
    if isinstance(error, RateLimitedError):
        write(response, error.budget.name, error.budget.quota, error.budget.seconds, 0, error.reset)
