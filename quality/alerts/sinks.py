"""One function for each kind of sink: takes a message, returns when it is delivered, raises `NotDelivered` if not."""

from __future__ import annotations

import json
import os
import smtplib
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from quality.alerts.messages import Message, as_line, as_mail, as_webhook
from quality.alerts.settings import AlertSettings

# How much of the log's end is searched for a line that is already there: many times what one turn writes.
TAIL_BYTES = 1 << 20

Send = Callable[[Message], None]


class NotDelivered(Exception):
    """Why a sink did not take a message, without any secret: a webhook's address is one."""


def build_sinks(settings: AlertSettings, log_path: Path) -> dict[str, Send]:
    """The sinks that are set up, by name."""
    sinks: dict[str, Send] = {"file": lambda message: append_line(log_path, message)}
    if "webhook" in settings.sinks:
        sinks["webhook"] = lambda message: post(settings, message)
    if "mail" in settings.sinks:
        sinks["mail"] = lambda message: send_mail(settings, message)
    return sinks


def append_line(path: Path, message: Message) -> None:
    """Append a message's line, unless the log's end has it: a process can die between the line and its record."""
    ending = f"\t{message.key}\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "a+b") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - TAIL_BYTES))
            tail = file.read().decode("utf-8", "replace")
            if ending in tail:
                return
            if tail and not tail.endswith("\n"):  # a line that a full disk cut short
                file.write(b"\n")
            file.write(f"{as_line(message)}\n".encode())
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise NotDelivered(f"{path} cannot be written: {error.strerror}") from error


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        """A message goes where the settings say, nowhere else."""


def post(settings: AlertSettings, message: Message) -> None:
    """POST the message to the webhook; its key is also sent as `Idempotency-Key`."""
    assert settings.webhook_url is not None
    address = settings.webhook_url.get_secret_value()
    request = urllib.request.Request(
        address,
        data=json.dumps(as_webhook(message)).encode(),
        headers={"Content-Type": "application/json", "Idempotency-Key": message.key},
        method="POST",
    )
    host = urlsplit(address).hostname
    try:
        with urllib.request.build_opener(_NoRedirect).open(request, timeout=settings.timeout_seconds):
            return
    except urllib.error.HTTPError as error:
        raise NotDelivered(f"the webhook at {host} answered {error.code}") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise NotDelivered(f"the webhook at {host} cannot be reached: {type(reason).__name__}") from None


def send_mail(settings: AlertSettings, message: Message) -> None:
    """Send the message by SMTP."""
    assert settings.smtp_host is not None
    assert settings.mail_from is not None
    assert settings.mail_to is not None
    kind = smtplib.SMTP_SSL if settings.smtp_security == "tls" else smtplib.SMTP
    try:
        with kind(settings.smtp_host, settings.smtp_port, timeout=settings.timeout_seconds) as server:
            if settings.smtp_security == "starttls":
                server.starttls(context=ssl.create_default_context())
            if settings.smtp_user and settings.smtp_password:
                server.login(settings.smtp_user, settings.smtp_password.get_secret_value())
            server.send_message(as_mail(message, settings.mail_from, settings.mail_to))
    except (OSError, smtplib.SMTPException) as error:
        told = f"{error.smtp_code}" if isinstance(error, smtplib.SMTPResponseException) else type(error).__name__
        raise NotDelivered(f"the mail server {settings.smtp_host} did not take it: {told}") from None
