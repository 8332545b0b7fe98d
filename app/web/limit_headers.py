"""RateLimit fields, as draft-ietf-httpapi-ratelimit-headers has them; still a draft, so the names live here only."""

import math

from flask import Response
from flask_limiter import RequestLimit

from app.core.clock import wall_seconds
from app.core.errors import AppError
from app.core.throttle import RateLimitedError
from app.web.limits import current_limit

POLICY, STATE = "RateLimit-Policy", "RateLimit"


def write(response: Response, name: str, quota: int, window: int, remaining: int, reset: int) -> None:
    """Structured fields (RFC 9651): a policy by name, and what is left of it."""
    response.headers[POLICY] = f'"{name}";q={quota};w={window}'
    response.headers[STATE] = f'"{name}";r={max(0, remaining)};t={reset}'


def of_request(response: Response) -> None:
    """Tell the general limit that counted this request, unless a narrower one was told."""
    current = current_limit()
    if current is None or STATE in response.headers:
        return
    name = current.request_args[-1]
    window = current.limit.get_expiry()
    write(response, name, current.limit.amount, window, current.remaining, _seconds_left(current))


def of_budget(response: Response, error: AppError) -> None:
    """Tell the budget that refused."""
    if isinstance(error, RateLimitedError):
        write(response, error.budget.name, error.budget.quota, error.budget.seconds, 0, error.reset)


def retry_after_of_request() -> int:
    current = current_limit()
    return _seconds_left(current) if current else 1


def _seconds_left(current: RequestLimit) -> int:
    # Not ``reset_at``, which is a second late.
    return max(1, math.ceil(current.window[0] - wall_seconds()))
