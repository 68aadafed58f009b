import os
from datetime import date

import pytest

from ingestion.bucket import open_bucket
from ingestion.errors import RegistryError
from ingestion.registry import Registry, read_registry
from tests.plant import Plant

TIMEZONES = {"UTC", "Europe/Berlin"}


def registry(plant: Plant) -> Registry:
    return read_registry(open_bucket(plant.settings.landing_url, create=True), TIMEZONES)


def test_without_files_no_registry_has_rows(plant: Plant) -> None:
    assert registry(plant) == Registry()


def test_the_last_row_of_a_key_wins_and_a_blank_site_is_default(plant: Plant) -> None:
    plant.drop("registry/workers.csv", "site_id,worker_id,name\n,W1,first\n A , W1 ,\ndefault,W1,second\n")
    assert registry(plant).workers == [
        {"site_id": "default", "worker_id": "W1", "name": "second"},
        {"site_id": "A", "worker_id": "W1", "name": None},
    ]


def test_byte_order_mark_crlf_blank_lines_quotes_and_other_columns_are_accepted(plant: Plant) -> None:
    plant.drop(
        "registry/sites.csv",
        b'\xef\xbb\xbftimezone,note,site_id,name\r\n\r\nUTC,x,A,"Plant, north"\r\nEurope/Berlin,,B\r\n',
    )
    assert registry(plant).sites == [
        {"site_id": "A", "name": "Plant, north", "timezone": "UTC"},
        {"site_id": "B", "name": None, "timezone": "Europe/Berlin"},
    ]


def test_the_newest_file_of_a_name_replaces_the_one_before_it(plant: Plant) -> None:
    old = plant.drop("registry/sites.csv", "site_id,name,timezone\nA,old,UTC\n")
    plant.drop("registry/2026/sites.csv", "site_id,name,timezone\nA,new,UTC\n")
    os.utime(old, (1, 1))
    assert [row["name"] for row in registry(plant).sites] == ["new"]


def test_a_shift_may_change_from_one_date_to_the_next(plant: Plant) -> None:
    plant.drop(
        "registry/shifts.csv",
        "site_id,shift_id,start_local,duration_minutes,valid_from,valid_to\n"
        "*,day,06:00,480,,2026-06-30\n*,day,07:00,480,2026-07-01,\n",
    )
    assert [(row["valid_from"], row["valid_to"]) for row in registry(plant).shifts] == [
        (None, date(2026, 6, 30)),
        (date(2026, 7, 1), None),
    ]


def test_a_target_may_change_from_one_date_to_the_next_and_differ_by_shift(plant: Plant) -> None:
    plant.drop(
        "registry/targets.csv",
        "site_id,workstation_id,shift_id,units_per_hour,valid_from,valid_to\n"
        ",S1,*,18,,2026-06-30\n,S1,*,20,2026-07-01,\n,S1,night,12.5,,\n,S1,night,13,,\n",
    )
    assert [(row["site_id"], row["shift_id"], row["units_per_hour"]) for row in registry(plant).targets] == [
        ("default", "*", 18.0),
        ("default", "*", 20.0),
        ("default", "night", 13.0),
    ]


def test_targets_need_no_dates(plant: Plant) -> None:
    plant.drop("registry/targets.csv", "site_id,workstation_id,shift_id,units_per_hour\nA,S1,day,18\n")
    assert registry(plant).targets == [
        {
            "site_id": "A",
            "workstation_id": "S1",
            "shift_id": "day",
            "units_per_hour": 18.0,
            "valid_from": None,
            "valid_to": None,
        }
    ]


