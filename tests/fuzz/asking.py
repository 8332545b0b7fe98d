"""Requests of our own, besides the generated ones. dev/fuzz.py says where the service is."""

import json
import os
import urllib.request

API = f"{os.environ['FUZZ_URL']}/api/v1"
PASSWORD = os.environ["FUZZ_PASSWORD"]
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def ask(method, path, body=None, token=None):
    """The JSON that answers JSON."""
    data = None if body is None else json.dumps(body).encode()
    with send(method, path, data, token, {"Content-Type": "application/json"}) as answer:
        return json.loads(answer.read() or b"null")


def send(method, path, data, token, headers):
    """The answer to bytes, to be closed."""
    headers = headers | ({"Authorization": f"Bearer {token}"} if token else {})
    request = urllib.request.Request(f"{API}{path}", data=data, headers=headers, method=method)
    return opener.open(request, timeout=30)


def signed_in(email):
    return ask("POST", "/auth/login", {"email": email, "password": PASSWORD, "device_name": "schemathesis"})
