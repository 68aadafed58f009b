"""RFC 8259 JSON, read token by token: any depth, any size of number, and the place where a value ends.

Contains only the grammar. `reading` decides what a record may contain.
"""

import json
import re
from dataclasses import dataclass
from typing import Any

WHITE_SPACE = " \t\n\r"

TOKEN = re.compile(
    r"""[ \t\n\r]*+(?:
        (?P<mark>[\[\]{}:,])
      | (?P<string>"(?:[^"\\\x00-\x1f]++|\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4}))*+")
      | (?P<number>-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?+(?:[eE][-+]?[0-9]++)?+)
      | (?P<word>true|false|null)
    )""",
    re.VERBOSE,
)
WORDS = {"true": True, "false": False, "null": None}


class NotJson(ValueError):
    """The text at this place is not a JSON value."""


class Ended(NotJson):
    """The only fault of the value is that the text ends.

    `elements` are the complete elements of an array before the end.
    """

    elements: list[tuple[Any, str]]


# The forms of a token whose end is missing: a string, a number, a word.
BEGUN_STRING = re.compile(
    r"""[ \t\n\r]*+"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4}))*+(?:\\(?:u[0-9A-Fa-f]{0,3})?)?"""
)
BEGUN_WORD = re.compile(r"[ \t\n\r]*+(?:-|t|tr|tru|f|fa|fal|fals|n|nu|nul)?")
BEGUN_NUMBER = re.compile(r"\.|[eE][-+]?")


@dataclass(frozen=True)
class Number:
    """A JSON number as written: `1`, `1.0` and `1e0` are three different texts."""

    text: str


def whole_value(text: str) -> Any:
    """The value of a text that is one JSON value, with optional white space around it; NotJson for anything else."""
    value, end = read_value(text, 0)
    if text[end:].strip(WHITE_SPACE):
        raise NotJson("something follows the value")
    return value


def elements(text: str) -> list[tuple[Any, str]]:
    """Each element of a text that is known to be one JSON array, with the element's own text."""
    place = text.index("[") + 1
    found: list[tuple[Any, str]] = []
    if text[place:].lstrip(WHITE_SPACE).startswith("]"):
        return found
    while True:
        value, end = read_value(text, place)
        found.append((value, text[place:end].strip(WHITE_SPACE)))
        mark = TOKEN.match(text, end)
        assert mark is not None, "the caller has checked that this is an array"
        if mark["mark"] == "]":
            return found
        place = mark.end()


def read_value(text: str, place: int) -> tuple[Any, int]:
    """The JSON value that starts at `place` (white space before it allowed) and the place where it ends."""
    open_containers: list[tuple[Any, str | None]] = []  # each with the member name that it gets in its parent
    name: str | None = None
    while True:
        # A value must begin here.
        token, place = next_token(text, place, "value")
        if token["mark"] in ("[", "{"):
            container: Any = [] if token["mark"] == "[" else {}
            closing, after = next_token(text, place, "value" if token["mark"] == "[" else "name")
            if closing["mark"] == {"[": "]", "{": "}"}[token["mark"]]:
                value, place = container, after
            else:
                open_containers.append((container, name))
                name = None
                if isinstance(container, dict):
                    name, place = member_name(text, place)
                continue
        else:
            value = scalar(token)
        # A value has just ended, and perhaps its container with it.
        while True:
            if not open_containers:
                return value, place
            container, container_name = open_containers[-1]
            add(container, name, value)
            token, place = next_token(text, place)
            if token["mark"] == ",":
                if isinstance(container, dict):
                    name, place = member_name(text, place)
                break
            if token["mark"] != ("}" if isinstance(container, dict) else "]"):
                raise NotJson(f"unexpected {token[0].strip()!r}")
            open_containers.pop()
            value, name = container, container_name


def add(container: Any, name: str | None, value: Any) -> None:
    if isinstance(container, dict):
        container[name] = value  # of members with one name the last one counts
    else:
        container.append(value)


def next_token(text: str, place: int, wanted: str = "mark") -> tuple[re.Match[str], int]:
    token = TOKEN.match(text, place)
    if token is None:
        rest = text[place:]
        is_begun = (
            not rest.strip(WHITE_SPACE)
            or (wanted in ("value", "name") and BEGUN_STRING.fullmatch(rest))
            or (wanted == "value" and BEGUN_WORD.fullmatch(rest))
            or (wanted == "mark" and text[place - 1 : place].isdigit() and BEGUN_NUMBER.fullmatch(rest))
        )
        raise (Ended if is_begun else NotJson)(f"no JSON token at character {place}")
    return token, token.end()


def member_name(text: str, place: int) -> tuple[str, int]:
    token, place = next_token(text, place, "name")
    if token["string"] is None:
        raise NotJson("a member of an object needs a name in quotes")
    colon, place = next_token(text, place)
    if colon["mark"] != ":":
        raise NotJson("a member of an object needs a colon behind its name")
    return json.loads(token["string"]), place


def scalar(token: re.Match[str]) -> Any:
    if token["string"] is not None:
        return json.loads(token["string"])
    if token["number"] is not None:
        return Number(token["number"])
    if token["word"] is not None:
        return WORDS[token["word"]]
    raise NotJson(f"a value cannot begin with {token['mark']!r}")
