"""The back ends, each on a place of its own."""

import base64

import pytest

from app.core.keys import KeyRing
from app.core.storage.encryption import Sealing
from app.core.storage.local import LocalStore
from tests.fixtures.wires import dead_port

__all__ = ["dead_port"]

OLD = "old:" + base64.b64encode(bytes(range(40, 72))).decode()
NEW = "new:" + base64.b64encode(bytes(range(80, 112))).decode()


def sealing(*keys):
    return Sealing(KeyRing.parse(",".join(keys)))


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "storage"


@pytest.fixture
def plain(folder):
    return LocalStore(folder)


@pytest.fixture
def sealed(folder):
    return LocalStore(folder, sealing(OLD))


@pytest.fixture(params=["plain", "sealed", "bucket"])
def store(request):
    """Each back end in turn."""
    return request.getfixturevalue(request.param)
