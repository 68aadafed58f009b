import re
from datetime import date

import duckdb
import pytest

from ingestion.bucket import open_bucket
from ingestion.errors import RegistryError
from ingestion.registry import Registry, read_registry
from ingestion.registry.timezones import suggested_timezone, usable_names
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


def test_files_in_folders_and_copies_are_no_registries(plant: Plant) -> None:
    plant.drop("registry/sites.csv", "site_id,name,timezone\nA,old,UTC\n")
    plant.drop("registry/2026/sites.csv", "site_id,name,timezone\nA,new,UTC\n")
    plant.drop("registry/sites (1).csv", "site_id,name,timezone\nA,copy,UTC\n")
    assert [row["name"] for row in registry(plant).sites] == ["old"]


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


def test_accepted_changes_are_read_as_spreadsheets_write_them(plant: Plant) -> None:
    plant.drop(
        "registry/accepted.csv",
        "sep=;\r\nSite_ID;Camera_ID;Metric;From_Date;Who;Reason\r\n"
        "A;;Event mix drift;2026-03-01;Shift lead;New lamps, hall 2\r\n",
    )
    assert registry(plant).accepted == [
        {
            "site_id": "A",
            "camera_id": "",
            "metric": "event_mix_drift",
            "from_date": date(2026, 3, 1),
            "who": "Shift lead",
            "reason": "New lamps, hall 2",
        }
    ]


def test_what_spreadsheets_make_of_zeros_hyphens_and_numbers_is_read(plant: Plant) -> None:
    plant.drop("registry/workers.csv", 'Site-ID;Worker-ID;Name\nA;"=""007""";Ada\nA;="0,8";#1\n\x1a')
    plant.drop(
        "registry/targets.csv", "site_id;workstation_id;shift_id;units_per_hour\nA;S1;day;0.500\nA;S2;day;1200,5\n"
    )
    plant.drop(
        "registry/shifts.csv", "site_id,shift_id,start_local,duration_minutes,weekdays\nA,day,6:00,480,Mon–Fri\n"
    )
    found = registry(plant)
    assert [(row["worker_id"], row["name"]) for row in found.workers] == [("007", "Ada"), ("0,8", "#1")]
    assert [row["units_per_hour"] for row in found.targets] == [0.5, 1200.5]
    assert [row["weekdays"] for row in found.shifts] == ["mon,tue,wed,thu,fri"]


@pytest.mark.parametrize(
    "text",
    [
        '"site_id","worker_id","name"\r\n"A","W1","Meier, Anna"\r\n',
        '"site_id";"worker_id";"name"\r\n"A";"W1";"Meier, Anna"\r\n',
        'site_id, worker_id, "name"\nA, "W1", "Meier, Anna"\n',
        "sep=,\nsite_id;worker_id;name\nA;W1;Meier, Anna\n",
    ],
)
def test_quotation_marks_are_read_wherever_a_program_writes_them(plant: Plant, text: str) -> None:
    plant.drop("registry/workers.csv", text)
    assert registry(plant).workers == [{"site_id": "A", "worker_id": "W1", "name": "Meier, Anna"}]


