"""Objects that cameras should not send: every rule of contract §1 and §2 bent a little, and then broken.

Only generation is done here. Most records are valid except for one thing, so that two judges can disagree about one
thing only. Everything is drawn from one `random.Random`.
"""

import gzip
import json
from random import Random

import zstandard

from tests.properties.awkward_texts import (
    BAD_BYTES,
    EVENT_TYPES,
    FOLDERS,
    IDENTIFIERS,
    NUMBERS,
    OTHER_TEXTS,
    PLAIN,
    STRINGS,
    TIMESTAMP_PARTS,
    UNEXPECTED,
    WHITE_SPACE,
    WHOLE_TIMESTAMPS,
)

COUNTS = ["count", "count_total", "event_id"]


def mostly_first(random: Random, choices: list[str], share: float = 0.8) -> str:
    return choices[0] if random.random() < share else random.choice(choices)


def number_text(random: Random) -> str:
    if random.random() < 0.5:
        return random.choice(NUMBERS)
    digits = "".join(random.choice("0123456789") for _ in range(random.choice([1, 3, 16, 17, 18, 25, 400])))
    exponent = random.choice(["", "", "", "e0", f"e{random.randint(-30, 5)}", f"E-{random.randint(0, 340)}", "e+00"])
    return random.choice(["0.", "0.0000", "1.", "0.9999999999999999", ""]) + digits + exponent


def string_text(random: Random) -> str:
    if random.random() < 0.8:
        return random.choice(STRINGS)
    text = "".join(chr(random.choice([*range(0x20, 0x250), 0x2028, 0xFEFF, 0x1F600, 0xFFFD, 0xE000])) for _ in range(5))
    return json.dumps(text, ensure_ascii=random.random() < 0.5)


def timestamp_text(random: Random) -> str:
    if random.random() < 0.3:
        return f'"{random.choice(WHOLE_TIMESTAMPS)}"'
    parts = [mostly_first(random, part) for part in TIMESTAMP_PARTS]
    return '"' + "".join(parts[:-1] if random.random() < 0.1 else parts) + '"'


def member_text(name: str, random: Random) -> str:
    if random.random() < 0.15:
        return random.choice([random.choice(OTHER_TEXTS), number_text(random), string_text(random)])
    if name in ("timestamp", r"\u0074imestamp"):
        return timestamp_text(random)
    if name == "event_type":
        return random.choice(EVENT_TYPES)
    if name in ("confidence", "count", "count_total"):
        return number_text(random)
    if name == "event_id":
        return random.choice([number_text(random), string_text(random)])
    return string_text(random) if name in IDENTIFIERS else random.choice(OTHER_TEXTS)


def record_text(random: Random) -> str:
    members = list(PLAIN.items())
    for _ in range(random.choice([0, 0, 1, 1, 1, 2, 3])):
        name = random.choice(
            [*PLAIN, "timestamp", "timestamp", *IDENTIFIERS, *COUNTS, *COUNTS, random.choice(UNEXPECTED)]
        )
        places = [place for place, (known, _) in enumerate(members) if known == name]
        kind = random.random()
        if places and kind < 0.08:
            del members[places[0]]
        elif places and kind < 0.9:
            members[places[0]] = (name, member_text(name, random))
        else:  # absent, or a second member of the same name
            members.insert(random.randint(0, len(members)), (name, member_text(name, random)))
    if random.random() < 0.85:
        return "{" + ", ".join(f'"{name}": {text}' for name, text in members) + "}"
    comma, colon, before, after = (random.choice(WHITE_SPACE) for _ in range(4))
    body = f"{comma},".join(f'"{name}"{colon}:{text}' for name, text in members)
    return f"{{{before}{body}{random.choice(['', '', '', ','])}{after}}}"


def content_of(random: Random) -> bytes:
    """An object's bytes before compression."""
    records = [
        record_text(random) if random.random() < 0.9 else random.choice(OTHER_TEXTS)
        for _ in range(random.randint(0, 6))
    ]
    shape = random.choice(["lines", "lines", "array", "value"])
    if shape == "array":
        text = "[" + mostly_first(random, [",", ",\n", " , ", ",,", "\n"], 0.6).join(records) + "]"
    elif shape == "value":
        text = (records or [""])[0].replace(", ", random.choice([", ", ",\n", ",\r\n\t"]))
    else:
        between = ["\n", "\r\n", "\n\n", "\n \t\r\n", "\r", "\u2028", "\x0c", "\n\ufeff"]
        text = mostly_first(random, between, 0.5).join(records)
    before = mostly_first(random, ["", "\ufeff", "\ufeff\ufeff", "\n", " \r\n", "\n\ufeff", "\x00"], 0.7)
    after = mostly_first(random, ["", "\n", "\r\n", "\n\n", " ", "]", "\n7", "\x00", "\x1a", ","], 0.6)
    content = (before + text + after).encode(mostly_first(random, ["utf-8", "utf-16", "utf-8-sig"], 0.95))
    if random.random() < 0.1:
        place = random.randint(0, len(content))
        content = content[:place] + random.choice(BAD_BYTES) + content[place + random.randint(0, 2) :]
    return content


def awkward_object(number: int, random: Random) -> tuple[str, bytes]:
    """A key, unique to each number, and the object's bytes."""
    folders = [random.choice(FOLDERS) for _ in range(random.choice([0, 0, 1, 2, 3]))]
    content = content_of(random)
    ending = random.choice([".json", ".jsonl", ".ndjson"])
    compression = mostly_first(random, ["", ".gz", ".zst"], 0.6)
    if compression and random.random() < 0.9:
        content = gzip.compress(content, mtime=0) if compression == ".gz" else zstandard.compress(content)
        damage = mostly_first(random, ["none", "cut", "twice", "tail", "zeros"], 0.6)
        if damage == "cut":
            content = content[: random.randint(0, len(content))]
        content = {"twice": content * 2, "tail": content + b"tail", "zeros": content + b"\0\0"}.get(damage, content)
    return "/".join(["events", *folders, f"{number:04d}{ending}{compression}"]), content
