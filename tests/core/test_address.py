"""Client addresses: counted by network, shown truncated, junk told apart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.address import network, truncated
from tests.fixtures.properties import quick


@pytest.mark.parametrize(
    ("address", "counted", "shown"),
    [
        ("203.0.113.7", "203.0.113.7/32", "203.0.113.0"),
        ("127.0.0.1", "127.0.0.1/32", "127.0.0.0"),
        ("255.255.255.255", "255.255.255.255/32", "255.255.255.0"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64", "2001:db8:1::"),
        ("2001:0DB8:0001:0002::0006", "2001:db8:1:2::/64", "2001:db8:1::"),
        ("::1", "::/64", "::"),
        ("fe80::1%eth0", "fe80::/64", "fe80::"),
        ("::ffff:203.0.113.7", "203.0.113.7/32", "203.0.113.0"),
        ("::ffff:cb00:7107", "203.0.113.7/32", "203.0.113.0"),
        ("", "unknown", None),
        ("unknown", "unknown", None),
        ("203.0.113", "unknown", None),
        ("203.0.113.256", "unknown", None),
        ("203.0.113.07", "unknown", None),
        ("203.0.113.7:443", "unknown", None),
        ("[::1]", "unknown", None),
        ("1.2.3.4, 5.6.7.8", "unknown", None),
        ("203.0.113.7\n", "unknown", None),
    ],
)
def test_an_address(address, counted, shown):
    assert (network(address), truncated(address)) == (counted, shown)


def test_one_subscriber_of_ipv6_is_one_subject():
    """SEC-13: ::1 and ::2 of a /64 share a budget; the next /64 has its own."""
    assert network("2001:db8::1") == network("2001:db8::2") == network("2001:db8::ffff:ffff:ffff:ffff")
    assert network("2001:db8::1") != network("2001:db8:0:1::1")


@quick
@given(st.ip_addresses().map(str) | st.text(max_size=40))
def test_whatever_is_sent_there_is_a_subject_and_never_an_empty_one(address):
    """Trap T17: an empty key would skip the limit."""
    assert network(address)


@quick
@given(st.ip_addresses(v=4))
def test_what_is_stored_of_an_address_is_not_the_address(address):
    shown = truncated(str(address))
    assert shown.endswith(".0")
    assert shown.rsplit(".", 1)[0] == str(address).rsplit(".", 1)[0]


@quick
@given(st.ip_addresses(v=6))
def test_what_is_stored_of_an_ipv6_address_names_no_subscriber(address):
    shown = truncated(str(address))
    assert shown == truncated(shown)
