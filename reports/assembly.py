"""Prepares the compiler's input (its template with our pages) and takes over the finished shell.

Handles files only and starts no process. Its output shows on the pages, so this module counts as a source of the shell.
"""

import gzip
import json
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from reports.addresses import free_of_place, page_addresses
from reports.content_security import with_policy

STAMP_NAME = "shell.json"

# Settings that make the compiler build one page shell without data and send no telemetry.
BUILD_VARIABLES = {
    "VITE_EVIDENCE_SPA": "true",
    "EVIDENCE_IS_BUILDING": "true",
    "EVIDENCE_DATA_DIR": "./static/data",
    "EVIDENCE_DATA_URL_PREFIX": "static/data",
    "NODE_OPTIONS": "--max-old-space-size=4096",
}

# Routes of the template that only its developers need, or that contain its maker's pictures.
_LEFT_OUT = (
    "+page.md",
    "settings",
    "explore",
    "fix-tprotocol-service-worker.js",
    "manifest.webmanifest",
    "api",  # the template's own data layer; our pages use components/answers.js instead
)
_COMPRESSED = {".js", ".css", ".wasm", ".html", ".json", ".svg"}


def assemble(reports: Path) -> Path:
    """Copy our pages over the package's template, as its command line does, and return the folder to build in."""
    template = reports / ".evidence" / "template"
    shutil.rmtree(template, ignore_errors=True)
    shutil.copytree(reports / "node_modules" / "@evidence-dev" / "evidence" / "template", template)
    routes = template / "src" / "pages"
    for name in _LEFT_OUT:
        route = routes / name
        if route.is_dir():
            shutil.rmtree(route)
        else:
            route.unlink()
    shutil.rmtree(template / "static")
    shutil.copytree(reports / "static", template / "static")
    # The compiler itself looks for components in our folder; a copy would be a second module with a state of its own.
    (template / "src" / "components").symlink_to(reports / "components", target_is_directory=True)
    shutil.copyfile(reports / "app.html", template / "src" / "app.html")
    for page in sorted(path for path in (reports / "pages").rglob("*") if path.is_file()):
        place = page.relative_to(reports / "pages")
        if place.suffix == ".md":  # a/b.md answers at /a/b, a/index.md at /a
            place = place.parent / ("" if place.stem == "index" else place.stem) / "+page.md"
        (routes / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(page, routes / place)
    return template


def finish(built: Path, build: Path, source_hash: str, own: Iterable[str] = ()) -> None:
    """Make the page independent of its address, add the policy, compress files, and swap in the stamped shell.

    `own` are the addresses of the plant's own pages.
    """
    pages = [*page_addresses(build.parent / "pages"), *own]
    for page in built.rglob("*.html"):
        html = page.read_text(encoding="utf-8")
        html = free_of_place(html, pages) if page.name == "index.html" else html
        page.write_text(with_policy(html), encoding="utf-8")
    for path in [path for path in built.rglob("*") if path.suffix in _COMPRESSED and path.is_file()]:
        # mtime=0: the same shell gives the same bytes
        path.with_name(path.name + ".gz").write_bytes(gzip.compress(path.read_bytes(), 6, mtime=0))
    names = sorted(path.relative_to(built).as_posix() for path in built.rglob("*") if path.is_file())
    # The order of placement: each part before the files that load it, the page itself last.
    names.sort(key=lambda name: (name.startswith("index.html"), not name.startswith("_app/immutable/"), name))
    (built / STAMP_NAME).write_text(json.dumps({"hash": source_hash, "files": names}), encoding="utf-8")
    before = build.with_name(f"{build.name}.before")
    shutil.rmtree(before, ignore_errors=True)
    if build.exists():
        os.replace(build, before)
    os.replace(built, build)
    shutil.rmtree(before, ignore_errors=True)
