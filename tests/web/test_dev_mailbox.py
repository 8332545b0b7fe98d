"""The development mailbox over HTTP: JSON for programs, pages for people."""

import re

import pytest

from app.core.mail import Mail, MailboxFolder
from tests.fixtures.pages_app import pages_app

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
LINK = "https://api.example.com/verify-email#token=abc"


@pytest.fixture
def mailbox(tmp_path):
    folder = MailboxFolder(tmp_path)
    folder.send(Mail("bob@example.com", "Second", "text", "<head></head><p>Hi</p>", "test"))
    folder.send(
        Mail(
            "alice@example.com",
            "First",
            "text",
            "<head></head><p>Hi</p>",
            "verify_email",
            "482913",
            "abc",
            LINK,
        )
    )
    return folder


@pytest.fixture
def client(mailbox):
    return pages_app(mailbox).test_client()


@pytest.mark.parametrize("accept", [{}, {"Accept": "*/*"}, {"Accept": "application/json"}])
def test_programs_get_json_newest_first(client, mailbox, accept):
    answer = client.get("/dev/mailbox", headers=accept)
    assert answer.status_code == 200
    assert answer.content_type.startswith("application/json")
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Accept" in answer.headers["Vary"]
    first, second = answer.json["items"]
    assert first.keys() == {"id", "to", "subject", "text", "html", "code", "token", "link", "created_at"}
    assert (first["to"], first["code"], first["token"], first["link"]) == (
        "alice@example.com",
        "482913",
        "abc",
        LINK,
    )
    assert (second["to"], second["code"], second["token"], second["link"]) == (
        "bob@example.com",
        None,
        None,
        None,
    )
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", first["created_at"])
    assert client.get(f"/dev/mailbox/{first['id']}", headers=accept).json == first


def test_filter_and_limit(client):
    assert [mail["to"] for mail in client.get("/dev/mailbox?to=BOB@example.com").json["items"]] == [
        "bob@example.com"
    ]
    assert len(client.get("/dev/mailbox?limit=1").json["items"]) == 1
    assert client.get("/dev/mailbox?limit=-1").json["items"] == []
    assert len(client.get("/dev/mailbox?limit=all").json["items"]) == 2


def test_delete_all_or_one_persons(client):
    assert client.delete("/dev/mailbox?to=bob@example.com").status_code == 204
    assert [mail["to"] for mail in client.get("/dev/mailbox").json["items"]] == ["alice@example.com"]
    assert client.delete("/dev/mailbox").status_code == 204
    assert client.get("/dev/mailbox").json == {"items": []}


def test_a_mail_that_is_not_there(client):
    missing = "/dev/mailbox/01a20389-3c5d-7674-95a3-299310f3a210"
    assert client.get(missing).json == {"code": "not_found"}
    page = client.get(missing, headers=BROWSER)
    assert page.status_code == 404
    assert "There is no such mail" in page.text


def test_people_get_a_list(client):
    page = client.get("/dev/mailbox", headers=BROWSER).text
    assert page.index("First") < page.index("Second")
    assert 'data-copy="482913"' in page
    assert f'href="{LINK}"' in page
    assert (
        "No mail to charlie@example.com"
        in client.get("/dev/mailbox?to=charlie@example.com", headers=BROWSER).text
    )


def test_people_get_a_mail_in_a_frame_that_may_do_nothing(client, mailbox):
    page = client.get(f"/dev/mailbox/{mailbox.list()[0].id}", headers=BROWSER).text
    [frame] = re.findall(r"<iframe[^>]*>", page)
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in frame
    assert "&lt;p&gt;Hi&lt;/p&gt;" in frame
    assert "base target=&#34;_blank&#34;" in frame
    assert '<span class="code" id="code">482913</span>' in page
    assert f'data-copy="{LINK}"' in page


def test_with_smtp_there_is_nothing_to_show():
    client = pages_app(mailbox=None).test_client()
    assert "Mail goes out by SMTP" in client.get("/dev/mailbox", headers=BROWSER).text
    assert client.get("/dev/mailbox").json == {"items": []}
    assert client.get("/dev/mailbox/01a20389-3c5d-7674-95a3-299310f3a210").status_code == 404
    assert client.delete("/dev/mailbox").status_code == 204
