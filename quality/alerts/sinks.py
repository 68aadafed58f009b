"""One function for each kind of sink: returns when a message is delivered, and raises `NotDelivered` if it is not."""

from __future__ import annotations

import base64
import email.utils
import http.client
import json
import os
import smtplib
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, urlsplit

from quality.alerts.messages import Message, as_line, as_mail, as_webhook
from quality.alerts.settings import PREFIX, AlertSettings

# The bytes at the log's end that are searched for a duplicate line: many times what one turn writes.
TAIL_BYTES = 1 << 20

# Delivers a message. Returns a further remark as one sentence, else "".
Send = Callable[[Message], str]

NO_ANSWER = "did not answer in time"

# Characters of an address that are not escaped: those with a meaning in RFC 3986, and `%` of existing escapes.
_KEPT_IN_ADDRESSES = "%/:=&?~#+!$,;'@()*[]"


class NotDelivered(Exception):
    """Why a sink did not take a message. The text contains no secret, such as a webhook's address.

    `is_away`: the sink is not available, so this turn tries no further message. `wait_seconds`: the wait it asked for.
    """

    def __init__(self, sentence: str, *, is_away: bool = False, wait_seconds: float = 0.0) -> None:
        super().__init__(sentence)
        self.is_away = is_away
        self.wait_seconds = wait_seconds


def build_sinks(settings: AlertSettings, log_path: Path) -> dict[str, Send]:
    """The sinks that are set up, by name."""
    sinks: dict[str, Send] = {"file": lambda message: append_line(log_path, message)}
    if "webhook" in settings.sinks:
        sinks["webhook"] = lambda message: post(settings, message)
    if "mail" in settings.sinks:
        sinks["mail"] = lambda message: send_mail(settings, message)
    return sinks


def append_line(path: Path, message: Message) -> str:
    """Append a message's line unless the log's end has it. A process can die after the line, before its record.

    Raises:
        NotDelivered: the log cannot be written.
    """
    ending = f"\t{message.key}\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "a+b") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - TAIL_BYTES))
            tail = file.read().decode("utf-8", "replace")
            if ending in tail:
                return ""
            if tail and not tail.endswith("\n"):  # a line that a full disk cut short
                file.write(b"\n")
            file.write(f"{as_line(message)}\n".encode())
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise NotDelivered(f"{path} cannot be written: {error.strerror}") from error
    return ""


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """Treats a redirect as the final answer."""

    def redirect_request(self, *_: object) -> None:
        """Do not follow: a message goes only to the address in the settings."""


def post(settings: AlertSettings, message: Message) -> str:
    """POST the message to the webhook, with its key as the header `Idempotency-Key`.

    Raises:
        NotDelivered: the webhook cannot be reached, or answered with an error.
    """
    address = _secret("the webhook's address", lambda: settings.webhook)
    host = urlsplit(address).hostname
    try:
        request = urllib.request.Request(
            sendable(address),
            data=json.dumps(as_webhook(message)).encode(),
            headers={"Content-Type": "application/json", "Idempotency-Key": message.key},
            method="POST",
        )
        with urllib.request.build_opener(NoRedirect).open(request, timeout=settings.timeout_seconds):
            return ""
    except urllib.error.HTTPError as error:
        raise NotDelivered(
            f"the webhook at {host} {failure(error)}",
            is_away=error.code in (429, 503),
            wait_seconds=_asked_to_wait(error.headers.get("Retry-After", "")),
        ) from None
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise NotDelivered(f"the webhook at {host} {failure(error)}", is_away=True) from None


def sendable(address: str) -> str:
    """An address as HTTP needs it: the host encoded by IDNA, other letters and blanks percent-encoded as UTF-8.

    Raises:
        UnicodeError: the host is not a valid host name.
    """
    parts = urlsplit(address)
    host = (parts.hostname or "").encode("idna").decode()
    login, at, _ = parts.netloc.rpartition("@")
    port = f":{parts.port}" if parts.port else ""
    place = f"{quote(login, _KEPT_IN_ADDRESSES)}{at}{f'[{host}]' if ':' in host else host}{port}"
    return f"{parts.scheme}://{place}{quote(parts._replace(netloc='', scheme='').geturl(), _KEPT_IN_ADDRESSES)}"


