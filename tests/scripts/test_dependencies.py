"""What the audit says of each answer of its tools, and the licences of all locked packages."""

import json

from scripts.dependencies import (
    FINE,
    FOUND,
    NOT_LOOKED_UP,
    ROOT,
    Audit,
    npm_audit_result,
    npm_licences,
    pinned,
    pip_audit_result,
    python_licences,
)

FINE_ONE = {"name": "duckdb", "version": "2.0", "vulns": []}
BAD_ONE = {"name": "old", "version": "1.0", "vulns": [{"id": "PYSEC-1"}, {"id": "PYSEC-2"}]}
SKIPPED = {"name": "uv", "skip_reason": "Dependency not found on PyPI"}


def test_a_vulnerable_package_is_named_with_the_ids_of_its_faults() -> None:
    result = pip_audit_result(json.dumps({"dependencies": [FINE_ONE, BAD_ONE, SKIPPED]}), "")
    assert result == Audit(3, ("old 1.0: PYSEC-1, PYSEC-2",), 1)
    assert result.status == FOUND
    assert result.sentence("a.lock") == (
        "a.lock: 1 of 2 packages have known vulnerabilities; 1 others are not in the database that was reached"
        "\n    old 1.0: PYSEC-1, PYSEC-2"
    )


def test_packages_that_were_not_looked_up_never_count_as_fine() -> None:
    assert pip_audit_result(json.dumps({"dependencies": [FINE_ONE]}), "").status == FINE
    nothing_known = pip_audit_result(json.dumps({"dependencies": [SKIPPED]}), "")
    assert nothing_known.status == NOT_LOOKED_UP
    assert "none of 1 packages is in the database" in nothing_known.sentence("a.lock")


def test_a_database_that_cannot_be_reached_is_said_with_its_own_words() -> None:
    for result in (
        pip_audit_result("", "Traceback\nConnectionError: no route to host\n"),
        npm_audit_result('{"message": "no route to host"}', ""),
        npm_audit_result("", "npm error no route to host"),
    ):
        assert result.status == NOT_LOOKED_UP
        assert "cannot be reached: " in result.sentence("a.lock")
        assert "no route to host" in result.sentence("a.lock")


def test_vulnerabilities_of_npm_packages_are_counted() -> None:
    answer = {"vulnerabilities": {"left": {"severity": "high"}}, "metadata": {"dependencies": {"total": 870}}}
    assert npm_audit_result(json.dumps(answer), "") == Audit(870, ("left: high",))


def test_every_locked_package_has_its_licence_in_the_list() -> None:
    python, npm = python_licences(), npm_licences()
    locked = pinned(ROOT / "requirements.lock")
    assert [(name, version) for name, version, _ in python] == locked
    assert {"duckdb", "dagster", "pandas"} <= {name for name, _ in locked}
    assert any(name == "duckdb" and "MIT" in licence for name, _, licence in python)
    assert len(npm) > 500
    unstated = [name for name, _, licence in (*python, *npm) if licence == "not stated"]
    assert len(unstated) < 10, unstated
