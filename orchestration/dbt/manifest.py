"""The parsed dbt project. Each content of its files is parsed once and cached on disk.

Dagster reads the manifest as JSON. dbt takes its own object, so that it need not parse again. No model runs here.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingestion.errors import TransformError
from ingestion.settings import Settings
from orchestration.dbt.overhead import keep_used_macros
from orchestration.dbt.project import PROJECT_DIR, run_dbt

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest

_WRITTEN_BY_DBT = {"target", "logs"}

# dbt's object beside its `manifest.json`, without the sources of all files and the macros that nothing uses.
_OWN_COPY = "manifest.msgpack"


def manifest_path() -> Path:
    """The `manifest.json` of the project as it is now, parsed first where that has not been done.

    Raises:
        TransformError: the project does not parse, or its folder `target` cannot be written.
    """
    return _parsed_folder() / "manifest.json"


def load_manifest() -> Manifest:
    """dbt's own object for `dbtRunner(manifest=…)`, a fresh one each time: a build writes into it."""
    from dbt.contracts.graph.manifest import Manifest

    manifest = Manifest.from_msgpack((_parsed_folder() / _OWN_COPY).read_bytes())
    manifest.build_flat_graph()  # type: ignore[no-untyped-call]
    return manifest


def project_hash(project: Path = PROJECT_DIR) -> str:
    """One hash over the versions of dbt and the names and contents of all files of the project."""
    names = (path.relative_to(project) for path in project.rglob("*") if path.is_file())
    return _hash_of(
        project, ("dbt-core", "dbt-duckdb"), (name for name in names if name.parts[0] not in _WRITTEN_BY_DBT)
    )


def models_hash(project: Path = PROJECT_DIR) -> str:
    """One hash over all that the marts' rows follow from, beside the raw tables: the SQL, its variables, the engine."""
    folders = ("models", "macros")
    names = (path.relative_to(project) for folder in folders for path in (project / folder).rglob("*.sql"))
    return _hash_of(project, ("duckdb",), [*names, Path("dbt_project.yml")])


def _hash_of(project: Path, packages: Iterable[str], names: Iterable[Path]) -> str:
    digest = hashlib.sha256("\0".join(version(name) for name in packages).encode())
    for name in sorted(names):
        content = (project / name).read_bytes()
        digest.update(f"\0{name.as_posix()}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()[:16]


def _parsed_folder() -> Path:
    target = PROJECT_DIR / "target"
    folder = target / f"parsed-{project_hash()}"
    if not folder.is_dir():
        try:
            target.mkdir(exist_ok=True)
            _parse_into(folder)
        except OSError as error:
            raise TransformError(f"The parsed dbt project cannot be kept in {target}: {error.strerror}.") from error
        for older in target.glob("parsed-*"):
            if older != folder:
                shutil.rmtree(older, ignore_errors=True)
    return folder


def _parse_into(folder: Path) -> None:
    """Parse in a folder of its own and rename it: two processes that start together never read half a manifest."""
    with tempfile.TemporaryDirectory(prefix="parsing-", dir=folder.parent) as name:
        # dbt names relations after the warehouse's file. This file has the name of every plant's and is never opened.
        parsed = run_dbt(Settings(data_dir=Path(name)), ["parse"])
        if not parsed.success:
            raise TransformError(f"The dbt project cannot be parsed: {' '.join(str(parsed.exception).split())[:500]}")
        manifest: Any = parsed.result
        keep_used_macros(manifest, package=manifest.metadata.project_name)
        manifest.files = {}
        (Path(name) / "dbt" / _OWN_COPY).write_bytes(manifest.to_msgpack())
        try:
            os.rename(Path(name) / "dbt", folder)
        except OSError:
            if not folder.is_dir():  # else another process was quicker, with the same content
                raise
