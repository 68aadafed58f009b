"""Conditional delete: the server compares the etag and deletes in one step, so that an object replaced at that moment
stays. S3 supports this (`If-Match`), but the client library does not, so the library signs the request and Python sends
it.
"""

from __future__ import annotations

import http.client
import secrets
import urllib.error
import urllib.request
from datetime import timedelta
from typing import TYPE_CHECKING

from ingestion.bucket.objects import ARCHIVE_PREFIX

if TYPE_CHECKING:
    from obstore.store import S3Store

SIGNED_FOR = timedelta(minutes=5)
TIMEOUT_SECONDS = 30
_OTHER_CONTENT = (404, 409, 412)  # gone, being replaced, replaced
_UNKNOWN_TO_SERVER = (400, 405, 501)


def delete_if_match(store: S3Store, key: str, etag: str) -> bool:
    """Delete an object that still has this etag; False if it has another etag or is gone.

    Raises:
        OSError: the server did not answer or failed; repeating the request is harmless.
    """
    import obstore

    url = obstore.sign(store, "DELETE", key, SIGNED_FOR)
    request = urllib.request.Request(url, method="DELETE", headers={"If-Match": f'"{etag}"'})
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS):
            return True
    except urllib.error.HTTPError as error:
        if error.code in _OTHER_CONTENT:
            return False
        raise
    except http.client.HTTPException as error:
        raise OSError(f"DELETE {key}: {error or type(error).__name__}") from error


def knows_conditions(store: S3Store) -> bool:
    """Whether the server refuses to delete an object whose etag differs, tested on an object created for it."""
    import obstore

    key = f"{ARCHIVE_PREFIX}_condition-{secrets.token_hex(8)}"
    obstore.put(store, key, b"Made to see whether a delete with a condition is refused.", use_multipart=False)
    try:
        return not delete_if_match(store, key, "0" * 32)
    except urllib.error.HTTPError as error:
        if error.code in _UNKNOWN_TO_SERVER:
            return False
        raise
    finally:
        obstore.delete(store, key)