TARGETS = "site_id,workstation_id,shift_id,units_per_hour,valid_from,valid_to\n"
SHIFTS = "site_id,shift_id,start_local,duration_minutes,valid_from,valid_to\n"


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("sites", "site_id,name\nA,x\n", "registry/sites.csv, line 1: the column timezone is missing."),
        ("sites", "", "registry/sites.csv, line 1: the column site_id is missing."),
        (
            "sites",
            "site_id,name,timezone\nA,x,UTC\nB,y,Mars/Base\n",
            "registry/sites.csv, line 3: timezone is 'Mars/Base'; expected is an IANA name such as Europe/Berlin.",
        ),
        (
            "shifts",
            SHIFTS + "A,day,24:00,480,,\n",
            "registry/shifts.csv, line 2: start_local is '24:00'; expected is HH:MM from 00:00 to 23:59.",
        ),
        (
            "shifts",
            SHIFTS + "A,day,06:00,1441,,\n",
            "registry/shifts.csv, line 2: duration_minutes is '1441'; expected is a whole number from 1 to 1440.",
        ),
        (
            "shifts",
            SHIFTS + "A,unscheduled,06:00,480,,\n",
            "registry/shifts.csv, line 2: shift_id is 'unscheduled', which is reserved for time outside of all shifts.",
        ),
        (
            "shifts",
            SHIFTS + "A,day,06:00,480,2026-02-30,\n",
            "registry/shifts.csv, line 2: valid_from is '2026-02-30'; expected is a date YYYY-MM-DD or nothing.",
        ),
        (
            "shifts",
            SHIFTS + "A,day,06:00,480,2026-02-02,2026-02-01\n",
            "registry/shifts.csv, line 2: valid_to is '2026-02-01', before valid_from '2026-02-02'.",
        ),
        (
            "shifts",
            SHIFTS + "A,day,06:00,480,,2026-07-01\nA,day,07:00,480,2026-07-01,\n",
            "registry/shifts.csv, line 3: the dates of shift 'day' of site 'A' overlap those of line 2.",
        ),
        (
            "targets",
            TARGETS + "A,S1,day,20,,2026-07-01\nA,S1,*,20,,\nA,S1,day,21,2026-07-01,\n",
            (
                "registry/targets.csv, line 4: the dates of shift 'day' of workstation 'S1' of site 'A' overlap "
                "those of line 2."
            ),
        ),
        (
            "targets",
            TARGETS + "A,S1,unscheduled,20,,\n",
            "registry/targets.csv, line 2: shift_id is 'unscheduled'; time outside of all shifts has no target.",
        ),
        (
            "targets",
            TARGETS + "A,S1,,20,,\n",
            "registry/targets.csv, line 2: shift_id is ''; expected is a text of 1 to 64 characters.",
        ),
        *(
            (
                "targets",
                TARGETS + f"A,S1,day,{rate},,\n",
                (
                    f"registry/targets.csv, line 2: units_per_hour is {rate!r}; "
                    "expected is a number above 0, at most 1000000."
                ),
            )
            for rate in ("", "0", "0.0", "-1", "1e3", "1000000.5", "many", "٣")
        ),
        (
            "targets",
            TARGETS + "A,S1,day,20,2026-02-02,2026-02-01\n",
            "registry/targets.csv, line 2: valid_to is '2026-02-01', before valid_from '2026-02-02'.",
        ),
        (
            "workers",
            "site_id,worker_id,name\nA,,x\n",
            "registry/workers.csv, line 2: worker_id is ''; expected is a text of 1 to 64 characters.",
        ),
        ("workers", b"site_id,worker_id,name\nA,\xff,x\n", "registry/workers.csv, line 2: b'\\xff' is not UTF-8."),
        (
            "workers",
            "site_id,worker_id,name\nA,W1,x,y\n",
            "registry/workers.csv, line 2: 4 values for 3 columns ('y').",
        ),
    ],
)
def test_a_row_that_cannot_be_right_is_named_by_file_line_and_value(
    plant: Plant, name: str, content: str | bytes, sentence: str
) -> None:
    plant.drop(f"registry/{name}.csv", content)
    with pytest.raises(RegistryError) as error:
        registry(plant)
    assert str(error.value) == sentence


def test_a_bad_registry_stops_the_batch_before_it_lands_anything(plant: Plant) -> None:
    plant.drop("registry/sites.csv", "site_id,name,timezone\nA,x,Mars/Base\n")
    event = plant.drop("events/a.jsonl", "{}\n")
    with pytest.raises(RegistryError):
        plant.land()
    assert event.exists()
    assert plant.raw("landed_objects") == []
