"""Who asks when schemathesis asks the running service. Loaded by dev/fuzz.py."""

import ast
import atexit
import itertools
import json
import os
import threading
import urllib.request
from pathlib import Path

import schemathesis

from tests.fuzz.refusals import ENDING, operation_id

API = f"{os.environ['FUZZ_URL']}/api/v1"
PASSWORD = os.environ["FUZZ_PASSWORD"]
CROWD = int(os.environ["FUZZ_CROWD"])
ALICE = "alice@example.com"
TOKEN_SECONDS = 240
TRASHED = 60

calls, turns = itertools.count(), itertools.count()
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def one_at_a_time(parse):
    """CPython 3.11 counts the depth of a syntax tree for all threads together, and fails when two of them parse."""
    alone = threading.RLock()

    def guarded(*args, **kwargs):
        with alone:
            return parse(*args, **kwargs)

    return guarded


ast.parse = one_at_a_time(ast.parse)  # hypothesis parses lambdas in each worker


def ask(method, path, body=None, token=None):
    """One request of our own, besides the generated ones."""
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{API}{path}", data=data, headers=headers, method=method)
    with opener.open(request, timeout=30) as answer:
        return json.loads(answer.read() or b"null")


def signed_in(email):
    return ask("POST", "/auth/login", {"email": email, "password": PASSWORD, "device_name": "schemathesis"})


def set_bearer(case, token):
    case.headers = {**(case.headers or {}), "Authorization": f"Bearer {token}"}


@schemathesis.auth(refresh_interval=TOKEN_SECONDS).skip_for(operation_id=ENDING)
class Alice:
    """The owner of some projects, in one session that lasts."""

    def get(self, case, context):
        return signed_in(ALICE)["access_token"]

    def set(self, case, data, context):
        set_bearer(case, data)


@schemathesis.auth(refresh_interval=None).apply_to(operation_id=ENDING)
class OneOfTheCrowd:
    """Somebody who signed in just now, whose sessions nobody else needs; at times they end a session they have."""

    def get(self, case, context):
        return signed_in(f"user{next(turns) % CROWD + 1}@bench.example")

    def set(self, case, data, context):
        set_bearer(case, data["access_token"])
        if operation_id(case) == "revokeSession" and is_positive(case) and next(turns) % 2:
            case.path_parameters = {"session_id": data["session_id"]}


def is_positive(case):
    return case.meta is not None and case.meta.generation.mode.is_positive


def projects_in_the_trash():
    """Projects of Alice's that can be purged."""
    token = signed_in(ALICE)["access_token"]
    for number in range(TRASHED):
        project = ask("POST", "/projects", {"name": f"For the bin {number}"}, token)
        ask("DELETE", f"/projects/{project['id']}", token=token)
        yield project["id"]


bin_of_alice = list(projects_in_the_trash())


@schemathesis.hook
def map_case(context, case):
    """Every other time, what no generator can guess: an edit without a wrong ETag or a used key, a project in the bin."""
    if is_positive(case) and next(turns) % 2:
        for name in ("If-Match", "Idempotency-Key"):
            (case.headers or {}).pop(name, None)
        if operation_id(case) == "purgeProject" and bin_of_alice:
            case.path_parameters = {"project_id": bin_of_alice.pop()}
    return case


@schemathesis.hook
def after_call(context, case, response):
    next(calls)


@atexit.register
def tell_how_many():
    """For dev/fuzz.py."""
    Path(os.environ["FUZZ_COUNT_FILE"]).write_text(str(next(calls)), encoding="utf-8")
