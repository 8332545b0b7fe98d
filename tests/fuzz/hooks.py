"""Who asks when schemathesis asks the running service. Loaded by dev/fuzz.py."""

import ast
import atexit
import itertools
import os
import threading
import urllib.error
import uuid
from pathlib import Path

import pyotp
import schemathesis

from app.demo import DEMO_TOTP_SECRET
from tests.fuzz.asking import ask, signed_in
from tests.fuzz.refusals import ADMINISTRATION, ENDING, ON_ACCOUNTS, ON_FILES, operation_id
from tests.fuzz.shelf import BOB, Shelf

CROWD = int(os.environ["FUZZ_CROWD"])
ALICE, ADA = "alice@example.com", "ada@example.com"
VICTIMS = 50  # of the crowd, the last ones: administration may do anything to them
TOKEN_SECONDS = 240
TRASHED = 60

calls, turns = itertools.count(), itertools.count()


def one_at_a_time(parse):
    """CPython 3.11 counts the depth of a syntax tree for all threads together, and fails when two of them parse."""
    alone = threading.RLock()

    def guarded(*args, **kwargs):
        with alone:
            return parse(*args, **kwargs)

    return guarded


ast.parse = one_at_a_time(ast.parse)  # hypothesis parses lambdas in each worker


def set_bearer(case, token):
    case.headers = {**(case.headers or {}), "Authorization": f"Bearer {token}"}


@schemathesis.auth(refresh_interval=TOKEN_SECONDS).skip_for(
    operation_id=[*ENDING, *ADMINISTRATION, *ON_FILES]
)
class Alice:
    """The owner of some projects, in one session that lasts."""

    def get(self, case, context):
        return signed_in(ALICE)["access_token"]

    def set(self, case, data, context):
        set_bearer(case, data)


@schemathesis.auth(refresh_interval=TOKEN_SECONDS).apply_to(operation_id=ON_FILES)
class Bob:
    """The owner of the files."""

    def get(self, case, context):
        return signed_in(BOB)["access_token"]

    def set(self, case, data, context):
        set_bearer(case, data)


@schemathesis.auth(refresh_interval=None).apply_to(operation_id=ENDING)
class OneOfTheCrowd:
    """Somebody who signed in just now, whose sessions nobody else needs; at times they end a session they have."""

    def get(self, case, context):
        # The example of changePassword is the crowd's own password: who changed theirs is passed over.
        for _person in range(CROWD):
            try:
                return signed_in(f"user{next(turns) % (CROWD - VICTIMS) + 1}@bench.example")
            except urllib.error.HTTPError as refused:
                if refused.code != 401:
                    raise
        raise RuntimeError("nobody of the crowd can sign in any more")

    def set(self, case, data, context):
        set_bearer(case, data["access_token"])
        if operation_id(case) == "revokeSession" and is_positive(case) and next(turns) % 2:
            case.path_parameters = {"session_id": data["session_id"]}


@schemathesis.auth(refresh_interval=TOKEN_SECONDS).apply_to(operation_id=ADMINISTRATION)
class Ada:
    """The administrator, who signs in by two steps once and refreshes from then on: a code works once."""

    refresh_token = None

    def get(self, case, context):
        return administrators_token()

    def set(self, case, data, context):
        set_bearer(case, data)


def administrators_token():
    if Ada.refresh_token is None:
        begun = signed_in(ADA)
        code = pyotp.TOTP(DEMO_TOTP_SECRET).now()
        answer = ask("POST", "/auth/mfa", {"mfa_token": begun["mfa_token"], "method": "totp", "code": code})
    else:
        answer = ask("POST", "/auth/refresh", {"refresh_token": Ada.refresh_token})
    Ada.refresh_token = answer["refresh_token"]
    return answer["access_token"]


def accounts_to_administer():
    """Ids of the victims."""
    token, found = administrators_token(), []
    for tens in range((CROWD - VICTIMS) // 10, CROWD // 10):
        found += ask("GET", f"/admin/users?q=user{tens}&limit=100", token=token)["items"]
    wanted = {f"user{number}@bench.example" for number in range(CROWD - VICTIMS + 1, CROWD + 1)}
    return [each["id"] for each in found if each["email"] in wanted]


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
victims = accounts_to_administer()
shelf = Shelf()


def is_account(parameters):
    """Whether the path may name somebody; unsound ones stay as they are."""
    try:
        return bool(uuid.UUID(str((parameters or {}).get("user_id"))))
    except ValueError:
        return False


@schemathesis.hook
def map_case(context, case):
    """Every other time, what no generator can guess: an edit without a wrong ETag or a used key, a file."""
    if is_positive(case) and next(turns) % 2:
        for name in ("If-Match", "Idempotency-Key"):
            (case.headers or {}).pop(name, None)
        if operation_id(case) == "purgeProject" and bin_of_alice:
            case.path_parameters = {"project_id": bin_of_alice.pop()}
        if operation_id(case) in ON_FILES:
            shelf.lead(case)
    return case


@schemathesis.hook
def before_call(context, case, kwargs):
    """Nobody else may be suspended, also where a link between operations brought a real id."""
    if operation_id(case) in ON_ACCOUNTS and is_account(case.path_parameters):
        case.path_parameters = {"user_id": victims[next(turns) % len(victims)]}


@schemathesis.hook
def after_call(context, case, response):
    next(calls)
    shelf.note(case, response)


@atexit.register
def tell_how_many():
    """For dev/fuzz.py."""
    Path(os.environ["FUZZ_COUNT_FILE"]).write_text(str(next(calls)), encoding="utf-8")
