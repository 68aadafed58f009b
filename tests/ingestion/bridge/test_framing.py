import gzip
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion.bridge.framing import to_lines

MAX = 1000
VALUES = st.recursive(
    st.none() | st.integers() | st.text(),
    lambda inner: st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@pytest.mark.parametrize(
    ("payload", "lines"),
    [
        (b'{"a":1}', [b'{"a":1}\n']),
        (b'\xef\xbb\xbf {"a":1} \r\n', [b'{"a":1}\n']),
        (b'{\r\n "a": 1\n}', [b'{   "a": 1 }\n']),
        (b'[{"a":1},\n{"b":2}]', [b'[{"a":1}, {"b":2}]\n']),
        (b'{"a":1}\n\n{"b":2}\r\n', [b'{"a":1}\n', b'{"b":2}\n']),
        (b"5", [b"5\n"]),
        (b"", []),
        (b" \r\n\xef\xbb\xbf", []),
    ],
)
def test_json_becomes_lines(payload: bytes, lines: list[bytes]) -> None:
    assert to_lines(payload, MAX) == lines


@pytest.mark.parametrize(
    "payload",
    [
        b'{"a":',  # with the next message behind it, this could become another value
        b'{"a":1}}',
        b'{"a":1}{"b":2}',
        b'{"a":1}\n{"b":',
        b"working",
        b"\xff\xd8\xff\xe0 a picture",
        b'{"a":1}\x00',
        b'{"a":"\n"}',
        b'{"a":"\xff"}',
        '{"a":1}'.encode("utf-16"),
        gzip.compress(b'{"a":1}', mtime=0),
        b"[" * 100_000,
        b"1" * 5000,
        b'{"a":"' + b"x" * MAX + b'"}',
    ],
)
def test_what_is_not_json_as_a_whole_or_too_long_is_an_object_of_its_own(payload: bytes) -> None:
    assert to_lines(payload, MAX) is None


@settings(max_examples=25, deadline=None)
@given(st.lists(VALUES, min_size=1, max_size=4), st.sampled_from([None, 1]), st.sampled_from(["\n", "\r\n"]))
def test_values_keep_what_they_say_on_one_line_each(values: list[object], indent: int | None, end: str) -> None:
    payload = end.join(json.dumps(value, indent=indent) for value in values).encode()
    lines = to_lines(payload, 1 << 20)
    if lines is None:  # several values that span lines
        assert indent == 1
        assert len(values) > 1
        return
    assert [json.loads(line) for line in lines] == values
    assert all(line.count(b"\n") == 1 for line in lines)
