"""Who answers wrongly is not measured: the same questions to everybody, before each turn."""

import uuid
from collections.abc import Iterator, Sequence

from benchmarks.asking import ask
from benchmarks.scenarios import PASSWORD, Person, Scenario
from benchmarks.sending import send
from benchmarks.target import Target

HEADERS = (
    "x-content-type-options", "x-frame-options", "content-security-policy", "strict-transport-security", "x-request-id",
)  # fmt: skip
FIELDS = {"id", "name", "description", "owner_id", "created_at", "updated_at", "version"}
SAMPLE = 12
REFUSED = (400, 422)


def faults(target: Target, people: Sequence[Person]) -> list[str]:
    """What the target answers otherwise than the API of this measurement says."""
    alice, bob = people[0], people[1]
    asked = (
        *_reading(target, alice, bob),
        *_pages(target, alice),
        *_writing(target, alice, bob),
        *_signing_in(target, alice),
    )
    return [f"{what}: {got!r}, not {wanted!r}" for what, got, wanted in asked if got != wanted]


def wrong_answers(port: int, scenario: Scenario) -> list[str]:
    """Of a few of a scenario's own requests: those whose status or content is not what they ask for."""
    told = []
    for content in scenario.requests[: 2 if scenario.polite else SAMPLE]:
        status, answer = send(port, content)
        path = content.split(b" ", 2)[1].decode()
        if status not in scenario.status:
            told.append(f"{scenario.name} {path}: {status}")
        elif status != 304 and not _is_of(path, answer):
            told.append(f"{scenario.name} {path}: {str(answer)[:200]}")
    return told


Expected = tuple[str, object, object]


def _is_of(path: str, answer: object) -> bool:
    if not isinstance(answer, dict):
        return False
    if "limit=" in path:
        return len(answer["items"]) == 20 and all(item.keys() >= FIELDS for item in answer["items"])
    if path.endswith("/login"):
        return bool(answer["access_token"])
    return answer.keys() >= FIELDS and path.endswith(("/projects", answer["id"]))


def _reading(target: Target, alice: Person, bob: Person) -> Iterator[Expected]:
    key = alice.projects[0]
    mine = ask(target.port, "GET", f"/projects/{key}", token=alice.token, address=alice.address)
    yield (
        "one's own project",
        (mine.status, mine.told.get("id")),
        (200, key),
    )
    yield "its fields", FIELDS - mine.told.keys(), set()
    yield "headers", [name for name in HEADERS if name not in mine.headers], []
    echoed = ask(
        target.port, "GET", f"/projects/{key}", token=alice.token, headers={"X-Request-ID": "bench-check-1"}
    )
    yield "request id", echoed.headers.get("x-request-id"), "bench-check-1"
    foreign = ask(target.port, "GET", f"/projects/{bob.projects[0]}", token=alice.token)
    yield "somebody else's project", foreign.status, 404
    yield "no project", ask(target.port, "GET", f"/projects/{uuid.uuid4()}", token=alice.token).status, 404
    yield "no token", ask(target.port, "GET", f"/projects/{key}").status, 401
    forged = alice.token[:-8] + ("AAAAAAAA" if alice.token[-8:] != "AAAAAAAA" else "BBBBBBBB")
    yield "a forged token", ask(target.port, "GET", f"/projects/{key}", token=forged).status, 401
    if target.etags:
        tag = {"If-None-Match": mine.headers.get("etag", "")}
        known = ask(target.port, "GET", f"/projects/{key}", token=alice.token, headers=tag)
        yield "what is known already", (known.status, known.told), (304, None)


def _pages(target: Target, alice: Person) -> Iterator[Expected]:
    first = ask(target.port, "GET", "/projects?limit=20", token=alice.token)
    yield "a page", (first.status, len(first.told.get("items", ()))), (200, 20)
    times = [item["created_at"] for item in first.told["items"]]
    yield "newest first", times, sorted(times, reverse=True)
    path = f"/projects?limit=20&cursor={first.told['next_cursor'].replace('=', '%3D')}"
    second = ask(target.port, "GET", path, token=alice.token)
    yield "the next page", (second.status, len(second.told.get("items", ()))), (200, 20)
    both = [item["id"] for item in (*first.told["items"], *second.told["items"])]
    yield "nothing twice", len(set(both)), 40


def _writing(target: Target, alice: Person, bob: Person) -> Iterator[Expected]:
    port, token = target.port, alice.token
    made = ask(port, "POST", "/projects", token=token, body={"name": " Made ", "description": "d"})
    yield "create", (made.status, made.told.get("name"), made.told.get("version")), (201, "Made", 1)
    for what, body in (
        ("no name", {"name": " "}), ("a long name", {"name": "x" * 256}), ("a number for a name", {"name": 7}),
        ("a long description", {"name": "x", "description": "x" * 10_001}), ("no JSON", b"{"),
    ):  # fmt: skip
        status = ask(port, "POST", "/projects", token=token, body=body).status
        yield what, status if status not in REFUSED else "refused", "refused"
    key = made.told["id"]
    changed = ask(port, "PATCH", f"/projects/{key}", token=token, body={"name": "Changed"})
    yield (
        "patch",
        (changed.status, changed.told.get("name"), changed.told.get("version")),
        (200, "Changed", 2),
    )
    yield "read after it", ask(port, "GET", f"/projects/{key}", token=token).told, changed.told
    yield "a stale version", target.change(made, "Stale", alice).status in {409, 412}, True
    yield (
        "a foreign patch",
        ask(port, "PATCH", f"/projects/{key}", token=bob.token, body={"name": "x"}).status,
        404,
    )


def _signing_in(target: Target, alice: Person) -> Iterator[Expected]:
    wrong = {"email": alice.email, "password": "let-me-in-please"}
    yield (
        "a wrong password",
        ask(target.port, "POST", "/auth/login", address=alice.address, body=wrong).status,
        401,
    )
    right = ask(
        target.port, "POST", "/auth/login", address=alice.address, body={**wrong, "password": PASSWORD}
    )
    yield "the right one", right.status, 200
    listed = ask(target.port, "GET", "/projects?limit=1", token=right.told.get("access_token", ""))
    yield "its token", listed.status, 200
