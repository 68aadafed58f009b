"""The key pair of an S3 server from a file, where the environment gives none: `AWS_SHARED_CREDENTIALS_FILE`.

The S3 client reads variables alone, so the pair becomes variables of this process.
"""

from __future__ import annotations

import configparser
import os
from collections.abc import MutableMapping
from pathlib import Path

from ingestion.errors import BucketError

_PAIR = ("aws_access_key_id", "aws_secret_access_key")


def use_shared_credentials(environment: MutableMapping[str, str] = os.environ) -> None:
    """Take the pair of the file's profile (`AWS_PROFILE`, else `default`); with a pair in the environment do nothing.

    Raises:
        BucketError: the file cannot be read or has no such pair.
    """
    name = environment.get("AWS_SHARED_CREDENTIALS_FILE")
    if not name or environment.get("AWS_ACCESS_KEY_ID"):
        return
    profile = environment.get("AWS_PROFILE") or "default"
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(Path(name).read_text(encoding="utf-8"))
        pair = {part.upper(): parser[profile][part] for part in _PAIR}
    except (OSError, UnicodeDecodeError) as error:
        raise BucketError(f"AWS_SHARED_CREDENTIALS_FILE {name} cannot be read: {error}.") from error
    except (configparser.Error, KeyError) as error:
        raise BucketError(
            f"AWS_SHARED_CREDENTIALS_FILE {name} has no {' and '.join(_PAIR)} of the profile {profile}."
        ) from error
    environment.update(pair)
