"""Who asks when schemathesis asks, and what a refusal of valid data may say. Loaded by schemathesis.toml."""

import itertools
import json
import os
import threading
import urllib.request

import schemathesis

URL = os.environ["FUZZ_URL"]
PASSWORD = os.environ["FUZZ_PASSWORD"]
ALICE = "alice@example.com"
CROWD = int(os.environ["FUZZ_CROWD"])
COUNT_FILE = os.environ["FUZZ_COUNT_FILE"]

# These end a session, at times that of whoever asks. Each request gets a person of the crowd who has just signed in.
ENDING = ["signOut", "revokeSession", "revokeOtherSessions"]
TOKEN_SECONDS = 240
# Told by the facts, not by the data: who asks, what exists, what was asked before.
CIRCUMSTANCES = {401, 403, 404, 409, 429}

turns = itertools.count(1)
calls = itertools.count(1)
counting = threading.Lock()


def access_token(email):
    body = json.dumps({"email": email, "password": PASSWORD, "device_name": "schemathesis"}).encode()
    request = urllib.request.Request(
        f"{URL}/api/v1/auth/login", data=body, headers={"Content-Type": "application/json"}
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=30) as answer:
        return json.load(answer)["access_token"]


def set_bearer(case, token):
    case.headers = {**(case.headers or {}), "Authorization": f"Bearer {token}"}


@schemathesis.auth(refresh_interval=TOKEN_SECONDS).skip_for(operation_id=ENDING)
class Alice:
    """The owner of some projects, in one session that lasts."""

    def get(self, case, context):
        return access_token(ALICE)

    def set(self, case, data, context):
        set_bearer(case, data)


@schemathesis.auth(refresh_interval=None).apply_to(operation_id=ENDING)
class OneOfTheCrowd:
    """Somebody fresh, whose sessions nobody else needs."""

    def get(self, case, context):
        return access_token(f"user{next(turns) % CROWD + 1}@bench.example")

    def set(self, case, data, context):
        set_bearer(case, data)


@schemathesis.hook
def after_call(context, case, response):
    """Keep the number of requests where the program that started us finds it."""
    with counting:
        number = next(calls)
        if number % 50 == 0 or number < 50:
            with open(COUNT_FILE, "w", encoding="utf-8") as file:
                file.write(str(number))


@schemathesis.check
class RefusalsAreDeclared:
    """Valid data may be refused only for what schemathesis.toml lists for the operation, each with its reason.

    Sharper than ``positive_data_acceptance``, which sees the status alone.

    Args:
        expected: by operationId, problem codes; a refused field as ``field:code``.
    """

    def __init__(self, *, expected):
        self.expected = expected

    def after_response(self, ctx, response, case):
        status = response.status_code
        if case.meta is None or not case.meta.generation.mode.is_positive:
            return
        if not 400 <= status < 500 or status in CIRCUMSTANCES:
            return
        name = case.operation.definition.raw["operationId"]
        surprises = self.reasons(response.json()) - set(self.expected.get(name, ()))
        if surprises:
            raise AssertionError(f"{name} refused valid data for {sorted(surprises)}: {response.text[:500]}")

    @staticmethod
    def reasons(problem):
        if problem["code"] != "validation_failed":
            return {problem["code"]}
        return {f"{fault['field']}:{fault['code']}" for fault in problem["errors"]} or {"validation_failed"}
