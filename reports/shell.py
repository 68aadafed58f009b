"""The page shell: compiles pages and components into static files without data. `python -m reports.shell`.

A build takes minutes whatever the data, so it runs only when its sources change. Marts are not among the sources: pages
query data in the browser, and data.py writes it without Node.
"""

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
from reports.patches import apply_patches

REPORTS_FOLDER = Path(__file__).parent
BUILD_FOLDER = REPORTS_FOLDER / "build"

# All files that affect the pages.
SOURCES = (
    "pages", "components", "queries", "static", "app.html", "evidence.config.yaml", "svelte.config.js",
    "package.json", "package-lock.json", ".npmrc", "addresses.py", "assembly.py", "patches.py", "content_security.py",
)  # fmt: skip
_LOCK_SOURCES = ("package.json", "package-lock.json", ".npmrc")

Log = Callable[[str], None]


def build_shell(log: Log = print, reports: Path = REPORTS_FOLDER) -> Path:
    """Build the shell if its sources changed and return the folder of the built one.

    Progress goes through `log`, one line each. Needs the npm registry only when the lock file changed since the last
    install. Raises ReportError if Node is missing or a step fails; the previous shell stays.
    """
    build = reports / "build"
    wanted = source_hash(reports)
    if _built_hash(build) == wanted:
        return build
    with _only_one_build(reports, log):
        if _built_hash(build) == wanted:
            return build
        node = find_node()
        install_packages(node, reports, log)
        apply_patches(reports / "node_modules")
        template = assemble(reports)
        _compile(node, template, reports, log)
        finish(template / "build", build, wanted)
    return build


def source_hash(reports: Path = REPORTS_FOLDER) -> str:
    """One hash over the names and contents of all sources of the shell."""
    digest = hashlib.sha256()
    for file in _source_files(reports):
        content = file.read_bytes()
        digest.update(f"{file.relative_to(reports).as_posix()}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def _source_files(reports: Path) -> Iterator[Path]:
    for name in SOURCES:
        source = reports / name
        if source.is_dir():
            yield from sorted(path for path in source.rglob("*") if path.is_file())
        elif source.is_file():
            yield source


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
    try:
        print(build_shell(lambda line: print(line, flush=True)))
    except ReportError as error:
        sys.exit(str(error))
