"""The page shell: compiles pages and components into static files without data. `python -m reports.shell`.

A build takes minutes whatever the data, so it runs only when its sources change. Marts are not among the sources: pages
query data in the browser, and data.py writes it without Node.
"""

import argparse
import fcntl
import hashlib
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ingestion.errors import ReportError
from reports.assembly import BUILD_VARIABLES, STAMP_NAME, assemble, finish
from reports.node import Node, find_node, run_logged
from reports.own_pages import add_own_pages, content_of, own_pages, take_out
from reports.patches import apply_patches

REPORTS_FOLDER = Path(__file__).parent
BUILD_NAME, OWN_BUILD_NAME = "build", "build-own"  # without and with a plant's own pages
BUILD_FOLDER = REPORTS_FOLDER / BUILD_NAME

# All files that affect the pages.
SOURCES = (
    "pages", "components", "queries", "static", "app.html", "evidence.config.yaml", "svelte.config.js",
    "package.json", "package-lock.json", ".npmrc", "addresses.py", "assembly.py", "own_pages.py", "own_check.mjs",
    "patches.py", "content_security.py",
)  # fmt: skip
_LOCK_SOURCES = ("package.json", "package-lock.json", ".npmrc")

Log = Callable[[str], None]


def build_shell(log: Log = print, reports: Path = REPORTS_FOLDER, own: Path | None = None) -> Path:
    """Build the shell if its sources changed and return the folder of the built one.

    `own` is the folder of a plant's own pages. On a machine without Node they are left out, and `log` says so.

    Progress goes through `log`, one line each. Needs the npm registry only when the lock file changed since the last
    install. Raises ReportError if Node is missing or a step fails; the previous shell stays.
    """
    own = _buildable(own, log)
    build = build_folder(reports, own)
    wanted = source_hash(reports, own)
    if _built_hash(build) == wanted:
        return build
    with _only_one_build(reports, log):
        if _built_hash(build) == wanted:
            return build
        node = find_node()
        install_packages(node, reports, log)
        apply_patches(reports / "node_modules")
        template = assemble(reports)
        addresses = add_own_pages(own_pages(own), template, node, log)
        try:
            _compile(node, template, reports, log)
        except ReportError as error:
            if not addresses:
                raise
            take_out(template, addresses, str(error).splitlines()[0], log)
            _compile(node, template, reports, log)
        finish(template / "build", build, wanted, addresses)
    return build


def build_folder(reports: Path = REPORTS_FOLDER, own: Path | None = None) -> Path:
    """The folder of the built shell."""
    return reports / (OWN_BUILD_NAME if own_pages(own) else BUILD_NAME)


def source_hash(reports: Path = REPORTS_FOLDER, own: Path | None = None) -> str:
    """One hash over the names and contents of all sources of the shell, and of a plant's own pages."""
    digest = hashlib.sha256()
    sources = [(name, file.read_bytes()) for name, file in _source_files(reports)]
    for name, content in [*sources, *((f"own/{page.name}", content_of(page) or b"") for page in own_pages(own))]:
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def shell_for(own: Path, log: Log = lambda _: None) -> tuple[Path, str]:
    """The folder of the shell that a plant with these own pages shows, and its hash."""
    counted = _buildable(own, log)
    return build_folder(own=counted), source_hash(own=counted)


def _buildable(own: Path | None, log: Log) -> Path | None:
    """The folder of own pages if it has any and this machine can build them."""
    if not own_pages(own):
        return None
    try:
        find_node()
    except ReportError as error:
        log(f"the plant's own pages are left out: {error}")
        return None
    return own


def _source_files(reports: Path) -> Iterator[tuple[str, Path]]:
    for name in SOURCES:
        source = reports / name
        if source.is_dir():
            yield from (
                (path.relative_to(reports).as_posix(), path) for path in sorted(source.rglob("*")) if path.is_file()
            )
        elif source.is_file():
            yield name, source


def install_packages(node: Node, reports: Path, log: Log) -> None:
    """Install the locked npm packages into `reports`/node_modules unless they are there.

    Raises ReportError if npm fails.
    """
    stamp = reports / "node_modules" / ".floorhouse-lock"
    wanted = hashlib.sha256(b"\0".join((reports / name).read_bytes() for name in _LOCK_SOURCES)).hexdigest()
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted:
        return
    run_logged(
        # npm 11 asks before it runs install scripts, and older versions run them: the build needs none, so they are
        # disabled.
        [node.npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
        folder=reports,
        environment=node.environment({}),
        log_file=reports / ".evidence" / "npm.log",
        what="installing the report's npm packages",
        log=log,
    )
    stamp.write_text(wanted, encoding="utf-8")


def _compile(node: Node, template: Path, reports: Path, log: Log) -> None:
    log("the report pages changed; building them takes a minute or two")
    run_logged(
        [node.node, reports / "node_modules" / "vite" / "bin" / "vite.js", "build"],
        folder=template,
        environment=node.environment(BUILD_VARIABLES),
        log_file=reports / ".evidence" / "build.log",
        what="building the report pages",
        log=log,
    )
    if not (template / "build" / "index.html").is_file():
        raise ReportError("The build of the report pages ended without an index.html.")


def _built_hash(build: Path) -> str | None:
    try:
        return str(json.loads((build / STAMP_NAME).read_text(encoding="utf-8"))["hash"])
    except (FileNotFoundError, ValueError, KeyError):
        return None


@contextmanager
def _only_one_build(reports: Path, log: Log) -> Iterator[None]:
    lock_file = reports / ".evidence" / "build.lock"
    lock_file.parent.mkdir(parents=True, exist_ok=True)
    with lock_file.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            log("another process is building the report pages; waiting for it …")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m reports.shell", description="Build the report's pages.")
    parser.add_argument("--pages", type=Path, help="the folder of the plant's own pages (<data dir>/pages)")
    try:
        print(build_shell(lambda line: print(line, flush=True), own=parser.parse_args().pages))
    except ReportError as error:
        sys.exit(str(error))
