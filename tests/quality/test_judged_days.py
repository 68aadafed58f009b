"""Incidents over months: a fault that is not repaired keeps its incident open, and batches decide as a rebuild does."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import duckdb
import pytest

from quality import judged_days
from quality.drift.panels import Panels, Span, read_panels
from quality.incidents.incident import Incident
from tests.quality.judged_plant import Fault, JudgedPlant, day

FAULT, REPAIR, LAST = 30, 44, 62


def of(incidents: list[Incident], camera: str, metric: str = "confidence_drift") -> list[Incident]:
    return [one for one in incidents if one.metric == metric and one.cell.camera_id == camera]


def decided(incidents: list[Incident]) -> list[tuple[object, ...]]:
    """The decided facts of each incident, without its instants and the id of its first report."""
    return sorted(
        (
            one.metric,
            str(one.cell),
            one.first_evidence_date,
            one.last_evidence_date,
            one.ending or "",
            one.accepted_by or "",
            one.sentence,
            one.closing_sentence or "",
        )
        for one in incidents
        if one.ending != "withdrawn"
    )


@pytest.fixture(scope="module")
def plant() -> Iterator[JudgedPlant]:
    """The fault of camera 0 is never repaired, that of camera 1 is; judged in batches of one day and of many days."""
    plant = JudgedPlant(cameras=3, faults=(Fault(0, FAULT, 999), Fault(1, FAULT, REPAIR)))
    for last in (28, 32, 33, 50, LAST):
        plant.land_until(last)
        plant.judge()
    yield plant
    plant.connection.close()


def test_a_fault_that_nobody_repairs_stays_open_and_says_for_how_long(plant: JudgedPlant) -> None:
    for metric in ("confidence_drift", "confidence_floor"):
        [incident] = of(plant.known, "cam-0", metric)
        assert (incident.status, incident.ending) == ("open", None)
        assert incident.last_evidence_date > day(LAST - 10)  # a moving baseline would have ended it on day 47
        assert 0 <= (incident.first_evidence_date - day(FAULT)).days <= 3
        lasted = (day(LAST) - incident.first_evidence_date).days + 1
        assert incident.sentence.endswith(
            f"Still open: {lasted} day{'s' * (lasted != 1)} since {incident.first_evidence_date}."
        )


def test_a_repaired_camera_has_recovered_and_its_fault_is_no_part_of_its_norm(plant: JudgedPlant) -> None:
    [incident] = of(plant.known, "cam-1")
    assert incident.ending == "recovered"
    assert timedelta(0) <= incident.last_evidence_date - day(REPAIR) <= timedelta(days=7)
    assert (incident.closing_sentence or "").startswith("Recovered: back at the level from before it")
    usual = [
        result.observed - result.effect  # type: ignore[operator]
        for result in plant.results
        if result.check_name == "confidence_is_what_it_was"
        and result.cell.camera_id == "cam-1"
        and result.evidence_date > day(REPAIR + 14)
        and result.effect is not None
    ]
    assert usual
    assert min(usual) > 0.87  # the days at 0.83 would have lowered it


def test_a_camera_without_a_fault_has_no_incident(plant: JudgedPlant) -> None:
    assert not of(plant.known, "cam-2")


def test_a_batch_walks_only_the_days_that_may_have_changed(plant: JudgedPlant) -> None:
    plant.judge()
    assert plant.walked == 30


def test_a_rebuild_gives_the_incidents_of_the_batches_and_late_days_are_decided_alike(plant: JudgedPlant) -> None:
    batches = list(plant.known)
    assert plant.rebuilt() == batches
    # Late events shorten the fault of camera 1 on days that were decided long ago.
    plant.faults = (Fault(0, FAULT, 999), Fault(1, FAULT, 38))
    plant.put_days(range(38, REPAIR))
    late = plant.judge()
    [shorter] = of(late, "cam-1")
    [before] = of(batches, "cam-1")
    assert shorter.incident_id == before.incident_id
    assert shorter.last_evidence_date < before.last_evidence_date
    assert decided(late) == decided(plant.rebuilt())


def test_what_a_role_accepts_is_the_new_normal_from_its_date_on(plant: JudgedPlant) -> None:
    plant.accept("cam-0", FAULT)
    [incident] = of(plant.judge(), "cam-0")
    assert (incident.ending, incident.accepted_by) == ("accepted", "shift lead")
    assert incident.closing_sentence == (f"Accepted as the new normal by shift lead from {day(FAULT)} on: New lamps.")
    assert decided(plant.known) == decided(plant.rebuilt())
    newest = [
        result
        for result in plant.results
        if result.check_name == "confidence_is_what_it_was"
        and result.cell.camera_id == "cam-0"
        and result.evidence_date == day(LAST)
    ]
    assert [result.status for result in newest] == ["pass"]
    # The floor is a limit: accepted.csv cannot accept a model below it.
    assert of(plant.known, "cam-0", "confidence_floor")[0].status == "open"


def test_a_clock_that_stopped_years_ago_changes_no_incident_and_costs_no_walk_of_years(plant: JudgedPlant) -> None:
    before = decided(plant.known)
    stopped = plant.connection.cursor()
    stopped.execute("set search_path = 'marts'")
    for table in ("model_days", "confidence_histograms", "camera_days"):
        low = ", 0.2 as mean_confidence" if table == "model_days" else ""  # so that its reference is frozen for ever
        stopped.execute(
            f"insert into {table} select * replace (date '2000-01-01' as event_date, 'stopped' as camera_id{low}) "
            f"from {table} where camera_id = 'cam-2' and event_date = ?",
            [day(3)],
        )
    reads: list[date] = []

    def read(connection: duckdb.DuckDBPyConnection, span: Span, judged: tuple[date, date], frozen: Any) -> Panels:
        reads.append(judged[0])
        panels = read_panels(connection, span, judged, frozen)
        assert len(panels.days) <= 150
        assert (("north", "stopped") in panels.cameras) == (judged[0].year == 2000)
        return panels

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(judged_days, "read_panels", read)
        assert decided([one for one in plant.rebuilt() if one.cell.camera_id != "stopped"]) == before
    assert plant.results
    assert reads[0] == date(2000, 1, 1)
    assert 2 <= len(reads) <= 5
