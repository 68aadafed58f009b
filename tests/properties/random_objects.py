"""Random ways for records to reach the bucket: objects of any size and wrapping, over several runs, some of them twice.

Does not look at the records' content.
"""

import gzip
from itertools import pairwise
from random import Random

import zstandard

Objects = list[tuple[str, bytes]]


def random_runs(lines: list[str], runs: int, random: Random) -> list[Objects]:
    """The same records as objects of random sizes and wrappings, spread over some runs; a few are repeated."""
    lines = [*lines, *random.sample(lines, len(lines) // 10)]
    random.shuffle(lines)
    objects: Objects = []
    while lines:
        size = random.choice([1, 2, 5, 20, 100])
        part, lines = lines[:size], lines[size:]
        key = f"events/{random.choice(['', 'camera_id=edge/', 'a/b/'])}{random.getrandbits(64):x}"
        objects.append(wrapped(key, part, random))
    return spread(objects, runs, random)


def spread(objects: Objects, runs: int, random: Random) -> list[Objects]:
    """Put each object in some run; a few a second time, and a few under a key with other content in an earlier run."""
    landed: list[Objects] = [[] for _ in range(runs)]
    share = [random.choice([1, 3, 30]) for _ in range(runs)]
    for place in objects:
        run = random.choices(range(runs), share)[0]
        landed[run].append(place)
        if random.random() < 0.1:  # sent again: later under its own key, or at any time under another key
            key, content = place
            same_key = random.random() < 0.5 and run + 1 < runs
            again = random.randrange(run + 1, runs) if same_key else random.randrange(runs)
            landed[again].append((key if same_key else key.replace("events/", "events/again/"), content))
    for earlier, later in pairwise(landed):
        old_keys = {old.split(".", 1)[1]: old for old, _ in earlier if old not in {key for key, _ in later}}
        for number, (key, content) in enumerate(later):
            old_key = old_keys.get(key.split(".", 1)[1], key)
            # Not if a folder supplies a field, or the records would change with their key.
            if "camera_id=" not in key + old_key and random.random() < 0.3:
                later[number] = (old_keys.pop(key.split(".", 1)[1], key), content)
    return landed


def wrapped(key: str, lines: list[str], random: Random) -> tuple[str, bytes]:
    is_array = random.random() < 0.3 and all(line not in ("{", "nothing") for line in lines)
    text = "[" + ",\n ".join(lines) + "]" if is_array else random.choice(["\n", "\r\n", "\n\n"]).join(lines) + "\n"
    content = (random.choice(["", "\ufeff"]) + text).encode()
    ending = random.choice([".json", ".jsonl", ".ndjson"])
    compression = random.choice(["", "", "", ".gz", ".zst"])
    if compression == ".gz":
        content = gzip.compress(content, mtime=0)
    if compression == ".zst":
        content = zstandard.compress(content)
    return key + ending + compression, content
