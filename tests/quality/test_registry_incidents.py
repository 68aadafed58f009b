"""Incidents of refused registry files."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from quality.incidents.registries import Refused, merge_refused

AT = datetime(2026, 3, 2, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_a_refused_file_is_one_incident_however_many_batches_find_it() -> None:
    refused = {"registry_workers": Refused(AT, "line 3 is wrong")}
    (opened,) = merge_refused([], refused, AT)
    assert (opened.metric, opened.cell.name, opened.status) == ("registry_workers", "the plant", "open")
    assert (opened.sentence, opened.first_evidence_date) == ("line 3 is wrong", date(2026, 3, 2))
    (again,) = merge_refused([opened], refused, AT + HOUR)
    assert (again.incident_id, again.opened_at) == (opened.incident_id, AT)


def test_another_wrong_content_continues_the_incident_with_its_own_sentence() -> None:
    (opened,) = merge_refused([], {"registry_workers": Refused(AT, "line 3 is wrong")}, AT)
    (again,) = merge_refused([opened], {"registry_workers": Refused(AT, "line 4 is wrong")}, AT + HOUR)
    assert (again.incident_id, again.sentence) == (opened.incident_id, "line 4 is wrong")


def test_it_closes_when_the_file_is_right_and_a_new_refusal_of_the_same_day_is_reported_again() -> None:
    (opened,) = merge_refused([], {"registry_workers": Refused(AT, "line 3 is wrong")}, AT)
    (closed,) = merge_refused([opened], {}, AT + HOUR)
    assert closed.closed_at == AT + HOUR
    assert closed.closing_sentence == "registry/workers.csv is no longer refused: its current content is in force."
    later = {"registry_workers": Refused(AT + 2 * HOUR, "line 3 is wrong")}
    _, anew = merge_refused([closed], later, AT + 2 * HOUR)
    assert anew.incident_id != opened.incident_id


def test_each_file_has_an_incident_of_its_own() -> None:
    refused = {name: Refused(AT, name) for name in ("registry_workers", "registry_sites", "registry_shifts")}
    assert len({one.incident_id for one in merge_refused([], refused, AT)}) == 3
