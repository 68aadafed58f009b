"""The result of one check, as a sentence. Each check has a time limit, and a check that fails is a finding too."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field

from ingestion.errors import FloorhouseError


@dataclass(frozen=True, slots=True)
class Finding:
    """The finding about a subject. `figures` are for programs: numbers, texts, instants in ISO 8601 (UTC)."""

    subject: str
    sentence: str
    is_fine: bool = True
    figures: Mapping[str, object] = field(default_factory=dict)


Look = Callable[[], Iterable[Finding]]


def look_at(subject: str, look: Look, seconds: float) -> list[Finding]:
    """The findings of a check within this time. A check that takes longer is abandoned and ends with the process."""
    found: list[Finding] = []

    def run() -> None:
        try:
            found.extend(look())
        except FloorhouseError as error:
            found.append(Finding(subject, str(error), is_fine=False))
        except Exception as error:  # noqa: BLE001  # whatever it is, the other subjects are looked at
            reason = " ".join(str(error).split())[:200]
            found.append(Finding(subject, f"This cannot be told ({type(error).__name__}: {reason}).", is_fine=False))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        return [Finding(subject, f"There was no answer within {seconds:g} seconds.", is_fine=False)]
    return list(found)


def show(findings: Sequence[Finding], wrong: str, as_json: bool) -> int:
    """Print the findings; those to act on are marked with `wrong`. Returns 1 if there is one of these, else 0."""
    if as_json:
        print(json.dumps([asdict(one) for one in findings], indent=2))
    else:
        width = max((len(one.subject) for one in findings), default=0)
        for one in findings:
            print(f"{'fine' if one.is_fine else wrong:<{max(len(wrong), 4)}}  {one.subject:<{width}}  {one.sentence}")
    return 0 if all(one.is_fine for one in findings) else 1
