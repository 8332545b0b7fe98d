"""SEC-24, SEC-59, measured: every ring moves on twice under load, and no request fails.

    .venv/bin/python -m benchmarks.key_rotation [--people 6]

Real gunicorn, 2 processes, restarted by SIGHUP between the steps; the lines come from `flask keys rotate`. People sign
in, refresh and read all the while, one of them with an authenticator app; another service verifies their access tokens
with PyJWT and the JWKS alone. The exit code is 1 when a request failed, a retired key was accepted, or the other service
refused a good token.
"""

import argparse
import statistics
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import jwt
import pyotp

from app.cli.keys import RINGS
from benchmarks.scenarios import PASSWORD
from benchmarks.served import Served, busy, served, until

ME, REFRESH, LOGIN = "/api/v1/me", "/api/v1/auth/refresh", "/api/v1/auth/login"
SIGN_IN_EVERY = 4


@dataclass
class Told:
    """What came of the load so far."""

    answers: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    verified: int = 0
    key_ids: set[str] = field(default_factory=set)


class Load:
    """People in threads, and the service that trusts our tokens.

    Args:
        people: accounts 1 and up, one thread each.
    """

    def __init__(self, service: Served, people: int) -> None:
        self.told = Told()
        self.rounds = [0] * people
        self._service = service
        self._lock = threading.Lock()
        self._stop = threading.Event()
        # Here a key is used seconds after it was added, not five minutes: an unknown one must be asked for at once.
        url = f"http://127.0.0.1:{service.port}/.well-known/jwks.json"
        self._keys = jwt.PyJWKClient(url, cooldown_duration=0)
        self._threads = [threading.Thread(target=self._live, args=(number,)) for number in range(people)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def turn_over(self) -> None:
        """Wait until everybody has signed in and refreshed anew: nobody holds a token of before."""
        goal = [each + SIGN_IN_EVERY + 1 for each in self.rounds]
        until(
            lambda: all(now >= then for now, then in zip(self.rounds, goal, strict=True)),
            "the load stands still",
        )

    def _live(self, number: int) -> None:
        session: dict[str, Any] = {}
        while not self._stop.is_set():
            if self.rounds[number] % SIGN_IN_EVERY == 0 or not session:
                body = {"email": f"user{number + 1}@bench.example", "password": PASSWORD}
                with self._service.door:
                    session = self._ask("sign in", "POST", LOGIN, body) or session
            else:
                session = (
                    self._ask("refresh", "POST", REFRESH, {"refresh_token": session["refresh_token"]})
                    or session
                )
            if session:
                self._ask("read", "GET", ME, token=session["access_token"])
                self._verify_elsewhere(session["access_token"])
            self.rounds[number] += 1

    def _ask(self, kind: str, method: str, path: str, body: Any = None, token: str | None = None) -> Any:
        started = time.perf_counter()
        try:
            status, told = self._service.ask(method, path, body, token)
        except OSError as error:
            status, told = 0, repr(error)
        with self._lock:
            self.told.answers[kind] += 1
            self.told.seconds.append(time.perf_counter() - started)
            if status != 200:
                self.told.failures.append(f"{kind}: {status} {told}")
        return told if status == 200 else None

    def _verify_elsewhere(self, token: str) -> None:
        """As docs/operations.md tells other services to."""
        try:
            key = self._keys.get_signing_key_from_jwt(token)
            issuer = self._service.env["PUBLIC_URL"]
            jwt.decode(token, key, algorithms=["EdDSA"], audience="holdfast", issuer=issuer)
        except jwt.PyJWTError as error:
            with self._lock:
                self.told.failures.append(f"another service: {error!r}")
            return
        with self._lock:
            self.told.verified += 1
            self.told.key_ids.add(jwt.get_unverified_header(token)["kid"])


@dataclass
class Kept:
    """What somebody holds who does not come back for long: of a key that will be retired."""

    access: str
    refresh: str


def move(service: Served, stage: str) -> None:
    """One step of every ring, and a restart."""
    for ring in RINGS:
        name, _, line = service.command("keys", "rotate", ring, "--stage", stage).strip().partition("=")
        service.set_ring(name, line)
    service.restart()


def enrol(service: Served, number: int) -> str:
    """The secret of an authenticator app that this account uses from now on."""
    token = service.sign_in(number)["access_token"]
    secret = str(service.ask("POST", "/api/v1/me/mfa/totp", token=token)[1]["secret"])
    status, told = service.ask(
        "POST", "/api/v1/me/mfa/totp/confirm", {"code": pyotp.TOTP(secret).now()}, token
    )
    if status != 200:
        raise SystemExit(f"enrolment: {status} {told}")
    return secret


def signs_in_with_code(service: Served, number: int, secret: str) -> bool:
    """Whether a code still proves the account; a code counts once, so this waits for the next one."""
    time.sleep(30)
    token = service.sign_in(number)["mfa_token"]
    body = {"mfa_token": token, "method": "totp", "code": pyotp.TOTP(secret).now()}
    return service.ask("POST", "/api/v1/auth/mfa", body)[0] == 200


def rotate_once(service: Served, load: Load, turn: int, keeper: int) -> list[str]:
    """All rings: add, use, re-encrypt, retire; the answer is what went wrong."""
    held = service.sign_in(keeper)
    kept = Kept(held["access_token"], held["refresh_token"])
    started = time.monotonic()
    move(service, "add")
    load.turn_over()
    move(service, "use")
    load.turn_over()
    # Whoever did not sign in since keeps a hash under the old pepper: here they all do.
    for number in range(1, keeper + 2):
        service.sign_in(number)
    resealed = service.command("keys", "reseal").strip()
    known = service.ask("GET", ME, token=kept.access)[0]
    move(service, "retire")
    load.turn_over()
    refused = {
        "access token": service.ask("GET", ME, token=kept.access),
        "refresh token": service.ask("POST", REFRESH, {"refresh_token": kept.refresh}),
    }
    print(f"rotation {turn}: {time.monotonic() - started:.1f} s, 3 restarts; {resealed}")
    print(f"  before retiring, a token of the old key: {known}; after:")
    for what, (status, told) in refused.items():
        print(f"  {what} of the retired key: {status} {told.get('code')}")
    faults = [f"{what} of a retired key: {status}" for what, (status, _) in refused.items() if status != 401]
    return faults + ([f"a token of a known key: {known}"] if known != 200 else [])


def main() -> int:
    """The exit code: 0 when nothing failed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--people", type=int, default=6, help="who come at once (6)")
    people = parser.parse_args().people
    print(busy())
    with served(people + 2, BCRYPT_COST="10") as service:
        load, keeper, holder = Load(service, people), people + 1, people + 2
        secret = enrol(service, holder)
        load.start()
        try:
            faults = [fault for turn in (1, 2) for fault in rotate_once(service, load, turn, keeper)]
            if not signs_in_with_code(service, holder, secret):
                faults.append("the authenticator app of before is refused")
        finally:
            load.stop()
        told = load.told
        print(service.command("keys", "status"))
    median, p95 = statistics.median(told.seconds), statistics.quantiles(told.seconds, n=20)[-1]
    print(f"requests: {dict(told.answers)}, median {median * 1000:.0f} ms, p95 {p95 * 1000:.0f} ms")
    print(
        f"failed: {len(told.failures)}; {told.verified} tokens verified elsewhere, keys {sorted(told.key_ids)}"
    )
    for fault in [*faults, *told.failures[:10]]:
        print(fault)
    return 1 if faults or told.failures else 0


if __name__ == "__main__":
    sys.exit(main())
