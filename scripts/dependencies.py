"""`make audit` and `make sbom`: known vulnerabilities of the locked packages; a bill of materials with their licences.

The tools run in an environment of their own (requirements-audit.lock), with the locked npm (requirements-node.lock).
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, metadata, version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
REPORTS = ROOT / "reports"
FOLDER = ROOT / "sbom"

FINE, FOUND, NOT_LOOKED_UP = 0, 1, 3
_PINNED = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)", re.MULTILINE)
_UNKNOWN = "not stated"


@dataclass(frozen=True, slots=True)
class Audit:
    """What the database of vulnerabilities says of one lock file. `missing` packages were not looked up."""

    packages: int
    vulnerable: tuple[str, ...] = ()
    missing: int = 0
    failure: str | None = None  # the database cannot be reached

    @property
    def status(self) -> int:
        """The exit status that follows from it."""
        if self.vulnerable:
            return FOUND
        return NOT_LOOKED_UP if self.failure or self.missing else FINE

    def sentence(self, lock: str) -> str:
        """The result for a person, in one line."""
        if self.failure:
            return f"{lock}: not looked up, because the database of vulnerabilities cannot be reached: {self.failure}"
        if self.missing == self.packages:
            return f"{lock}: none of {self.packages} packages is in the database of vulnerabilities that was reached"
        missing = f"; {self.missing} others are not in the database that was reached" if self.missing else ""
        found = "".join(f"\n    {one}" for one in self.vulnerable)
        looked_up = self.packages - self.missing
        return f"{lock}: {len(self.vulnerable)} of {looked_up} packages have known vulnerabilities{missing}{found}"


def pip_audit_result(output: str, error: str) -> Audit:
    """The result in the JSON that pip-audit prints, or in what it says when it fails."""
    try:
        dependencies = json.loads(output)["dependencies"]
    except (ValueError, KeyError):
        return Audit(0, failure=_last_line(error))
    vulnerable = tuple(
        f"{one['name']} {one['version']}: {', '.join(each['id'] for each in one['vulns'])}"
        for one in dependencies
        if one.get("vulns")
    )
    return Audit(len(dependencies), vulnerable, sum("skip_reason" in one for one in dependencies))


def npm_audit_result(output: str, error: str) -> Audit:
    """The result in the JSON that `npm audit` prints, or in what it says when it fails."""
    try:
        result = json.loads(output)
    except ValueError:
        return Audit(0, failure=_last_line(error))
    if "vulnerabilities" not in result:
        return Audit(0, failure=_last_line(result.get("message") or error))
    vulnerable = tuple(f"{name}: {one['severity']}" for name, one in sorted(result["vulnerabilities"].items()))
    return Audit(result["metadata"]["dependencies"]["total"], vulnerable)


def audit() -> int:
    """Look up every lock file. Returns 0; 1 if a package has a known vulnerability; 3 if not all could be looked up."""
    results = {}
    for lock in sorted(ROOT.glob("requirements*.lock")):
        options = ("--disable-pip", "--require-hashes", "--format", "json", "--progress-spinner", "off")
        done = _tool("audit", "pip-audit", *options, "-r", str(lock))
        results[lock.name] = pip_audit_result(done.stdout, done.stderr)
    done = _tool("node", "npm", "audit", "--package-lock-only", "--json", folder=REPORTS)
    results["reports/package-lock.json"] = npm_audit_result(done.stdout, done.stderr)
    for name, result in results.items():
        print(result.sentence(name))
    statuses = [result.status for result in results.values()]
    return FOUND if FOUND in statuses else max(statuses)


def write_bill() -> int:
    """Write two CycloneDX files and the list of licences into `sbom/`. Returns 0, or 1 with one sentence."""
    FOLDER.mkdir(exist_ok=True)
    python, npm, licences = (FOLDER / name for name in ("python.cdx.json", "npm.cdx.json", "licences.md"))
    options = ("--output-format", "JSON", "--output-reproducible", "-o", str(python))
    done = _tool("audit", "cyclonedx-py", "requirements", *options, str(ROOT / "requirements.lock"))
    if done.returncode:
        print(f"The bill of the Python packages cannot be written: {_last_line(done.stderr)}", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as name:
        # npm describes only packages with a version, and the project's version is in pyproject.toml alone.
        package = json.loads((REPORTS / "package.json").read_text(encoding="utf-8"))
        package["version"] = version("floorhouse")
        (Path(name) / "package.json").write_text(json.dumps(package), encoding="utf-8")
        shutil.copy(REPORTS / "package-lock.json", name)
        done = _tool("node", "npm", "sbom", "--sbom-format", "cyclonedx", "--package-lock-only", folder=Path(name))
    if done.returncode:
        print(f"The bill of the npm packages cannot be written: {_last_line(done.stderr)}", file=sys.stderr)
        return 1
    npm.write_text(done.stdout, encoding="utf-8")
    rows = [*python_licences(), *npm_licences()]
    table = [
        "# Licences of the packages that Floorhouse installs",
        "",
        "| package | version | licence |",
        "| --- | --- | --- |",
    ]
    licences.write_text("\n".join([*table, *(f"| {' | '.join(row)} |" for row in rows), ""]), encoding="utf-8")
    print(f"{len(rows)} packages are listed in {python}, {npm} and {licences}")
    return 0


def pinned(lock: Path) -> list[tuple[str, str]]:
    """The packages of a lock file: name and version, in its order."""
    return _PINNED.findall(lock.read_text(encoding="utf-8"))


def python_licences() -> list[tuple[str, str, str]]:
    """Name, version and licence of each Python package of the program, as the package states it."""
    return [(name, at, _licence_of(name)) for name, at in pinned(ROOT / "requirements.lock")]


def npm_licences() -> list[tuple[str, str, str]]:
    """Name, version and licence of each npm package that the pages are built with, as the lock file states it."""
    packages: dict[str, Any] = json.loads((REPORTS / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    return sorted(
        {
            (path.rpartition("node_modules/")[2], one["version"], str(one.get("license", _UNKNOWN)))
            for path, one in packages.items()
            if path
        }
    )


def _licence_of(name: str) -> str:
    try:
        stated = metadata(name)
    except PackageNotFoundError:
        return "not installed on this platform"
    classified = [
        one.rpartition(" :: ")[2] for one in stated.get_all("Classifier", []) if one.startswith("License :: ")
    ]
    texts = (*stated.get_all("License-Expression", []), ", ".join(classified), *stated.get_all("License", []))
    chosen = next((text for text in texts if text.strip()), _UNKNOWN)
    return chosen.strip().splitlines()[0][:80]


def _tool(group: str, *command: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run a tool of a lock file in an environment made for it."""
    environment = ("--isolated", "--no-project", "--python", sys.executable)
    lock = ("--with-requirements", str(ROOT / f"requirements-{group}.lock"))
    uv = [str(Path(sys.executable).with_name("uv")), "run", "--quiet", *environment, *lock, "--", *command]
    return subprocess.run(uv, cwd=folder, capture_output=True, text=True, check=False)


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:200] if lines else "the tool said nothing"


def main(arguments: Sequence[str]) -> int:
    """Run `audit` or `bill`."""
    return {"audit": audit, "bill": write_bill}[arguments[0]]()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
