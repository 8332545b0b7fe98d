"""What a user agent says about a device, in words that people know."""

from functools import lru_cache

from ua_parser import parse

LONGEST = 100


@lru_cache(maxsize=1_000)
def describe(user_agent: str) -> str | None:
    """``Firefox 140 on Windows``; ``None`` where nothing is known."""
    found = parse(user_agent)
    browser = (
        " ".join(filter(None, (found.user_agent.family, found.user_agent.major)))
        if found.user_agent
        else None
    )
    words = [browser, found.os.family if found.os else None]
    return " on ".join(filter(None, words))[:LONGEST] or None
