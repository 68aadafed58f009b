"""Writes the documentation of the settings from their classes: `python -m scripts.settings_pages`.

It writes all of .env.example, and in other pages the tables between `<!-- settings: … -->` and `<!-- end -->`.
"""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

from ingestion.bridge.settings import BridgeSettings
from ingestion.intake.settings import IntakeSettings
from ingestion.settings import Settings
from ingestion.settings_sources import FrozenSettings, variable_of
from quality.alerts.settings import AlertSettings

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = ".env.example"
CLASSES: dict[str, type[FrozenSettings]] = {
    "plant": Settings,
    "alert": AlertSettings,
    "intake": IntakeSettings,
    "bridge": BridgeSettings,
}
# The pages with a table, and the class whose settings it lists.
TABLES = {
    "README.md": "plant",
    "docs/quality.md": "alert",
    "ingestion/intake/README.md": "intake",
    "ingestion/bridge/README.md": "bridge",
}

_HEAD = """\
# Every setting, with its default. Copy to .env for docker compose (`cp .env.example .env`), or export what differs.
# An empty variable counts as unset. docs/contract.md, section 8, is the authority. `floorhouse settings` shows what is
# in force. What stands here wins over floorhouse.toml: delete the lines that the file is to set.
# Written by `python -m scripts.settings_pages` from the settings classes.
"""
_PARTS = {
    "plant": "",
    "alert": "# Where alerts go in addition to <data dir>/alerts.log (see docs/quality.md).\n\n",
    "intake": "# HTTP intake (floorhouse intake). docker compose has no service for it.\n\n",
    "bridge": "# MQTT bridge (floorhouse bridge, docker compose --profile bridge; ingestion/bridge/README.md).\n\n",
}
_TAIL = """\
# The edge uploader (floorhouse edge) runs on other machines; ingestion/edge/README.md has its settings, which are also
# those of the bridge's spool.

# The S3 server of an s3:// bucket, under the usual names; AWS_SHARED_CREDENTIALS_FILE may name a file with the pair.
# In docker compose this is the plant's own key pair; left empty, it is made for the compose file's bucket.
AWS_ACCESS_KEY_ID=
AWS_SECRET_ACCESS_KEY=
AWS_REGION=us-east-1
AWS_ENDPOINT_URL=

# Only docker compose reads these: image that the images are built on, and where its ports are on this machine.
FLOORHOUSE_BASE_IMAGE=python:3.11-slim-bookworm
FLOORHOUSE_BIND_ADDRESS=127.0.0.1
FLOORHOUSE_REPORT_PORT=8080
FLOORHOUSE_DAGSTER_PORT=3000
FLOORHOUSE_BUCKET_PORT=8333
# And the bucket's other key pairs: the cameras', which may put objects under events/ and do nothing else, and that of
# administration, which may do everything and which the plant's services do not get. What is empty is made once.
FLOORHOUSE_CAMERAS_ACCESS_KEY_ID=
FLOORHOUSE_CAMERAS_SECRET_ACCESS_KEY=
FLOORHOUSE_ADMINISTRATION_ACCESS_KEY_ID=
FLOORHOUSE_ADMINISTRATION_SECRET_ACCESS_KEY=
"""


def pages() -> dict[str, str]:
    """The current text of each page, by its path below the root."""
    return {EXAMPLE: example(), **{name: with_table(_text(name), which) for name, which in TABLES.items()}}


def example() -> str:
    """The whole of .env.example."""
    parts = (_PARTS[which] + "\n".join(_example_lines(model)) for which, model in CLASSES.items())
    return "\n".join((_HEAD, *parts, _TAIL))


def with_table(page: str, which: str) -> str:
    """A page with the table of a settings class between its marks."""
    start, end = f"<!-- settings: {which} -->\n", "<!-- end -->"
    before, mark, rest = page.partition(start)
    return before + mark + "\n" + "\n".join(_table_lines(CLASSES[which])) + "\n\n" + end + rest.partition(end)[2]


def _example_lines(model: type[FrozenSettings]) -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield from (f"# {line}" for line in textwrap.wrap(field.description or "", 118))
        yield f"{variable_of(model, name)}={_shown(field.default)}"
        yield ""


def _table_lines(model: type[FrozenSettings]) -> Iterator[str]:
    yield "| variable | default | meaning |"
    yield "| --- | --- | --- |"
    for name, field in model.model_fields.items():
        default = _shown(field.default)
        yield f"| `{variable_of(model, name)}` | {f'`{default}`' if default else ''} | {field.description} |"


def _shown(default: object) -> str:
    """A default as the value of a variable; empty if the setting is unset."""
    if default is None or default is False:
        return "" if default is None else "no"
    return f"./{default}" if isinstance(default, Path) else str(default)


def _text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


if __name__ == "__main__":
    for place, content in pages().items():
        (ROOT / place).write_text(content, encoding="utf-8")
    sys.exit(0)
