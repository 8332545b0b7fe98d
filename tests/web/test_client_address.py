"""SEC-47: whose address counts, and which host this is, is never up to the client."""

import pytest

from tests.fixtures.accounts import registers_and_reads_mail
from tests.fixtures.client import ApiClient
from tests.fixtures.planted import plant, what_it_believes

SOCKET = "198.51.100.9"
REAL = "203.0.113.7"
SEEN = {
    "no proxy: the socket": (0, None, SOCKET),
    "no proxy, forged": (0, "6.6.6.6", SOCKET),
    "no proxy, forged twice": (0, "6.6.6.6, 7.7.7.7", SOCKET),
    "one proxy": (1, REAL, REAL),
    "one proxy, forged": (1, f"6.6.6.6, {REAL}", REAL),
    "one proxy, much forged": (1, ", ".join(["6.6.6.6"] * 50 + [REAL]), REAL),
    "one proxy that says nothing": (1, None, SOCKET),
    "two proxies": (2, f"{REAL}, 10.0.0.1", REAL),
    "two proxies, forged": (2, f"6.6.6.6, {REAL}, 10.0.0.1", REAL),
    "two proxies, one passed by": (2, "6.6.6.6", SOCKET),
    "one proxy, IPv6": (1, "6.6.6.6, 2001:db8::7", "2001:db8::7"),
}


def plant_mirror(app):
    plant(app, what_it_believes)


@pytest.fixture
def behind(kept_app):
    """A service behind so many proxies that it trusts, and a client of it."""

    def make(proxies, **settings):
        return ApiClient(kept_app(plant_mirror, trusted_proxies=proxies, **settings))

    return make


def forwarded(value):
    return {"environ_base": {"REMOTE_ADDR": SOCKET}, "headers": {"X-Forwarded-For": value} if value else {}}


@pytest.mark.parametrize(("proxies", "header", "expected"), SEEN.values(), ids=SEEN)
def test_sec_47_the_address_is_the_one_that_the_last_trusted_proxy_saw(behind, proxies, header, expected):
    assert behind(proxies).get("/planted", **forwarded(header)).json["address"] == expected


@pytest.mark.parametrize("proxies", [0, 1, 2])
def test_sec_47_fifty_forged_addresses_share_one_bucket(behind, redis_client, proxies):
    client = behind(proxies, rate_limit_anonymous="40/3600")
    honest = ["", f", {REAL}", f", {REAL}, 10.0.0.1"][proxies]
    answers = [client.get("/planted", **forwarded(f"6.6.{number}.6{honest}")) for number in range(50)]
    assert [answer.status_code for answer in answers] == [200] * 40 + [429] * 10
    [key] = redis_client.keys("hfl:*")
    assert (SOCKET if proxies == 0 else REAL).encode() in key


def test_sec_47_and_they_share_the_budget_of_failed_sign_ins(behind, alice):
    client = behind(1, rate_limit_sign_in_address="3/300")
    answers = [
        client.post(
            "/auth/login",
            json={"email": f"nobody{number}@example.com", "password": "wrong, wrong, wrong"},
            **forwarded(f"6.6.6.{number}, {REAL}"),
        )
        for number in range(4)
    ]
    assert [answer.status_code for answer in answers] == [401, 401, 401, 429]
    assert answers[-1].headers["RateLimit"].startswith('"sign-in-address";r=0;')


def test_sec_47_sessions_show_the_truncated_address_of_the_client(behind, alice, sql):
    behind(1).post(
        "/auth/login",
        json={"email": alice.email, "password": alice.password},
        **forwarded(f"6.6.6.6, {REAL}"),
    )
    [(ip,)] = sql("SELECT ip FROM sessions ORDER BY created_at DESC LIMIT 1")
    assert ip == "203.0.113.0"


@pytest.mark.parametrize("proxies", [0, 1, 2])
@pytest.mark.parametrize(
    "header", ["X-Forwarded-Host", "X-Forwarded-Server", "X-Host", "X-Forwarded-Prefix", "X-Script-Name", "Forwarded", "X-Original-URL"]
)  # fmt: skip
def test_sec_47_no_header_moves_the_service_to_another_place(behind, proxies, header):
    client = behind(proxies)
    told = client.get("/planted", headers={header: "host=evil.example.com"}).json
    again = client.get("/planted", headers={header: "evil.example.com"}).json
    for each in (told, again):
        assert (each["host"], each["root"], each["script"]) == ("localhost", "http://localhost/", "")


@pytest.mark.parametrize(("proxies", "scheme"), [(0, "http"), (1, "https")])
def test_the_scheme_is_believed_of_a_trusted_proxy_only(behind, proxies, scheme):
    assert behind(proxies).get("/planted", headers={"X-Forwarded-Proto": "https"}).json["scheme"] == scheme


@pytest.mark.parametrize(
    "host",
    ["evil.example.com", "localhost.evil.example.com", "localhost:8000@evil", "10.0.0.7", "local host"],
)
@pytest.mark.parametrize("path", ["//api/v1/meta", "//docs", "//livez", "//nowhere"])
def test_sec_47_a_host_that_is_not_ours_is_refused(anonymous, host, path):
    answer = anonymous.get(path, headers={"Host": host})
    assert (answer.status_code, answer.mimetype) == (400, "application/problem+json")
    assert answer.json["code"] == "bad_request"
    assert "evil" not in answer.text


@pytest.mark.parametrize(
    "host",
    ["localhost", "localhost:8000", "127.0.0.1:8123", "api.example.com", "www.example.com"],
)
def test_our_own_names_are_answered(kept_app, host):
    client = ApiClient(kept_app(public_url="https://api.example.com", trusted_hosts="www.example.com"))
    assert client.get("/meta", headers={"Host": host}).status_code == 200


def test_links_in_mails_come_from_the_settings_never_from_host(anonymous, letters):
    anonymous.headers |= {"Host": "127.0.0.1:9999", "X-Forwarded-Host": "evil.example.com"}
    mail = registers_and_reads_mail(anonymous, letters)
    assert mail.link.startswith("http://localhost:8000/verify-email#token=")
    assert "9999" not in mail.text + mail.html
    assert "evil" not in mail.text + mail.html
