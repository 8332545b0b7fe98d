"""What is asked of the service: requests as bytes, ready to be sent."""

import http.client
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dev.faults import Fault

PASSWORD = "sea-otters-hold-hands"
REQUESTS = 4_000
"""So many are prepared for each scenario; more would only fill memory."""


@dataclass(frozen=True)
class Person:
    """An account of the load: its access token and some of its projects."""

    email: str
    token: str
    projects: list[str]


@dataclass(frozen=True)
class Scenario:
    """A kind of request and how many connections send it.

    Attributes:
        polite: whether a connection that is answered 503 waits for ``Retry-After``.
    """

    name: str
    connections: int
    requests: Sequence[bytes]
    polite: bool = False


def sign_in_people(port: int, number: int) -> list[Person]:
    """Sign in so many accounts, one after the other, and read a page of each one's projects.

    Raises:
        Fault: the service does not answer as it should.
    """
    people = []
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    for each in range(1, number + 1):
        email = f"user{each}@bench.example"
        told = _ask(link, "POST", "/api/v1/auth/login", body={"email": email, "password": PASSWORD})
        token = told["access_token"]
        page = _ask(link, "GET", "/api/v1/projects?limit=100", token=token)
        people.append(Person(email, token, [item["id"] for item in page["items"]]))
    link.close()
    return people


def scenarios(people: list[Person], connections: int, sign_in_connections: int) -> list[Scenario]:
    """Get, list, create and patch as people who are signed in; and signing in."""
    chosen = random.Random(7)

    def some(make: Any) -> list[bytes]:
        return [make(chosen.choice(people)) for _ in range(REQUESTS)]

    def one_of(person: Person) -> str:
        return f"/api/v1/projects/{chosen.choice(person.projects)}"

    create = {"name": "New project ########", "description": "Made by the load, to be measured."}
    return [
        Scenario("get", connections, some(lambda who: request("GET", one_of(who), who.token))),
        Scenario(
            "list", connections, some(lambda who: request("GET", "/api/v1/projects?limit=20", who.token))
        ),
        Scenario(
            "create", connections, some(lambda who: request("POST", "/api/v1/projects", who.token, create))
        ),
        Scenario(
            "patch",
            connections,
            some(lambda who: request("PATCH", one_of(who), who.token, {"name": "Renamed ########"})),
        ),
        Scenario(
            "sign-in",
            sign_in_connections,
            [
                request("POST", "/api/v1/auth/login", None, {"email": who.email, "password": PASSWORD})
                for who in people
            ],
            polite=True,
        ),
    ]


def hello(connections: int) -> Scenario:
    return Scenario("hello", connections, [request("GET", "/", None)])


def request(method: str, path: str, token: str | None, body: dict[str, str] | None = None) -> bytes:
    """A whole HTTP/1.1 request."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "User-Agent: holdfast-bench"]
    content = json.dumps(body, separators=(",", ":")).encode() if body is not None else b""
    if token:
        lines.append(f"Authorization: Bearer {token}")
    if body is not None:
        lines += ["Content-Type: application/json", f"Content-Length: {len(content)}"]
    return "\r\n".join([*lines, "", ""]).encode() + content


def _ask(
    link: http.client.HTTPConnection,
    method: str,
    path: str,
    *,
    token: str = "",
    body: dict[str, str] | None = None,
) -> Any:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    if body is not None:
        headers["Content-Type"] = "application/json"
    link.request(method, path, json.dumps(body) if body is not None else None, headers)
    answer = link.getresponse()
    content = answer.read()
    if answer.status != http.client.OK:
        raise Fault(f"{method} {path} answered {answer.status}: {content.decode(errors='replace')[:300]}")
    return json.loads(content)
