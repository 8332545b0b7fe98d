"""Previews as people see them: in a web app on another origin, in headless Chromium."""

import time
import urllib.request
from urllib.parse import urlsplit

import pytest
from PIL import Image

from app.demo import DEMO_PASSWORD
from tests.clients.test_browser import ask
from tests.fixtures.pictures import BLUE, GREEN, RED, WHITE, pictures

BOUNDARY = "a-reef-of-pictures"
LONGEST = 256
DEEP = "deep.png"
"""The grey ramp: the one picture without corners of colour."""


def upload(service, files, token, picture):
    head = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{picture.filename}"\r\n'
        f"Content-Type: {picture.media_type}\r\n\r\n"
    )
    body = head.encode() + picture.content + f"\r\n--{BOUNDARY}--\r\n".encode()
    headers = {
        "Authorization": f"Bearer {token}",
        "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
    }
    with urllib.request.urlopen(urllib.request.Request(f"{service.url}{files}", body, headers)) as answer:
        assert answer.status == 201


def processed(service, files, token, seconds=60):
    """The files, once the worker is done with all of them."""
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        items = ask(service, f"{files}?limit=100", token=token)[1]["items"]
        if all(item["state"] != "processing" for item in items):
            return items
        time.sleep(0.1)
    raise AssertionError(f"still processed: {items}")


@pytest.fixture(scope="module")
def album(service):
    """Alice's new project with the test pictures, each with its previews: address of its files, her token."""
    alice = {"email": "alice@example.com", "password": DEMO_PASSWORD}
    token = ask(service, "/api/v1/auth/login", alice)[1]["access_token"]
    project = ask(service, "/api/v1/projects", {"name": "Pictures of the reef"}, token)[1]["id"]
    files = f"/api/v1/projects/{project}/files"
    for picture in pictures():
        upload(service, files, token, picture)
    assert {item["state"] for item in processed(service, files, token)} == {"ready"}
    return {"files": f"{service.url}{files}", "token": token, "count": len(pictures())}


@pytest.fixture(scope="module")
def told(drive, album):
    return drive("thumbnails.mjs", **album)


@pytest.fixture(scope="module")
def shown(told):
    return {image["name"]: image for image in told["shown"]}


@pytest.fixture(scope="module")
def screenshot(told):
    """What stood on the screen, in colours."""
    with Image.open(told["screenshot"]) as image:
        return image.convert("RGB")


def test_every_preview_is_shown_under_its_name(shown):
    assert sorted(shown) == sorted(picture.filename for picture in pictures())
    assert all(image["width"] > 0 for image in shown.values())


@pytest.mark.parametrize("picture", pictures(), ids=lambda picture: picture.filename)
def test_it_is_small_and_stands_as_the_picture_does(shown, picture):
    width, height = shown[picture.filename]["width"], shown[picture.filename]["height"]
    assert max(width, height) == LONGEST
    assert width / height == pytest.approx(picture.size[0] / picture.size[1], rel=0.02)


def looks(seen, wanted):
    return all(abs(one - other) < 60 for one, other in zip(seen, wanted, strict=True))


@pytest.mark.parametrize("name", [picture.filename for picture in pictures() if picture.filename != DEEP])
def test_it_is_the_right_way_up_on_the_screen(shown, screenshot, name):
    """A picture that was turned or mirrored has another colour in these corners."""
    image = shown[name]
    left, top = round(image["x"]), round(image["y"])
    right, bottom = left + image["width"] - 1, top + image["height"] - 1
    corners = {
        RED: (left + 20, top + 20),
        GREEN: (right - 20, top + 20),
        BLUE: (left + 20, bottom - 20),
        WHITE: (left + 70, top + 20),
    }
    assert {wanted: looks(screenshot.getpixel(place), wanted) for wanted, place in corners.items()} == (
        dict.fromkeys(corners, True)
    )


def test_sixteen_bits_of_grey_stay_a_ramp(shown, screenshot):
    image = shown[DEEP]
    row = round(image["y"]) + image["height"] // 2
    shades = [screenshot.getpixel((round(image["x"]) + column, row))[0] for column in (4, 64, 128, 192, 251)]
    assert shades == sorted(shades)
    assert (shades[0] < 40, 90 < shades[2] < 170, shades[-1] > 215) == (True, True, True)


def test_the_app_is_of_another_site_and_asks_nobody_else(service, told):
    """Neither CORS nor Cross-Origin-Resource-Policy stands in its way, though it embeds only what says that it may."""
    assert told["isolated"] is True
    assert urlsplit(told["origin"]).hostname != urlsplit(service.url).hostname
    assert told["console"] == []
    assert told["failed"] == []
    assert all(address.startswith(told["origin"]) for address in told["elsewhere"])