TARGETS = "site_id,workstation_id,shift_id,units_per_hour,valid_from,valid_to\n"
SHIFTS = "site_id,shift_id,start_local,duration_minutes,valid_from,valid_to\n"


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("sites", "site_id,name\nA,x\n", "registry/sites.csv, line 1: the column timezone is missing."),
        *(
            ("sites", empty, "registry/sites.csv, line 1: the file is empty: the column site_id is missing.")
            for empty in ("", "\ufeff\r\n")
        ),
        (
            "sites",
            '"site_id,name,timezone"\n"A,x,UTC"\n',
            "registry/sites.csv, line 1: quotation marks enclose the whole line, and the column site_id is missing.",
        ),
        (
            "sites",
            "Our sites;;\n\nsite_id;name;timezone\nA;x;UTC\n",
            (
                "registry/sites.csv, line 1: the names of the columns stand on line 3, and must be the first that is "
                "not blank: the column site_id is missing."
            ),
        ),
        (
            "sites",
            "<html><body>Please log in</body></html>\n",
            "registry/sites.csv, line 1: it is a web page or XML, not CSV: the column site_id is missing.",
        ),
        (
            "sites",
            "site_id,name,timezone\nA,x,UTC\nB,y,Mars/Base\n",
            "registry/sites.csv, line 3: timezone is 'Mars/Base'; expected an IANA name such as Europe/Berlin.",
        ),
        (
            "shifts",
            SHIFTS + "A,day,24:00,480,,\n",
            "registry/shifts.csv, line 2: start_local is '24:00'; expected HH:MM from 00:00 to 23:59.",
        ),
        (
            "shifts",
            SHIFTS + "A,day,06:00,1441,,\n",
            "registry/shifts.csv, line 2: duration_minutes is '1441'; expected a whole number from 1 to 1440.",
        ),
        (
            "shifts",
            SHIFTS + "A,unscheduled,06:00,480,,\n",
            "registry/shifts.csv, line 2: shift_id is 'unscheduled', which is reserved for time outside of all shifts.",
        ),
        (
            "shifts",
            SHIFTS + "A,day,06:00,480,2026-02-30,\n",
            "registry/shifts.csv, line 2: valid_from is '2026-02-30'; expected a date YYYY-MM-DD or nothing.",
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
            "registry/targets.csv, line 2: shift_id is ''; expected a text of 1 to 64 characters.",
        ),
        *(
            (
                "targets",
                TARGETS + f"A,S1,day,{rate},,\n",
                (
                    f"registry/targets.csv, line 2: units_per_hour is {rate!r}; "
                    "expected a number above 0, at most 1000000."
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
            "registry/workers.csv, line 2: worker_id is ''; expected a text of 1 to 64 characters.",
        ),
        (
            "workers",
            "site_id,worker_id,name\nA,W1,Jörg\n".encode("cp1252"),
            "registry/workers.csv, line 2: the byte 0xF6 is not UTF-8; expected a file saved as CSV UTF-8.",
        ),
        (
            "workers",
            "site_id,worker_id,name\nA,W1,Jörg\n".encode("utf-16")[:-1],
            (
                "registry/workers.csv, line 2: it is UTF-16 that ends within a character, "
                "as where a file was cut while written."
            ),
        ),
        (
            "workers",
            f"site_id,worker_id,name\nA,W1,{'x' * 1001}\n",
            f"registry/workers.csv, line 2: name has 1,001 characters ('{'x' * 80}…'); expected at most 1,000.",
        ),
        (
            "workers",
            f"site_id,worker_id,name\nA,W1,{'x' * 200_000}\n",
            (
                "registry/workers.csv, line 2: a value has more than 131,072 characters, "
                "as where a quotation mark is never closed."
            ),
        ),
        (
            "workers",
            "name,site_id,worker_id\nx,A,W1,y\n",
            (
                "registry/workers.csv, line 2: 4 values for 3 columns ('y'); "
                "a value that holds a comma stands in quotation marks."
            ),
        ),
        (
            "workstations",
            "site_id,workstation_id,name,station_type\nA,S1,Press,big,press\n",
            (
                "registry/workstations.csv, line 2: 5 values for 4 columns ('press'); "
                "a value that holds a comma stands in quotation marks."
            ),
        ),
        (
            "workers",
            "name;site_id;worker_id\nx;A;W1;y\n",
            ("registry/workers.csv, line 2: 4 values for 3 columns ('y'); semicolons stand between the columns."),
        ),
        (
            "workers",
            "site_id;worker_id\nA;W1\n",
            "registry/workers.csv, line 1: semicolons stand between the columns, and the column name is missing.",
        ),
        (
            "workers",
            "site_id,worker_id,name\nA;W1;x\n",
            (
                "registry/workers.csv, line 2: semicolons stand between the values ('A;W1;x'), "
                "but commas between the columns of the first line."
            ),
        ),
        (
            "workers",
            "site_id,worker_id,name,Name\nA,W1,x,y\n",
            "registry/workers.csv, line 1: the column name appears twice.",
        ),
        (
            "workers",
            'site_id,worker_id,name\nA,W1,"x\nA,W2,y\n',
            "registry/workers.csv, line 3: a quotation mark is opened and never closed.",
        ),
        (
            "workers",
            "site_id,worker_id,name\nA,W1,x\0\0\n",
            "registry/workers.csv, line 2: a zero byte stands there, as where a file was cut while written.",
        ),
        (
            "workers",
            b"PK\x03\x04workbook",
            (
                "registry/workers.csv, line 1: it is an Excel workbook or another zip file; "
                "expected a file saved as CSV."
            ),
        ),
        (
            "workers",
            "site_id,worker_id,name\nA,W1,x\n\ufeffSite ID,Worker-ID,Name\nA,W2,y\n",
            (
                "registry/workers.csv, line 3: the names of the columns stand there once more, "
                "as where two files were joined."
            ),
        ),
        *(
            (
                "workers",
                f"site_id,worker_id,name\nA,W1,{value}\n",
                (
                    f"registry/workers.csv, line 2: name is '{value}', "
                    "with which a spreadsheet says that a formula failed."
                ),
            )
            for value in ("#N/A", "#N/D", "#BEZUG!", "#¡DIV/0!", "#¿NOMBRE?", "#ССЫЛКА!", "Err:502")
        ),
        (
            "workers",
            "site_id;worker_id;name\nA;1,23E+11;x\n",
            (
                "registry/workers.csv, line 2: worker_id is '1,23E+11', a long number that a spreadsheet has "
                "shortened; expected all its digits."
            ),
        ),
        *(
            (
                "targets",
                f"site_id\tworkstation_id\tshift_id\tunits_per_hour\nA\tS1\tday\t{rate}\n",
                (
                    f"registry/targets.csv, line 2: units_per_hour is '{rate}', whose {mark} may stand before decimals "
                    "or between thousands; expected 1200, or decimals that are not three digits."
                ),
            )
            for rate, mark in (("1.200", "point"), ("1,200", "comma"))
        ),
        (
            "targets",
            "site_id;workstation_id;shift_id;units_per_hour\nA;S1;day;1.200,5\n",
            ("registry/targets.csv, line 2: units_per_hour is '1.200,5'; expected a number above 0, at most 1000000."),
        ),
        (
            "workers",
            "site_id,worker_id,name\nA,W1,x\n".encode("utf-32"),
            "registry/workers.csv, line 1: it is UTF-32 text; expected a file saved as CSV.",
        ),
        (
            "workers",
            b"\x1f\x8b\x08\x00",
            "registry/workers.csv, line 1: it is compressed (gzip); expected a file saved as CSV.",
        ),
        (
            "workers",
            "site_id,worker_id,name\nA,W\t1,x\n",
            (
                "registry/workers.csv, line 2: worker_id is 'W\\t1'; "
                "expected a text of 1 to 64 characters without the control character U+0009 in it."
            ),
        ),
        (
            "accepted",
            "site_id,camera_id,metric,from_date,who,reason\nA,cam-1,confidence_floor,2026-03-01,shift lead,New lamps\n",
            (
                "registry/accepted.csv, line 2: metric is 'confidence_floor'; expected one of confidence_drift, "
                "event_mix_drift, volume, silence, lateness."
            ),
        ),
        (
            "accepted",
            "site_id;camera_id;metric;from_date;who;reason\nA;cam-1;Event mix drift;2026-03-01;;New lamps\n",
            "registry/accepted.csv, line 2: who is ''; expected a role of 1 to 64 characters.",
        ),
        (
            "accepted",
            "site_id,camera_id,metric,from_date,who,reason\nA,,volume,2026-03-01,shift lead,\n",
            "registry/accepted.csv, line 2: reason is ''; expected why this level is normal.",
        ),
        (
            "contacts",
            "site_id,name,cause\n*,Shift lead,broken\n",
            (
                "registry/contacts.csv, line 2: cause is 'broken'; expected one of not_seen, unstaffed, idle, slow, "
                "or nothing for every cause."
            ),
        ),
        (
            "contacts",
            "site_id,name,phone\n*,,4711\n",
            "registry/contacts.csv, line 2: name is ''; expected a role or a name of 1 to 64 characters.",
        ),
        (
            "booked",
            "site_id,workstation_id,shift_date,shift_id,units\nA,S1,2026-03-01,day,1.000\n",
            "registry/booked.csv, line 2: units is '1.000'; expected a whole number from 0 to 100000000.",
        ),
        (
            "booked",
            "site_id;workstation_id;shift_date;shift_id;units\nA;S1;2026-03-01;day;1.000\n",
            (
                "registry/booked.csv, line 2: units is '1.000', whose point may stand before decimals or between "
                "thousands; expected 1000, or decimals that are not three digits."
            ),
        ),
        (
            "booked",
            "site_id,workstation_id,shift_date,shift_id,units\nA,S1,,day,10\n",
            "registry/booked.csv, line 2: shift_date is ''; expected a date YYYY-MM-DD.",
        ),
        (
            "booked",
            "site_id,workstation_id,shift_date,shift_id,units\nA,S1,2026-03-01,unscheduled,10\n",
            "registry/booked.csv, line 2: shift_id is 'unscheduled'; time outside of all shifts is not booked.",
        ),
        (
            "released",
            "site_id,workstation_id,who\nA,S1,\n",
            "registry/released.csv, line 2: who is ''; expected a role of 1 to 64 characters.",
        ),
        *(
            (
                name,
                f"{header}\n{row}\n",
                (
                    f"registry/{name}.csv, line 2: {column}_id is '*', which does not stand for every {column} here; "
                    f"expected the id of one {column}."
                ),
            )
            for name, header, row, column in (
                ("sites", "site_id,name,timezone", "*,Plant,UTC", "site"),
                ("workers", "site_id,worker_id,name", "*,W1,x", "site"),
                ("workers", "site_id,worker_id,name", "A,*,x", "worker"),
                ("targets", "site_id,workstation_id,shift_id,units_per_hour", "*,S1,day,5", "site"),
                ("targets", "site_id,workstation_id,shift_id,units_per_hour", "A,*,day,5", "workstation"),
                ("shifts", "site_id,shift_id,start_local,duration_minutes", "A,*,06:00,480", "shift"),
            )
        ),
        (
            "closures",
            "site_id,from_date,to_date,reason\n*,2026-12-24,,Christmas\n",
            "registry/closures.csv, line 2: to_date is ''; expected a date YYYY-MM-DD.",
        ),
        (
            "closures",
            "site_id,from_date,to_date,reason\n*,2026-12-24,24.12.2026,Christmas\n",
            "registry/closures.csv, line 2: to_date is '24.12.2026'; expected a date YYYY-MM-DD or nothing.",
        ),
        (
            "shifts",
            "site_id,shift_id,start_local,duration_minutes,weekdays\n*,day,06:00,480,mon - fri\n",
            (
                "registry/shifts.csv, line 2: weekdays is 'mon - fri'; "
                "expected days from mon to sun and ranges such as mon-fri."
            ),
        ),
        (
            "shifts",
            "site_id,shift_id,start_local,duration_minutes,weekdays\n*,day,06:00,480,mon-wed\n*,day,07:00,480,wed\n",
            "registry/shifts.csv, line 3: the dates of shift 'day' of site '*' overlap those of line 2.",
        ),
        (
            "shifts",
            SHIFTS + "A,day,06:00:30,480,,\n",
            "registry/shifts.csv, line 2: start_local is '06:00:30'; expected HH:MM from 00:00 to 23:59.",
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


@pytest.mark.parametrize(
    "content",
    [
        "site_id;worker_id;name\r\n;W1;Prüfer 1\r\n",
        "sep=;\r\nsite_id;worker_id;name\r\n;W1;Prüfer 1\r\n",
        '"sep=\t"\nsite_id\tworker_id\tname\n\tW1\tPrüfer 1\n',
        "Site_ID,Worker_ID, Name\r\n,W1,Prüfer 1\r\n",
        "SITE ID , Worker id,NAME,,\n,W1,Prüfer 1,,\n,,,,\n",
        "worker_id,name\u00a0,site_id\nW1,Pru\u0308fer 1,\n",
        ",worker_id,site_id,name\nx, W1\u200b,,Prüfer 1\n",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
def test_what_spreadsheets_write_is_read(plant: Plant, content: str, encoding: str) -> None:
    plant.drop("registry/workers.csv", content.encode(encoding))
    assert registry(plant).workers == [{"site_id": "default", "worker_id": "W1", "name": "Prüfer 1"}]


def test_a_comma_that_nobody_quoted_belongs_to_the_name_where_no_other_row_can_be_meant(plant: Plant) -> None:
    plant.drop("registry/workers.csv", "site_id,worker_id,name\n,W1,Doe, Jane, Dr.\n")
    plant.drop("registry/sites.csv", "site_id,name,timezone\nA,Werk Nord, Halle 2,UTC\n")
    plant.drop(
        "registry/shifts.csv", "site_id,shift_id,start_local,duration_minutes,weekdays\n*,day,6:00,480,mon,wed\n"
    )
    found = registry(plant)
    assert [row["name"] for row in found.workers] == ["Doe, Jane, Dr."]
    assert [row["name"] for row in found.sites] == ["Werk Nord, Halle 2"]
    assert [row["weekdays"] for row in found.shifts] == ["mon,wed"]


@pytest.mark.parametrize("start", ["6:00", "06:00", "06:00:00", "6:00:00"])
def test_a_start_is_read_as_a_spreadsheet_shows_it(plant: Plant, start: str) -> None:
    plant.drop("registry/shifts.csv", SHIFTS + f"*,day,{start},480,,\n")
    assert [row["start_local"] for row in registry(plant).shifts] == ["06:00"]


def test_a_decimal_comma_is_read_where_commas_separate_no_columns(plant: Plant) -> None:
    plant.drop("registry/targets.csv", "site_id;workstation_id;shift_id;units_per_hour\n;S1;*;12,5\n")
    assert [row["units_per_hour"] for row in registry(plant).targets] == [12.5]


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("", None),
        ("mon-sun", None),
        ("Fri-mon; wed", "mon,wed,fri,sat,sun"),
        ("MON-FRI", "mon,tue,wed,thu,fri"),
        ("sat sun", "sat,sun"),
        ("tue-tue", "tue"),
    ],
)
def test_weekdays_are_days_and_ranges_that_may_wrap(plant: Plant, text: str, days: str | None) -> None:
    plant.drop(
        "registry/shifts.csv", f"site_id,shift_id,start_local,duration_minutes,weekdays\n*,day,06:00,480,{text}\n"
    )
    assert [row["weekdays"] for row in registry(plant).shifts] == [days]


def test_ranges_of_dates_may_overlap_where_no_date_is_in_both(plant: Plant) -> None:
    plant.drop(
        "registry/targets.csv",
        "site_id,workstation_id,shift_id,units_per_hour,weekdays,valid_from,valid_to\n"
        ",S1,day,10,mon-thu,,\n,S1,day,8,fri,,\n,S1,day,7,sat,2026-01-05,2026-01-11\n"
        # 12 January is a Monday, so that this row applies to no date.
        ",S1,day,6,sun,2026-01-12,2026-01-12\n",
    )
    assert len(registry(plant).targets) == 4


def test_a_camera_counts_where_nothing_else_is_said(plant: Plant) -> None:
    plant.drop(
        "registry/cameras.csv",
        "site_id,camera_id,workstation_id,counts,states,valid_from,valid_to\n,C2,,No,,,2026-01-31\nA,C3,S1,yes,YES,,\n",
    )
    assert registry(plant).cameras == [
        {
            "site_id": "default",
            "camera_id": "C2",
            "workstation_id": "*",
            "counts": False,
            "states": True,
            "valid_from": None,
            "valid_to": date(2026, 1, 31),
        },
        {
            "site_id": "A",
            "camera_id": "C3",
            "workstation_id": "S1",
            "counts": True,
            "states": True,
            "valid_from": None,
            "valid_to": None,
        },
    ]


BAD_ZONES = (
    *("BST", "IST", "CST", "PST", "ECT", "ACT", "AST", "SST", "JST", "EST", "MST", "HST", "CET", "GMT+0", "GB"),
    *("Turkey", "UCT", "Zulu", "posix/Europe/Berlin", "SystemV/EST5", "US/Pacific-New", "EST5EDT", "europe/berlin"),
)


@pytest.fixture(scope="module")
def known_zones() -> set[str]:
    with duckdb.connect() as connection:
        return {name for (name,) in connection.execute("select name from pg_timezone_names()").fetchall()}


@pytest.mark.parametrize("zone", BAD_ZONES)
def test_a_zone_that_means_many_places_is_refused_with_a_hint(plant: Plant, known_zones: set[str], zone: str) -> None:
    plant.drop("registry/sites.csv", f"site_id,name,timezone\nA,x,{zone}\n")
    with pytest.raises(
        RegistryError, match=rf"timezone is {re.escape(repr(zone))}; expected an IANA name such as "
    ) as error:
        read_registry(open_bucket(plant.settings.landing_url, create=True), known_zones)
    hint = str(error.value).rpartition(" ")[2].rstrip(".")
    assert hint == "UTC" or "/" in hint
    plant.drop("registry/sites.csv", f"site_id,name,timezone\nA,x,{hint}\n")
    assert read_registry(open_bucket(plant.settings.landing_url), known_zones).sites


@pytest.mark.parametrize("zone", ["UTC", "Europe/Kyiv", "America/Ciudad_Juarez", "Asia/Calcutta", "Etc/GMT+5"])
def test_a_zone_with_a_place_is_accepted(plant: Plant, known_zones: set[str], zone: str) -> None:
    plant.drop("registry/sites.csv", f"site_id,name,timezone\nA,x,{zone}\n")
    assert read_registry(open_bucket(plant.settings.landing_url, create=True), known_zones).sites[0]["timezone"] == zone


@pytest.mark.parametrize(
    ("zone", "hint"), [("BST", "Europe/London"), ("IST", "Asia/Kolkata"), ("Berlin", "Europe/Berlin")]
)
def test_the_hint_is_the_place_that_people_mean(known_zones: set[str], zone: str, hint: str) -> None:
    assert suggested_timezone(zone, usable_names(known_zones)) == hint


def test_a_bad_registry_stops_the_batch_before_it_lands_anything(plant: Plant) -> None:
    plant.drop("registry/sites.csv", "site_id,name,timezone\nA,x,Mars/Base\n")
    event = plant.drop("events/a.jsonl", "{}\n")
    with pytest.raises(RegistryError):
        plant.land()
    assert event.exists()
    assert plant.raw("landed_objects") == []
