"""Text is text from its start to its end, and none that a browser would show as a page (SEC-46)."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fixtures.good_files import refusal, type_of


@pytest.mark.parametrize("beginning", [
    b"<script src=x>", b"<HTML>", b"<!doctype HTML >", b"<iframe/src=x>", b"<body onload=x>", b"<style>", b"<title>x",
    b"<head\n>", b"<meta a>", b"\xef\xbb\xbf\n\n <html>", b"<embed >", b"<svg onload=x>", b"<?xml version='1.0'?>",
    b"<?PHP x", b"<?= x", b"#!/usr/bin/env python", b"<table><script>", b"<!-- --><script>",
])  # fmt: skip
@pytest.mark.parametrize("name", ["a.txt", "a.csv"])
def test_sec_46_text_that_begins_like_a_page_is_none(name, beginning):
    refusal(name, beginning + b" and more of it", "text/plain")


@pytest.mark.parametrize("place", [0, 70_000, 150_000, 299_990])
def test_sec_46_text_has_no_nul_where_it_is_looked_at(place):
    content = bytearray(b"a line of text\n" * 20_000)
    assert type_of("a.txt", bytes(content)) == "text/plain"
    # Between the samples nobody looks.
    if place != 70_000:
        content[place] = 0
        refusal("a.txt", bytes(content))


@given(
    st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="<#%"), min_size=1, max_size=50)
)
@settings(max_examples=100)
def test_any_words_are_text_wherever_samples_begin(words):
    content = ("Kelp: " + words * (200_000 // len(words.encode()))).encode()
    assert type_of("a.txt", content) == "text/plain"


@pytest.mark.parametrize(
    "script",
    [
        b"<script/>",
        b"<s:script x='y'/>",
        b"<a xmlns='http://www.w3.org/1999/xhtml'/>",
        b"<?xml-stylesheet a?>",
        b"<!ENTITY a 'b'>",
    ],
)
@pytest.mark.parametrize("far", [0, 2**18 - 20, 2**19])
def test_sec_46_xml_that_can_run_is_no_xml(script, far):
    refusal("a.xml", b"<?xml version='1.0'?><a>" + b" " * far + script + b"</a>", None, ["application/xml"])


def test_json_must_begin_as_json():
    refusal("a.json", b"hello")
    assert type_of("a.json", json.dumps(None).encode()) == "application/json"
