"""Takes screenshots of every page at both widths, light and dark: `python -m reports.screenshots FOLDER`.

Uses the site as last published, with the first worker and the first workstation of the lists.
"""

import argparse
import sys
import threading
from pathlib import Path

import duckdb

from ingestion.errors import FloorhouseError
from ingestion.settings import Settings, read_settings
from reports.browser import WIDTHS, Visit, open_pages
from reports.data import table_files
from reports.serve import open_server


def pages_of(site: Path) -> dict[str, str]:
    """Every page by the name of its picture: the fixed pages, and the pages of one worker and one workstation."""
    pages = {
        "plant": "/",
        "hours": "/hours/",
        "workstations": "/workstations/",
        "workers": "/workers/",
        "timeline": "/timeline/",
        "compare": "/compare/?period=all",
        "models": "/models/?period=31",
        "agreement": "/agreement/?period=31",
        "data-health": "/data-health/",
        "definitions": "/definitions/",
    }
    with duckdb.connect() as connection:
        for name, table in (("worker", "worker_shifts"), ("workstation", "workstation_shifts")):
            found = connection.execute(
                f"select url_encode(site_id) || '/' || url_encode({name}_id) from read_parquet($files) "
                f"order by shift_date desc, site_id, {name}_id limit 1",
                {"files": [str(file) for file in table_files(site, table)]},
            ).fetchone()
            if found:
                pages[name] = f"/{name}s/{found[0]}/"
    return pages


def take_screenshots(settings: Settings, folder: Path) -> list[Path]:
    """Write `<page>-<width>.png`, and `…-dark.png`, for every page and width; return the files, in the order taken."""
    folder.mkdir(parents=True, exist_ok=True)
    visits = [
        Visit(path, width, name, scheme=scheme)
        for name, path in pages_of(settings.site_path).items()
        for width in WIDTHS
        for scheme in ("light", "dark")
    ]
    with open_server(settings.site_path, port=0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            open_pages(server.address.rstrip("/"), visits, screenshots=folder)
        finally:
            server.shutdown()
    dark = {"light": "", "dark": "-dark"}
    return [folder / f"{visit.name}-{visit.width}{dark[visit.scheme]}.png" for visit in visits]


def main() -> None:
    """Take the pictures and print where they are."""
    parser = argparse.ArgumentParser(
        prog="python -m reports.screenshots", description="Take pictures of every report page."
    )
    parser.add_argument("folder", type=Path)
    try:
        for file in take_screenshots(read_settings(), parser.parse_args().folder):
            print(file)
    except FloorhouseError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
