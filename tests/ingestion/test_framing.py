import json

import pytest

from ingestion.records.framing import MAX_NESTING, NotJson, has_more_elements, parse_json, split_records

DEEP = b"[" * 5000 + b"]" * 5000


@pytest.mark.parametrize(
    ("content", "records"),
    [
        (b"", []),
        (b" \r\n\t\n", []),
        (b"\xef\xbb\xbf{}\r\n", [(1, b"{}")]),
        (b'\n\n{"a":\n 1}\n', [(1, b'{"a":\n 1}')]),
        (b"{}\n\n {} \r\n", [(1, b"{}"), (3, b"{}")]),
        (b"[1, {},\n[2]]", [(1, b"1"), (2, b"{}"), (3, b"[2]")]),
        (b"[]", []),
        (b"[1]\n[2]\n", [(1, b"1"), (2, b"2")]),
        (b"[1,]", [(1, b"[1,]")]),
        (b"[1}", [(1, b"[1}")]),
        (b"\nnope\n", [(2, b"nope")]),
        (b'["\xff", 1]', [(1, b'["\xff", 1]')]),
        (b'["\\ud800", "a,]" , 2]', [(1, b'"\\ud800"'), (2, b'"a,]"'), (3, b"2")]),
        (b'["\\ud800", 2}', [(1, b'["\\ud800", 2}')]),
        (b'["\\ud800",, 2]', [(1, b'["\\ud800",, 2]')]),
        (b"[1, " + DEEP + b"]", [(1, b"1"), (2, DEEP)]),
    ],
)
def test_content_is_one_value_the_elements_of_an_array_or_lines(
    content: bytes, records: list[tuple[int, bytes]]
) -> None:
    found = split_records(content)
    assert list(zip(found.positions, found.raws, strict=True)) == records


def test_nesting_is_bounded_and_brackets_in_strings_do_not_count() -> None:
    assert parse_json(json.dumps({"a": "[" * 5000}).encode()) == {"a": "[" * 5000}
    with pytest.raises(NotJson, match=f"nested deeper than {MAX_NESTING} levels"):
        parse_json(DEEP)


def test_a_string_without_its_end_is_refused_in_linear_time() -> None:
    # In quadratic time these 2 MB would take hours, and the test's time limit would end it.
    with pytest.raises(NotJson):
        parse_json(b'{"zone": "' + b'\\"[' * 700_000)


@pytest.mark.parametrize(
    ("content", "elements"),
    [
        (b"[1,2,3]", 3),
        (b'\xef\xbb\xbf \n[[1,2,3],{"a":[1,2],"b":2},",,,",4]', 4),
        (b'["a\\",b",\n{"c":"]"}]', 2),
        (b"[1,2,3],4,5", 3),
        (b"[1,2", 2),
        (b'{"a":[1,2,3,4]}', 0),
        (b"1,2,3,4", 0),
    ],
)
def test_the_elements_of_an_array_are_counted_without_reading_them(content: bytes, elements: int) -> None:
    assert [has_more_elements(content, most) for most in (elements - 1, elements)] == [elements > 0, False]
