"""The parsed dbt project. Each content of its files is parsed once and cached on disk.

Dagster reads the manifest as JSON. dbt receives its own object, so that it does not parse again. No model runs here. An
incomplete cache, for instance after a power cut, is made again.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterable
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingestion.durable import put_in_place, sync
from ingestion.errors import TransformError
from ingestion.settings import Settings
from orchestration.dbt.overhead import keep_used_macros
from orchestration.dbt.project import PROJECT_DIR, run_dbt

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest

TARGET = PROJECT_DIR / "target"  # the folder of the cache

_WRITTEN_BY_DBT = {"target", "logs"}

# dbt's own object beside its `manifest.json`, without the files' sources and the unused macros.
_OWN_COPY = "manifest.msgpack"
_JSON = "manifest.json"
# The SHA-256 of both files, by name.
_HASHES = "whole.json"

# Messages about repaired caches of this process that were not returned yet.
_healed: list[str] = []


def manifest_path() -> Path:
    """The path of the current project's `manifest.json`. The project is parsed first if that has not been done.

    Raises:
        TransformError: the project does not parse, or its folder `target` cannot be written.
    """
    return _parsed_folder() / _JSON


def load_manifest() -> Manifest:
    """dbt's own object for `dbtRunner(manifest=…)`, read once in each process.

    A build writes into it the SQL of its nodes and their results, which the next build overwrites.
    """
    path = _parsed_folder() / _OWN_COPY
    return _manifest_in(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=1)
def _manifest_in(path: Path, modified: int) -> Manifest:  # noqa: ARG001  # another file of this name is read again
    from dbt.contracts.graph.manifest import Manifest

    manifest = Manifest.from_msgpack(path.read_bytes())
    manifest.build_flat_graph()  # type: ignore[no-untyped-call]
    return manifest


def project_hash(project: Path = PROJECT_DIR) -> str:
    """One hash over the versions of dbt and the names and contents of all files of the project."""
    names = (path.relative_to(project) for path in project.rglob("*") if path.is_file())
    return _hash_of(
        project, ("dbt-core", "dbt-duckdb"), (name for name in names if name.parts[0] not in _WRITTEN_BY_DBT)
    )


def models_hash(project: Path = PROJECT_DIR) -> str:
    """One hash over all that determines the marts' rows beside the raw tables: SQL, its variables, the engine."""
    folders = ("models", "macros")
    names = (path.relative_to(project) for folder in folders for path in (project / folder).rglob("*.sql"))
    return _hash_of(project, ("duckdb",), [*names, Path("dbt_project.yml")])


def _hash_of(project: Path, packages: tuple[str, ...], names: Iterable[Path]) -> str:
    states = ((name, (project / name).stat()) for name in sorted(names))
    return _digest(project, packages, tuple((name, state.st_mtime_ns, state.st_size) for name, state in states))


@lru_cache(maxsize=8)
def _digest(project: Path, packages: tuple[str, ...], files: tuple[tuple[Path, int, int], ...]) -> str:
    digest = hashlib.sha256("\0".join(version(name) for name in packages).encode())
    for name, _, _ in files:
        content = (project / name).read_bytes()
        digest.update(f"\0{name.as_posix()}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()[:16]


def healed() -> list[str]:
    """One sentence for each cache that was incomplete and was made again. Each is returned once."""
    told = list(_healed)
    _healed.clear()
    return told


def _parsed_folder() -> Path:
    folder = TARGET / f"parsed-{project_hash()}"
    is_damaged = folder.exists() and not _is_whole(folder)
    if is_damaged or not folder.exists():
        try:
            TARGET.mkdir(exist_ok=True)
            _parse_into(folder)
        except OSError as error:
            raise TransformError(f"The parsed dbt project cannot be kept in {TARGET}: {error.strerror}.") from error
        for older in TARGET.glob("parsed-*"):
            if older != folder:
                shutil.rmtree(older, ignore_errors=True)
    if is_damaged:
        _healed.append(f"the parsed dbt project in {folder} was not whole and is parsed again")
    return folder


def _is_whole(folder: Path) -> bool:
    try:
        hashes = json.loads((folder / _HASHES).read_bytes())
        return {_JSON, _OWN_COPY} == hashes.keys() and all(
            _file_hash(folder / name, (folder / name).stat().st_mtime_ns, (folder / name).stat().st_size) == expected
            for name, expected in hashes.items()
        )
    except (OSError, ValueError, AttributeError):
        return False


@lru_cache(maxsize=8)
def _file_hash(path: Path, modified: int, size: int) -> str:  # noqa: ARG001  # the same file is read once a process
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _parse_into(folder: Path) -> None:
    """Parse in a separate folder and rename it, so that processes that start together never read a partial manifest."""
    with tempfile.TemporaryDirectory(prefix="parsing-", dir=folder.parent) as name:
        # dbt names relations after the warehouse's file. This file has the same name as every plant's and is never
        # opened.
        parsed = run_dbt(Settings(data_dir=Path(name)), ["parse"])
        if not parsed.success:
            raise TransformError(f"The dbt project cannot be parsed: {' '.join(str(parsed.exception).split())[:500]}")
        manifest: Any = parsed.result
        keep_used_macros(manifest, package=manifest.metadata.project_name)
        manifest.files = {}
        arriving = Path(name) / "whole"
        arriving.mkdir()
        shutil.move(Path(name) / "dbt" / _JSON, arriving / _JSON)
        (arriving / _OWN_COPY).write_bytes(manifest.to_msgpack())
        hashes = {file: hashlib.sha256((arriving / file).read_bytes()).hexdigest() for file in (_JSON, _OWN_COPY)}
        (arriving / _HASHES).write_text(json.dumps(hashes), encoding="utf-8")
        for file in arriving.iterdir():
            sync(file)
        try:
            if folder.exists():
                os.rename(folder, Path(name) / "damaged")
            put_in_place(arriving, folder)
        except OSError:
            if not _is_whole(folder):  # otherwise another process was quicker, with the same content
                raise
