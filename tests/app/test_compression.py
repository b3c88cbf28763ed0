"""Who takes gzip is sent it, and nobody else; static files come compressed and are kept for ever."""

import gzip

import pytest

from app.compression import accepts_gzip, compressible, gzipped, varied
from app.main import STATIC
from tests.app.conftest import TestClient


@pytest.mark.parametrize(
    ("header", "gzip"),
    [
        ("", False),
        ("gzip", True),
        ("GZIP", True),
        ("x-gzip", True),
        ("gzip, deflate, br, zstd", True),
        ("deflate, br", False),
        ("*", True),
        ("*;q=0", False),
        ("gzip;q=0", False),
        ("gzip;q=0, *", False),
        ("*;q=0, gzip", True),
        ("gzip ; q=0.5", True),
        ("gzip;q=0.5, identity", False),
        ("gzip;q=0.5, identity;q=0.5", True),
        ("gzip;q=0.5, identity;q=0.1", True),
        ("identity", False),
        ("gzip;q=much", False),
        (",,;q=1,gzip", True),
    ],
)
def test_the_weights_are_honoured(header: str, gzip: bool) -> None:
    assert accepts_gzip(header) is gzip


@pytest.mark.parametrize(
    ("content_type", "wanted"),
    [
        ("text/html; charset=utf-8", True),
        ("application/json", True),
        ("Text/CSS", True),
        ("image/svg+xml", True),
        ("text/event-stream; charset=utf-8", False),
        ("image/png", False),
        ("font/woff2", False),
        ("", False),
    ],
)
def test_what_gets_smaller_is_compressed(content_type: str, wanted: bool) -> None:
    assert compressible(content_type) is wanted


def test_a_body_is_the_same_again() -> None:
    body = b"a page " * 100
    assert gzipped(body) == gzipped(body)
    assert gzip.decompress(gzipped(body, 6)) == body


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "Accept-Encoding"),
        ("HX-Request, HX-Target", "HX-Request, HX-Target, Accept-Encoding"),
        ("accept-encoding", "accept-encoding"),
        ("*", "*"),
    ],
)
def test_vary_names_each_once(before: str, after: str) -> None:
    assert varied(before) == after


def test_static_files_come_compressed(common: TestClient) -> None:
    address = "/static/app.css?v=1"
    whole = (STATIC / "app.css").read_bytes()
    with common.stream("GET", address, headers={"accept-encoding": "gzip"}) as packed:
        raw = b"".join(packed.iter_raw())
    assert gzip.decompress(raw) == whole
    assert packed.headers["content-length"] == str(len(raw))
    assert packed.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert packed.headers["content-type"] == "text/css; charset=utf-8"
    plain = common.get(address, headers={"accept-encoding": "identity"})
    assert plain.content == whole
    assert plain.headers["vary"] == packed.headers["vary"] == "Accept-Encoding"
    assert packed.headers["etag"] == f"W/{plain.headers['etag']}"
    for etag in (plain.headers["etag"], packed.headers["etag"]):
        again = common.get(address, headers={"If-None-Match": etag})
        assert (again.status_code, again.content, again.headers["vary"]) == (304, b"", "Accept-Encoding")


def test_a_part_of_a_file_is_of_the_plain_one(common: TestClient) -> None:
    whole = (STATIC / "app.css").read_bytes()
    part = common.get("/static/app.css", headers={"accept-encoding": "gzip", "range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, whole[10:20])
    assert "content-encoding" not in part.headers


def test_what_is_compressed_already_stays_as_it_is(common: TestClient) -> None:
    font = "/static/vendor/inter/inter-latin-wght-normal.woff2"
    found = common.get(font, headers={"accept-encoding": "gzip"})
    assert "content-encoding" not in found.headers
    assert "vary" not in found.headers
