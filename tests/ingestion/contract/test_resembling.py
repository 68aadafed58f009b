"""Which field names are recognised as misspelt, or as other systems' names, of the contract's fields."""

import pytest

from ingestion.contract.resembling import resembled


@pytest.mark.parametrize(
    ("field", "names"),
    [
        ("count", "quantity Qty cnt COUNT counts cout pieces pcs piece_count item-count produced"),
        ("count_total", "countTotal total_count counter total"),
        ("confidence", "Confidence CONFIDENCE confidance conf score confidence_score"),
        ("timestamp", "timeStamp time_stamp @timestamp ts datetime"),
        ("worker_id", "workerId Worker-ID operator employee_id"),
        ("workstation_id", "WorkstationID station machine_id"),
        ("event_type", "eventType state status"),
        (None, "zone temperature comment camera_ip frame_id bbox n 数量"),
    ],
)
def test_a_name_is_taken_for_the_field_that_was_meant(field: str | None, names: str) -> None:
    assert {name: resembled(name) for name in names.split()} == dict.fromkeys(names.split(), field)
