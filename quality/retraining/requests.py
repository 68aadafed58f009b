"""Retraining requests. A finding opens one, and a new model version closes it. Pure; `tables.py` stores them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from quality.retraining.triggers import Finding

Model = tuple[str, str]  # site_id, model_name


@dataclass(frozen=True, slots=True)
class Request:
    """A row of the mart `retraining_requests`. `as_of` is the instant of the newest event when it was opened."""

    request_id: str
    site_id: str
    model_name: str
    model_version: str
    reason: str
    as_of: datetime
    opened_at: datetime
    observed: float | None
    threshold: float
    sample_size: int
    sentence: str
    closed_at: datetime | None = None
    closed_by_version: str | None = None

    @property
    def status(self) -> str:
        """open or closed."""
        return "open" if self.closed_at is None else "closed"


def close_answered(requests: Iterable[Request], first_seen: Mapping[tuple[str, str, str], datetime]) -> list[Request]:
    """All requests. Those whose site has had a new model version since they were opened are closed.

    `first_seen` maps site, model and version to the instant of the first event. An old version that returns does not
    close a request. `closed_at` is the new version's first event.
    """
    answered = []
    for request in requests:
        new = sorted(
            (at, version)
            for (site, model, version), at in first_seen.items()
            if (site, model) == (request.site_id, request.model_name) and at > request.as_of
        )
        if request.closed_at is None and new:
            answered.append(replace(request, closed_at=new[0][0], closed_by_version=new[0][1]))
        else:
            answered.append(request)
    return answered


def open_new(
    requests: Sequence[Request], model: Model, version: str, as_of: datetime, findings: Iterable[Finding], now: datetime
) -> list[Request]:
    """A request for each finding that fires, unless one is open for the same site, model and reason."""
    is_open = {(one.site_id, one.model_name, one.reason) for one in requests if one.closed_at is None}
    return [
        Request(
            request_id=request_id(model, finding.reason, as_of),
            site_id=model[0],
            model_name=model[1],
            model_version=version,
            reason=finding.reason,
            as_of=as_of,
            opened_at=now,
            observed=finding.observed,
            threshold=finding.threshold,
            sample_size=finding.sample_size,
            sentence=finding.sentence,
        )
        for finding in findings
        if finding.status == "fires" and (*model, finding.reason) not in is_open
    ]


def request_id(model: Model, reason: str, as_of: datetime) -> str:
    """A request's id, also used as a folder name. The same evidence has the same id in every run."""
    text = json.dumps([*model, reason, as_of.isoformat()])
    digest = hashlib.md5(text.encode("utf-8"), usedforsecurity=False).hexdigest()[:10]
    return f"{as_of:%Y-%m-%d}-{reason.replace('_', '-')}-{digest}"
