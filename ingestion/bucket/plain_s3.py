"""Plain signed requests to an S3 server, for keys that the client library does not accept.

If one key has a line break or another control character in it, the client library fails for the whole listing. A server
that is asked to encode the keys lists them all. Requests are signed by AWS signature version 4 with the credentials in
the environment.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import os
import urllib.request
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NamedTuple
from urllib.parse import quote, unquote, urlsplit
from xml.etree import ElementTree

TIMEOUT_SECONDS = 60


class Listed(NamedTuple):
    """One object of a server's listing: its whole key, size in bytes, last change (UTC) and etag."""

    key: str
    size: int
    modified: datetime
    etag: str


class Address(NamedTuple):
    """A bucket's URL without a trailing slash, and the region for the signature."""

    url: str
    region: str


def address_of(bucket: str, environment: Mapping[str, str] = os.environ) -> Address:
    """A bucket's address according to the usual `AWS_*` variables."""
    region = environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION") or "us-east-1"
    endpoint = environment.get("AWS_ENDPOINT_URL_S3") or environment.get("AWS_ENDPOINT_URL")
    if endpoint:
        return Address(f"{endpoint.rstrip('/')}/{bucket}", region)
    return Address(f"https://{bucket}.s3.{region}.amazonaws.com", region)


def list_page(address: Address, prefix: str, after: str) -> list[Listed]:
    """The next page of objects with this key prefix that come after the key `after`, in key order; empty at the end.

    Raises:
        OSError: the server did not answer, refused, or sent something that is not a listing.
    """
    query = {"list-type": "2", "encoding-type": "url", "prefix": prefix} | ({"start-after": after} if after else {})
    return [
        Listed(
            unquote(_text(entry, "Key").replace("+", " ")),
            int(_text(entry, "Size")),
            datetime.fromisoformat(_text(entry, "LastModified")),
            _text(entry, "ETag").strip('"'),
        )
        for entry in _read(send(address, "GET", "", query)).iterfind("{*}Contents")
    ]


def send(address: Address, method: str, key: str, query: Mapping[str, str] | None = None, body: bytes = b"") -> bytes:
    """Send a signed request and return the body of the answer.

    Raises:
        OSError: the server did not answer, or refused.
    """
    parts = urlsplit(f"{address.url}/{quote(key)}" if key else f"{address.url}/")
    asked = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in sorted((query or {}).items()))
    headers = _signed(address, method, parts.netloc, parts.path, asked, body)
    url = f"{parts.scheme}://{parts.netloc}{parts.path}{f'?{asked}' if asked else ''}"
    request = urllib.request.Request(url, method=method, headers=headers, data=body or None)
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:
            return bytes(answer.read())
    except http.client.HTTPException as error:
        raise OSError(f"{method} {address.url}: {error or type(error).__name__}") from error


def _read(page: bytes) -> ElementTree.Element:
    try:
        return ElementTree.fromstring(page)
    except ElementTree.ParseError as error:
        raise OSError(f"the server's listing is no XML: {error}") from error


def _text(entry: ElementTree.Element, name: str) -> str:
    return entry.findtext(f"{{*}}{name}") or ""


def _signed(address: Address, method: str, host: str, path: str, query: str, body: bytes) -> dict[str, str]:
    """The headers of a request, including its signature."""
    at, content = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ"), hashlib.sha256(body).hexdigest()
    headers = {"host": host, "x-amz-content-sha256": content, "x-amz-date": at}
    if token := os.environ.get("AWS_SESSION_TOKEN"):
        headers["x-amz-security-token"] = token
    names = ";".join(sorted(headers))
    lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    request = f"{method}\n{path}\n{query}\n{lines}\n{names}\n{content}"
    scope = f"{at[:8]}/{address.region}/s3/aws4_request"
    text = "\n".join(("AWS4-HMAC-SHA256", at, scope, hashlib.sha256(request.encode()).hexdigest()))
    key = f"AWS4{os.environ.get('AWS_SECRET_ACCESS_KEY', '')}".encode()
    for part in (at[:8], address.region, "s3", "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    owner = os.environ.get("AWS_ACCESS_KEY_ID", "")
    return headers | {
        "authorization": f"AWS4-HMAC-SHA256 Credential={owner}/{scope}, SignedHeaders={names}, Signature={signature}"
    }
