"""The names of all variables that begin with `FLOORHOUSE_`, so that a misspelt one is refused by whatever meets it.

Names only, without what they mean, so that the edge uploader can read them without the classes of the other programs.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable

PREFIX = "FLOORHOUSE_"


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Names without the prefix. A test compares each group with its settings class.
PLANT = _names(
    """
    DATA_DIR DATA_READERS LANDING_URL LANDED_OBJECTS LAST_EVENT_MINUTES MAX_STATE_MINUTES STILL_SECONDS
    REGISTRY_STILL_SECONDS LEAST_BATCH_SECONDS MAX_OBJECT_BYTES MAX_RECORD_BYTES MAX_OBJECT_RECORDS SITE_URL
    PLANT_NAME
    ALLOWED_HOSTS REVIEW_FRACTION MEDIA_URL OLD_EVENT_DAYS CONFIDENCE_FLOOR NORMAL_AFTER_LABELLED_DAYS
    RETRAINING_FLOOR_DAYS RETRAINING_MIX_SHIFT RETRAINING_ACCURACY
    RETRAINING_LEAST_LABELS RETRAINING_EVERY_DAYS TRAINER_COMMAND WORKER_IDENTITY PSEUDONYM_KEY PSEUDONYM_KEY_FILE
    MIN_GROUP RETENTION_EVENT_DAYS RETENTION_PERSON_DAYS RETENTION_ARCHIVE_DAYS RETENTION_GRACE_DAYS
    """
)
ALERT = _names(
    """
    ALERT_WEBHOOK_URL ALERT_WEBHOOK_URL_FILE ALERT_SMTP_HOST ALERT_SMTP_PORT ALERT_SMTP_SECURITY ALERT_SMTP_USER
    ALERT_SMTP_PASSWORD ALERT_SMTP_PASSWORD_FILE ALERT_MAIL_FROM ALERT_MAIL_TO ALERT_TIMEOUT_SECONDS
    ALERT_HEARTBEAT_URL ALERT_HEARTBEAT_URL_FILE
    """
)
INTAKE = _names(
    """
    INTAKE_HOST INTAKE_PORT INTAKE_API_KEYS_FILE INTAKE_REVIEWERS_FILE INTAKE_ALLOW_WITHOUT_KEY INTAKE_MAX_BODY_BYTES
    INTAKE_MAX_BATCH_RECORDS INTAKE_MAX_WAITING_REQUESTS INTAKE_MAX_WAITING_BYTES INTAKE_GROUP_BYTES
    INTAKE_GROUP_MILLISECONDS INTAKE_READ_SECONDS INTAKE_WRITE_SECONDS
    """
)
EDGE = _names(
    """
    EDGE_TARGET_URL EDGE_SPOOL_DIR EDGE_INBOX_DIR EDGE_SITE_ID EDGE_CAMERA_ID EDGE_OBJECT_MAX_BYTES
    EDGE_OBJECT_MAX_EVENTS EDGE_OBJECT_MAX_AGE_SECONDS EDGE_SPOOL_MAX_BYTES EDGE_WHEN_FULL EDGE_RETRY_BASE_SECONDS
    EDGE_RETRY_MAX_SECONDS EDGE_REQUEST_TIMEOUT_SECONDS EDGE_POLL_SECONDS EDGE_REPORT_SECONDS
    """
)
BRIDGE = _names(
    """
    BRIDGE_BROKER_URL BRIDGE_TOPICS BRIDGE_MQTT_VERSION BRIDGE_CLIENT_ID BRIDGE_USER BRIDGE_PASSWORD
    BRIDGE_PASSWORD_FILE BRIDGE_CA_FILE BRIDGE_CLIENT_CERTIFICATE_FILE BRIDGE_CLIENT_KEY_FILE
    BRIDGE_SESSION_EXPIRY_SECONDS BRIDGE_KEEPALIVE_SECONDS BRIDGE_RECEIVE_MAXIMUM BRIDGE_GROUP_BYTES
    BRIDGE_RETRY_BASE_SECONDS BRIDGE_RETRY_MAX_SECONDS
    """
)
# Read by docker compose and the bucket's container, and by nothing else.
CONTAINERS = _names(
    """
    BASE_IMAGE BIND_ADDRESS REPORT_PORT DAGSTER_PORT BUCKET_PORT CAMERAS_ACCESS_KEY_ID CAMERAS_SECRET_ACCESS_KEY
    ADMINISTRATION_ACCESS_KEY_ID ADMINISTRATION_SECRET_ACCESS_KEY
    """
)
# How a batch tells dbt where the warehouse is, and how much memory it may use.
INNER = frozenset({"WAREHOUSE", "DATABASE_MEMORY"})

KNOWN = PLANT | ALERT | INTAKE | EDGE | BRIDGE | CONTAINERS | INNER


def unknown_variable(names: Iterable[str]) -> str | None:
    """A sentence about the first variable that begins with `FLOORHOUSE_` and is none, and the nearest that is one."""
    for name in sorted(names):
        inner = name.upper().removeprefix(PREFIX)
        if name.upper().startswith(PREFIX) and inner not in KNOWN:
            return f"{name} is no setting of Floorhouse; the nearest name is {PREFIX}{nearest(inner, KNOWN - INNER)}."
    return None


def nearest(name: str, known: Collection[str]) -> str:
    """The known name that is most like this one."""
    return difflib.get_close_matches(name, sorted(known), n=1, cutoff=0)[0]