def _asked_to_wait(value: str) -> float:
    """The seconds of a `Retry-After` header with seconds or a date (RFC 9110, 10.2.3); 0 for any other value."""
    if value.strip().isascii() and value.strip().isdigit():
        return float(value)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    except (TypeError, ValueError, OverflowError):
        return 0.0


def failure(error: Exception) -> str:
    """Why a request failed, in words. The error's own text may contain a part of the secret address."""
    if isinstance(error, urllib.error.HTTPError):
        return f"answered {error.code}"
    reason = getattr(error, "reason", error)
    if isinstance(reason, TimeoutError):
        return NO_ANSWER
    if isinstance(reason, ssl.SSLError):
        return f"cannot be trusted: {reason.reason or 'no TLS'}"
    if isinstance(reason, UnicodeError):
        return "cannot be reached: no machine can have this name"
    if isinstance(reason, OSError) and reason.strerror:
        return f"cannot be reached: {reason.strerror}"
    is_answer = isinstance(reason, http.client.HTTPException)
    return "gave an answer that is no HTTP" if is_answer else "cannot be reached: the connection ended"


def send_mail(settings: AlertSettings, message: Message) -> str:
    """Send the message by SMTP. Returns a sentence about recipients that the server refused, if it took others.

    Raises:
        NotDelivered: the server cannot be reached, refuses the login, or takes the mail for no recipient.
    """
    assert settings.smtp_host is not None
    assert settings.mail_from is not None
    host = settings.smtp_host
    password = _secret("the mail server's password", lambda: settings.password)
    kind = smtplib.SMTP_SSL if settings.smtp_security == "tls" else smtplib.SMTP
    try:
        with kind(host, settings.smtp_port, timeout=settings.timeout_seconds) as server:
            if settings.smtp_security == "starttls":
                server.starttls(context=ssl.create_default_context())
            if settings.smtp_user and password:
                _log_in(server, settings.smtp_user, password)
            mail = as_mail(message, settings.mail_from, ", ".join(settings.recipients))
            refused = server.send_message(mail, to_addrs=settings.recipients)
    except smtplib.SMTPRecipientsRefused as error:
        raise NotDelivered(f"the mail server {host} takes no mail for {', '.join(sorted(error.recipients))}") from None
    except smtplib.SMTPAuthenticationError as error:
        raise NotDelivered(
            f"the mail server {host} refuses {PREFIX}SMTP_USER and {PREFIX}SMTP_PASSWORD ({error.smtp_code})",
            is_away=True,
        ) from None
    except smtplib.SMTPResponseException as error:
        raise NotDelivered(f"the mail server {host} did not take it: {error.smtp_code}") from None
    except smtplib.SMTPException as error:
        raise NotDelivered(f"the mail server {host} did not take it: {type(error).__name__}", is_away=True) from None
    except (OSError, ValueError) as error:
        raise NotDelivered(f"the mail server {host} {failure(error)}", is_away=True) from None
    return f"the mail server {host} takes no mail for {', '.join(sorted(refused))}" if refused else ""


def _log_in(server: smtplib.SMTP, user: str, password: str) -> None:
    """Log in with smtplib. It supports ASCII only, so other names and passwords are sent here as UTF-8 (RFC 4616)."""
    if f"{user}{password}".isascii():
        server.login(user, password)
        return
    server.ehlo_or_helo_if_needed()
    if "PLAIN" in server.esmtp_features.get("auth", "").upper().split():
        code, answer = server.docmd("AUTH", f"PLAIN {_base64(f'{chr(0)}{user}{chr(0)}{password}')}")
    else:
        code, answer = server.docmd("AUTH", f"LOGIN {_base64(user)}")
        if code == 334:
            code, answer = server.docmd(_base64(password))
    if code not in (235, 503):
        raise smtplib.SMTPAuthenticationError(code, answer)


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _secret(what: str, read: Callable[[], str | None]) -> str:
    """A secret, perhaps from a file. The file may have been removed since the settings were read."""
    try:
        return read() or ""
    except (OSError, ValueError):
        raise NotDelivered(f"the file that holds {what} cannot be read") from None
