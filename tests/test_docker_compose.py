"""The plant in containers, as far as it can be tested without a container engine."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.test_conventions import ROOT, text_of

COMPOSE: dict[str, Any] = yaml.safe_load(text_of("docker-compose.yml"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
KEYS = {"AWS_ACCESS_KEY_ID": "plant", "AWS_SECRET_ACCESS_KEY": "made-up-for-this-test"}


def has_compose() -> bool:
    return (
        shutil.which("docker") is not None
        and subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode == 0
    )


def compose_config(**environment: str) -> subprocess.CompletedProcess[str]:
    # Not this folder's .env: what an administrator set is not under test.
    command = ["docker", "compose", "--env-file", os.devnull, "config", "-q"]
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "DOCKER_CONFIG") if name in os.environ}
    return subprocess.run(command, cwd=ROOT, env=kept | environment, capture_output=True, text=True, check=False)


@pytest.mark.skipif(not has_compose(), reason="docker compose is not installed")
def test_compose_accepts_the_file_and_asks_for_credentials() -> None:
    assert compose_config(**KEYS).returncode == 0
    without_keys = compose_config()
    assert without_keys.returncode != 0
    assert "AWS_" in without_keys.stderr
    assert "set it in .env" in without_keys.stderr


def test_the_plant_is_a_bucket_dagster_and_the_report() -> None:
    assert set(SERVICES) == {"bucket", "daemon", "web", "report"}


def test_every_variable_of_the_compose_file_is_in_the_example_environment() -> None:
    used = set(re.findall(r"\$\{([A-Z_]+)", text_of("docker-compose.yml")))
    offered = set(re.findall(r"^([A-Z_]+)=", text_of(".env.example"), flags=re.MULTILINE))

    assert used != set()
    assert used - offered == set()


def is_sent_to_the_builder(name: str) -> bool:
    """Whether .dockerignore, which leaves everything out but what it names, lets a file or folder in."""
    let_in = [line.removeprefix("!") for line in text_of(".dockerignore").splitlines() if line.startswith("!")]
    return any(fnmatch(name.partition("/")[0], pattern) for pattern in let_in)


def test_every_file_that_the_images_are_built_from_exists() -> None:
    for service in SERVICES.values():
        context = ROOT / service["build"]["context"]
        dockerfile = (context / service["build"]["dockerfile"]).read_text(encoding="utf-8")
        copied = re.findall(r"^COPY (?!--from)(.+) \S+$", dockerfile, flags=re.MULTILINE)

        assert copied != []
        assert [name for names in copied for name in names.split() if not (context / name).exists()] == []
        assert [name for names in copied for name in names.split() if not is_sent_to_the_builder(name)] == []
        assert "ARG BASE_IMAGE" in dockerfile
        assert re.search(r"^USER floorhouse$", dockerfile, flags=re.MULTILINE)


def test_the_pages_are_built_from_the_files_that_their_stage_copies(tmp_path: Path) -> None:
    stage = text_of("docker/Dockerfile").partition(" AS pages\n")[2].partition("\nFROM ")[0]
    for line in re.findall(r"^COPY (.+)$", stage, flags=re.MULTILINE):
        *sources, target = line.split()
        for source in sources:
            if (ROOT / source).is_dir():
                left_out = shutil.ignore_patterns("node_modules", "build*", ".evidence", "__pycache__")
                shutil.copytree(ROOT / source, tmp_path / target, ignore=left_out)
            else:
                (tmp_path / target).mkdir(exist_ok=True)
                shutil.copy(ROOT / source, tmp_path / target)

    # Without the packages of this environment: the stage has none but Node.
    subprocess.run([sys.executable, "-S", "-c", "import reports.shell"], cwd=tmp_path, check=True)


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_confined_watched_and_started_again(name: str) -> None:
    service = SERVICES[name]

    assert service["restart"] == "unless-stopped"
    assert service["healthcheck"]["test"][0] == "CMD"
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert all(port.startswith("${FLOORHOUSE_BIND_ADDRESS:-127.0.0.1}:") for port in service.get("ports", []))
    assert all(volume.split(":")[0] in COMPOSE["volumes"] for volume in service["volumes"])


def test_the_report_server_gets_no_credentials_and_cannot_write() -> None:
    assert not any("AWS" in name for name in SERVICES["report"]["environment"])
    assert SERVICES["report"]["volumes"] == ["data:/data:ro"]


def test_every_command_of_a_service_is_one_that_the_image_knows() -> None:
    known = set(re.findall(r"^    ([a-z]+)\)", text_of("docker/run"), flags=re.MULTILINE))

    assert {service["command"][0] for service in SERVICES.values() if "command" in service} <= known


@pytest.mark.parametrize(
    "script", ["docker/run", "docker/serve-bucket", "scripts/setup", "scripts/clean-data", ".ci/run"]
)
def test_every_shell_script_parses(script: str) -> None:
    shell = "bash" if "bash" in text_of(script).splitlines()[0] else "sh"

    assert subprocess.run([shell, "-n", ROOT / script], check=False).returncode == 0
    assert os.access(ROOT / script, os.X_OK)
