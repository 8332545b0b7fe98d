"""What is asked of a service: requests as bytes, ready to be sent."""

import json
import random
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.asking import ask, proxied
from dev.faults import Fault

PASSWORD = "sea-otters-hold-hands"
REQUESTS = 8_000
"""So many are prepared for each scenario; more would only fill memory."""
ORDER = ("get", "304", "list", "create", "patch", "mixed", "sign-in")
MIX = {"get": 60, "list": 25, "patch": 10, "create": 5}
API = "/api/v1"
PAGE = "/projects?limit=20"
AT_ONCE = 4


@dataclass(frozen=True)
class Person:
    """An account of the load: where it calls from, its access token and some of its projects.

    Attributes:
        tags: ETags of the projects that scenarios read, by id.
    """

    email: str
    address: str
    token: str
    projects: tuple[str, ...] = ()
    tags: tuple[tuple[str, str], ...] = ()

    def hot(self, number: int) -> tuple[str, ...]:
        """The projects that scenarios read; none changes them, so that what is known of them stays true."""
        return self.projects[: min(number, len(self.projects) // 2)]

    @property
    def moving(self) -> tuple[str, ...]:
        """The projects that scenarios change."""
        return self.projects[len(self.projects) // 2 :]


@dataclass(frozen=True)
class Scenario:
    """A kind of request and how many connections send it.

    Attributes:
        status: of each answer; the mix has several.
        polite: whether a connection that is answered 503 waits for ``Retry-After``.
    """

    name: str
    connections: int
    requests: Sequence[bytes]
    status: tuple[int, ...] = (200,)
    polite: bool = False


def address_of(number: int) -> str:
    """Of the client of an account; limits of an address then meet one account, as they do where people live."""
    return f"10.{number // 65_536}.{number // 256 % 256}.{number % 256}"


def with_projects(port: int, person: Person) -> Person:
    """The person with the newest hundred of their projects.

    Raises:
        Fault: the service does not answer as it should.
    """
    answer = ask(port, "GET", "/projects?limit=100", address=person.address, token=person.token)
    if answer.status != 200:
        raise Fault(f"the list of {person.email} answered {answer.status}: {answer.told}")
    return replace(person, projects=tuple(item["id"] for item in answer.told["items"]))


def warmed(port: int, people: Sequence[Person], hot: int) -> list[Person]:
    """The people after each has read what scenarios read, a page and projects, with their ETags where they have some."""

    def one(person: Person) -> Person:
        keys = person.hot(hot)
        *read, _ = [
            ask(port, "GET", path, address=person.address, token=person.token)
            for path in (*(f"/projects/{key}" for key in keys), PAGE)
        ]
        tags = ((key, answer.headers.get("etag", "")) for key, answer in zip(keys, read, strict=True))
        return replace(person, tags=tuple(tags))

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(one, people))


def scenarios(
    people: Sequence[Person], names: Sequence[str], connections: int, sign_in_connections: int
) -> list[Scenario]:
    """The scenarios of these names, the same requests whoever is measured; accounts and projects by chance."""
    chosen = random.Random(7)
    create = {"name": "New project ########", "description": "Made by the load, to be measured."}

    def get(who: Person) -> bytes:
        return request("GET", f"/projects/{chosen.choice(who.tags)[0]}", who)

    def known(who: Person) -> bytes:
        key, tag = chosen.choice(who.tags)
        return request("GET", f"/projects/{key}", who, headers={"If-None-Match": tag})

    def patch(who: Person) -> bytes:
        return request("PATCH", f"/projects/{chosen.choice(who.moving)}", who, {"name": "Renamed ########"})

    make: dict[str, Callable[[Person], bytes]] = {
        "get": get,
        "304": known,
        "list": lambda who: request("GET", PAGE, who),
        "create": lambda who: request("POST", "/projects", who, create),
        "patch": patch,
        "sign-in": lambda who: request(
            "POST", "/auth/login", who, {"email": who.email, "password": PASSWORD}, signed_in=False
        ),
    }

    def some(name: str) -> list[bytes]:
        kinds = (
            chosen.choices(list(MIX), list(MIX.values()), k=REQUESTS)
            if name == "mixed"
            else [name] * REQUESTS
        )
        return [make[kind](chosen.choice(people)) for kind in kinds]

    status = {"304": (304,), "create": (201,), "mixed": (200, 201)}
    return [
        Scenario(
            name, sign_in_connections if name == "sign-in" else connections, some(name), status.get(name, (200,)),
            polite=name == "sign-in",
        )
        for name in names
    ]  # fmt: skip


def hello(connections: int) -> Scenario:
    return Scenario("hello", connections, [b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"])


def request(
    method: str, path: str, who: Person, body: dict[str, Any] | None = None, *, signed_in: bool = True,
    headers: dict[str, str] | None = None,
) -> bytes:  # fmt: skip
    """A whole HTTP/1.1 request."""
    sent = {**proxied(who.address), "User-Agent": "holdfast-bench", **(headers or {})}
    content = json.dumps(body, separators=(",", ":")).encode() if body is not None else b""
    if signed_in:
        sent["Authorization"] = f"Bearer {who.token}"
    if body is not None:
        sent |= {"Content-Type": "application/json", "Content-Length": str(len(content))}
    lines = [f"{method} {API}{path} HTTP/1.1", *(f"{name}: {value}" for name, value in sent.items()), "", ""]
    return "\r\n".join(lines).encode() + content
