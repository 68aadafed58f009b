"""The text of alerts: an incident that opened or closed, in the format of each sink. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from email.message import EmailMessage
from typing import Any, Literal

from ingestion.printable import printable

Transition = Literal["opened", "closed"]

# An incident sends no alert if its last evidence and its end are more days than this before the newest data. Otherwise
# the first batch over a year of old events would send a year of alerts. Its row and page are published all the same.
HISTORY_DAYS = 30


@dataclass(frozen=True, slots=True)
class Message:
    """An incident's opening or closing. `at` is ISO 8601. `key` is the same each time the transition is sent."""

    incident_id: str
    transition: Transition
    at: str
    severity: str
    metric: str
    site_id: str
    cell: str
    sentence: str
    link: str

    def __post_init__(self) -> None:
        # These contain ids and names of a plant. Logs and mails are read in terminals, so control characters must go.
        for name in ("cell", "sentence", "site_id", "link"):
            object.__setattr__(self, name, printable(" ".join(getattr(self, name).split())))

    @property
    def key(self) -> str:
        """The transition's id. A receiver that sees a key twice has received a duplicate."""
        return f"{self.incident_id}-{self.transition}"

    @property
    def title(self) -> str:
        """One line."""
        return f"{self.transition.capitalize()}: {self.metric.replace('_', ' ')}, {self.cell}"


def messages_of(incident: Mapping[str, Any], newest: datetime, site_url: str) -> list[Message]:
    """The messages of one row of the mart `incidents`, oldest first."""
    last: date = incident["last_evidence_date"]
    if incident["closed_at"] is not None and incident["closed_at"] > incident["opened_at"]:
        last = max(last, incident["closed_at"].date())  # its opening was sent, so its end is too, however late
    if newest.date() - last > timedelta(days=HISTORY_DAYS) and incident["status"] == "closed":
        return []
    told: list[tuple[Transition, datetime, str]] = [("opened", incident["opened_at"], incident["sentence"])]
    if incident["closed_at"] is not None:
        told.append(("closed", incident["closed_at"], incident["closing_sentence"] or "It is over."))
    return [
        Message(
            incident_id=incident["incident_id"],
            transition=transition,
            at=at.isoformat(timespec="seconds"),
            severity=incident["severity"],
            metric=incident["metric"],
            site_id=incident["site_id"],
            cell=incident["cell"],
            sentence=sentence,
            link=f"{site_url.rstrip('/')}/{incident['page']}",
        )
        for transition, at, sentence in told
    ]


def as_line(message: Message) -> str:
    """Eight fields between tabs: time, severity, transition, metric, cell, sentence, link, key."""
    fields = (
        message.at,
        message.severity,
        message.transition,
        message.metric,
        message.cell,
        message.sentence,
        message.link,
        message.key,
    )
    return "\t".join(" ".join(field.split()) for field in fields)


def as_webhook(message: Message) -> dict[str, Any]:
    """The JSON body for Slack and compatible webhooks. Characters with a meaning in their markup are escaped."""
    text = f"*{_plain(message.title)}* ({message.severity})\n{_plain(message.sentence)}\n<{message.link}>"
    return {"text": text, "incident_id": message.incident_id, "transition": message.transition, "key": message.key}


def as_mail(message: Message, sender: str, receivers: str) -> EmailMessage:
    """A plain-text mail. Its Message-ID is the key, by which mail servers recognise duplicates."""
    mail = EmailMessage()
    mail["From"], mail["To"] = sender, receivers
    mail["Subject"] = f"[Floorhouse] {' '.join(message.title.split())}"
    mail["Message-ID"] = f"<{message.key}@floorhouse>"
    mail["X-Floorhouse-Severity"] = message.severity
    mail.set_content(f"{message.sentence}\n\nSeverity: {message.severity}\n{message.link}\n")
    return mail


def _plain(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
