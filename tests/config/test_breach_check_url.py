"""SEC-55: the address of the breach service is a web address, whatever else somebody writes there."""

import pytest

from app.config import Settings


@pytest.mark.parametrize(
    "url", ["ftp://breaches.example/range/", "file:///etc/passwd", "breaches.example", "http://"]
)
def test_sec_55_only_web_addresses_are_asked(url):
    faults = Settings(_env_file=None, breach_check_url=url).faults()
    assert "BREACH_CHECK_URL: must be a http:// or https:// address" in faults


@pytest.mark.parametrize("url", ["https://api.pwnedpasswords.com/range/", "http://10.0.0.5:8080/range/"])
def test_a_public_service_or_a_mirror_of_ones_own_is_fine(url):
    assert not [
        fault for fault in Settings(_env_file=None, breach_check_url=url).faults() if "BREACH" in fault
    ]
