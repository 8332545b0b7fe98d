"""The service on S3, and Alice's project there."""

import pytest

from tests.fixtures.people import make_person
from tests.fixtures.s3 import PLACE, closes


@pytest.fixture
def s3_app(make_app, s3_endpoint, make_bucket):
    """The service on a bucket of its own."""
    bucket = make_bucket()
    app = make_app(
        storage="s3", s3_bucket=bucket._bucket, s3_endpoint_url=s3_endpoint, s3_access_key_id=PLACE.key_id,
        s3_secret_access_key=PLACE.secret,
    )  # fmt: skip
    yield app
    closes(app.extensions["holdfast"].engines.store)


@pytest.fixture
def parts(s3_app):
    """What the service on S3 is made of: all fixtures below look there."""
    return s3_app.extensions["holdfast"]


@pytest.fixture
def alice(s3_app):
    return make_person(s3_app, "Alice")


@pytest.fixture
def bob(s3_app):
    return make_person(s3_app, "Bob")


@pytest.fixture
def charlie(s3_app):
    return make_person(s3_app, "Charlie")


@pytest.fixture
def uploads(reef):
    return f"/projects/{reef.id}/uploads"
