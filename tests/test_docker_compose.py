"""The plant in containers, as far as it can be tested without a container engine."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import obstore
import pytest
import yaml
from obstore.store import S3Store

from ingestion.bridge.settings import BridgeSettings
from ingestion.bucket.credentials import use_shared_credentials
from ingestion.errors import BucketError
from ingestion.settings import ReportSettings, Settings, read_report_settings, read_settings
from ingestion.settings_sources import FrozenSettings, is_secret, variable_of
from ingestion.variables import KNOWN, PREFIX
from quality.alerts.settings import AlertSettings, read_alert_settings
from tests.s3_server import ACCESS_KEY, BUCKET, SECRET_KEY, s3_server
from tests.test_conventions import ROOT, text_of

COMPOSE: dict[str, Any] = yaml.safe_load(text_of("docker-compose.yml"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
ONE_SHOTS = {"keys"}
PAIRS = ("AWS", "FLOORHOUSE_CAMERAS", "FLOORHOUSE_ADMINISTRATION")
KEYS = {f"{pair}_ACCESS_KEY_ID": pair.lower() for pair in PAIRS} | {
    f"{pair}_SECRET_ACCESS_KEY": f"made-up-for-{pair}" for pair in PAIRS
}


def has_compose() -> bool:
    return (
        shutil.which("docker") is not None
        and subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode == 0
    )


def compose_config(**environment: str) -> subprocess.CompletedProcess[str]:
    # Not this folder's .env: an administrator's settings are not under test.
    command = ["docker", "compose", "--env-file", os.devnull, "config", "-q"]
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "DOCKER_CONFIG") if name in os.environ}
    return subprocess.run(command, cwd=ROOT, env=kept | environment, capture_output=True, text=True, check=False)


@pytest.mark.skipif(not has_compose(), reason="docker compose is not installed")
def test_compose_accepts_the_file_with_and_without_key_pairs_in_the_environment() -> None:
    assert compose_config(**KEYS).returncode == 0
    assert compose_config().returncode == 0


def test_the_plant_is_a_bucket_dagster_the_report_and_what_makes_the_buckets_keys_once() -> None:
    assert set(SERVICES) == {*ONE_SHOTS, "bucket", "daemon", "web", "report", "bridge"}
    assert [name for name, service in SERVICES.items() if "profiles" in service] == ["bridge"]


def test_every_variable_of_the_compose_file_is_in_the_example_environment() -> None:
    used = set(re.findall(r"\$\{([A-Z_]+)", text_of("docker-compose.yml")))
    offered = set(re.findall(r"^([A-Z_]+)=", text_of(".env.example"), flags=re.MULTILINE))

    assert used != set()
    assert used - offered == set()


def is_sent_to_the_builder(name: str) -> bool:
    """Whether .dockerignore, which excludes everything that it does not name, includes a file or folder."""
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

    # Without the packages of this environment: the build stage has only Node.
    subprocess.run([sys.executable, "-S", "-c", "import reports.shell"], cwd=tmp_path, check=True)


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_confined_watched_and_started_again(name: str) -> None:
    service = SERVICES[name]

    if name in ONE_SHOTS:
        assert service["restart"] == "no"
    else:
        assert service["restart"] == "unless-stopped"
        assert service["healthcheck"]["test"][0] == "CMD"
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert all(port.startswith("${FLOORHOUSE_BIND_ADDRESS:-127.0.0.1}:") for port in service.get("ports", []))
    assert all(volume.split(":")[0] in COMPOSE["volumes"] for volume in service["volumes"])


# The settings classes that each service's program reads. The bucket's program is not part of Floorhouse.
READ_BY: dict[str, list[type[FrozenSettings]]] = {
    "daemon": [Settings, AlertSettings],
    "web": [Settings, AlertSettings],
    "report": [ReportSettings],
    "bridge": [BridgeSettings],
}
FIXED_BY_THE_IMAGE = {variable_of(Settings, "data_dir")}
OF_THE_BRIDGES_SPOOL = {"FLOORHOUSE_EDGE_SPOOL_DIR", "FLOORHOUSE_EDGE_TARGET_URL"}


def forwarded(service: str) -> dict[str, str]:
    """The service's variables of Floorhouse, with the values that compose inserts."""
    environment = SERVICES[service]["environment"]
    return {name: str(value) for name, value in environment.items() if name.startswith(PREFIX)}


@pytest.mark.parametrize("service", READ_BY)
def test_every_setting_reaches_the_containers_that_read_it_and_no_other_variable_does(service: str) -> None:
    read = {variable_of(model, name) for model in READ_BY[service] for name in model.model_fields}

    given = {name: value for name, value in forwarded(service).items() if name not in OF_THE_BRIDGES_SPOOL}
    assert read >= FIXED_BY_THE_IMAGE or service == "bridge"
    assert set(given) == read - FIXED_BY_THE_IMAGE
    for name, value in given.items():
        assert re.match(rf"([a-z]+,|)\$\{{{name}:[-+]", value), f"{name} gets {value}"


def test_every_variable_of_the_compose_file_is_known_to_some_program() -> None:
    used = set(re.findall(rf"{PREFIX}([A-Z_]+)", text_of("docker-compose.yml")))

    assert used - KNOWN == set()


def substituted(value: str, environment: dict[str, str]) -> str:
    """A value as compose substitutes it, for the forms that the file uses."""

    def chosen(found: re.Match[str]) -> str:
        given = environment.get(found[1], "")
        return (found[3] if given else "") if found[2] == "+" else given or found[3]

    return re.sub(r"\$\{([A-Z_]+):([-+?])([^}]*)\}", chosen, value)


def test_what_is_unset_in_the_environment_of_compose_is_a_default_in_the_containers(tmp_path: Path) -> None:
    def inside(**given: str) -> dict[str, str]:
        values = {name: substituted(value, given) for name, value in forwarded("daemon").items()}
        return values | {PREFIX + "DATA_DIR": str(tmp_path)}

    plain = read_settings(inside())
    assert plain == Settings(data_dir=tmp_path, landing_url="s3://landing/plant", allowed_hosts="web,")
    assert read_alert_settings(inside()) == AlertSettings()
    assert read_report_settings(inside()).data_dir == tmp_path
    assert read_settings(inside(FLOORHOUSE_MIN_GROUP="9")).min_group == 9
    key = inside(FLOORHOUSE_PSEUDONYM_KEY_FILE="./key of the plant")
    assert key["FLOORHOUSE_PSEUDONYM_KEY_FILE"] == "/run/secrets/pseudonym_key"


def test_a_secret_is_mounted_from_the_file_that_is_named_and_else_an_empty_one() -> None:
    files = {name for service in ("daemon", "bridge") for name in forwarded(service) if name.endswith("_FILE")}
    secrets = {
        name: substituted(one["file"], {file: file for file in files}) for name, one in COMPOSE["secrets"].items()
    }

    assert set(secrets.values()) == files
    mounted = {service: SERVICES[service]["secrets"] for service in ("daemon", "web", "bridge")}
    assert mounted["daemon"] == mounted["web"]
    assert [*mounted["daemon"], *mounted["bridge"]] == list(secrets)
    for service, names in mounted.items():
        assert {value for name, value in forwarded(service).items() if name.endswith("_FILE")} == {
            f"${{{secrets[name]}:+/run/secrets/{name}}}" for name in names
        }
    for one in COMPOSE["secrets"].values():
        assert (ROOT / substituted(one["file"], {})).read_bytes() == b""
    given = {
        variable_of(model, name)
        for model in [*READ_BY["daemon"], *READ_BY["bridge"]]
        for name in model.model_fields
        if is_secret(model, name)
    }
    certificates = {name for name in files if "_CA_" in name or "_CLIENT_" in name}
    assert {f"{name}_FILE" for name in given} | certificates == files


def test_the_report_server_gets_no_credentials_and_cannot_write() -> None:
    assert "secrets" not in SERVICES["report"]
    assert not any("AWS" in name for name in SERVICES["report"]["environment"])
    assert SERVICES["report"]["volumes"] == ["data:/data:ro"]


def identities(**environment: str) -> subprocess.CompletedProcess[str]:
    """Run the start of the bucket's container, before the server, in this environment."""
    return bucket_program("identities", **environment)


def bucket_program(name: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "docker" / f"bucket-{name}"), *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_the_one_shot_makes_a_pair_each_once_and_the_plant_gets_its_own_alone(tmp_path: Path) -> None:
    folders = {name: str(tmp_path / name) for name in ("BUCKET_KEYS", "PLANT_KEY", "BRIDGE_KEY")}
    for folder in folders.values():
        Path(folder).mkdir()

    def shown(name: str, **given: str) -> str:
        return bucket_program("keys", "show", name, **folders, **given).stdout

    assert bucket_program("keys", "show", "cameras", **folders).returncode == 1
    first, again = (bucket_program("keys", "make", **folders).stdout for _ in range(2))
    assert first.splitlines() == [f"Made the key pair of {name}." for name in ("cameras", "plant", "administration")]
    assert again == ""
    pairs = {name: shown(name) for name in ("cameras", "plant", "administration")}
    assert len(set(pairs.values())) == 3
    assert {path.stat().st_mode & 0o777 for path in tmp_path.rglob("*") if path.is_file()} == {0o400}
    read = {"AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "PLANT_KEY" / "credentials")}
    use_shared_credentials(read)
    assert f"AWS_ACCESS_KEY_ID={read['AWS_ACCESS_KEY_ID']}\n" in pairs["plant"]
    assert f"AWS_SECRET_ACCESS_KEY={read['AWS_SECRET_ACCESS_KEY']}\n" in pairs["plant"]
    assert f"= {made_for_cameras(pairs)}\n" in (tmp_path / "BRIDGE_KEY" / "credentials").read_text()
    known = json.loads(identities(**folders).stdout)["identities"]
    assert [one["name"] for one in known] == ["cameras", "plant", "administration"]
    assert all(one["credentials"][0]["secretKey"] in pairs[one["name"]] for one in known)
    # A key pair of the environment is used instead of the generated one, which stays.
    assert shown("plant", **KEYS) == "AWS_ACCESS_KEY_ID=aws\nAWS_SECRET_ACCESS_KEY=made-up-for-AWS\n"
    assert shown("plant") == pairs["plant"]


def made_for_cameras(pairs: dict[str, str]) -> str:
    return pairs["cameras"].splitlines()[0].partition("=")[2]


def test_a_file_of_credentials_without_the_pair_is_named(tmp_path: Path) -> None:
    path = tmp_path / "credentials"
    given = {"AWS_SHARED_CREDENTIALS_FILE": str(path)}
    with pytest.raises(BucketError, match="cannot be read"):
        use_shared_credentials(given)
    path.write_text("[default]\naws_access_key_id = a\n")
    with pytest.raises(BucketError, match="aws_secret_access_key of the profile default"):
        use_shared_credentials(given)
    use_shared_credentials({**given, "AWS_ACCESS_KEY_ID": "a"})


def test_the_bucket_gets_three_key_pairs_and_no_service_of_the_plant_that_of_administration() -> None:
    assert set(KEYS) <= set(SERVICES["bucket"]["environment"])
    assert SERVICES["bucket"]["depends_on"] == {"keys": {"condition": "service_completed_successfully"}}
    assert "keys:/keys:ro" in SERVICES["bucket"]["volumes"]
    assert set(SERVICES["keys"]["volumes"]) == {"keys:/keys", "plant-key:/plant-key", "bridge-key:/bridge-key"}
    assert SERVICES["keys"]["command"] == ["make"]
    for name in ("daemon", "web", "report"):
        given = set(SERVICES[name]["environment"]) & set(KEYS)
        assert given <= {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}
        mounted = {volume.split(":")[0] for volume in SERVICES[name]["volumes"]}
        assert mounted == {"data"} | ({"plant-key"} if name != "report" else set())
    assert SERVICES["bridge"]["environment"]["AWS_ACCESS_KEY_ID"] == "${FLOORHOUSE_CAMERAS_ACCESS_KEY_ID:-}"
    assert {volume.split(":")[0] for volume in SERVICES["bridge"]["volumes"]} == {"spool", "bridge-key"}
    without_cameras = {name: value for name, value in KEYS.items() if "CAMERAS" not in name}
    assert "the key pair of cameras" in identities(**without_cameras).stderr
    shared = {**KEYS, "FLOORHOUSE_CAMERAS_SECRET_ACCESS_KEY": KEYS["AWS_SECRET_ACCESS_KEY"]}
    assert "a key pair each" in identities(**shared).stderr


def test_a_camera_puts_events_and_does_nothing_else_and_the_plant_keeps_to_its_bucket(tmp_path: Path) -> None:
    # The administrator identity creates the bucket, as the container does before it is ready.
    made_by = {f"{PAIRS[2]}_ACCESS_KEY_ID": ACCESS_KEY, f"{PAIRS[2]}_SECRET_ACCESS_KEY": SECRET_KEY}
    keys = {**KEYS, **made_by}
    configuration = identities(**keys, FLOORHOUSE_LANDING_URL=f"s3://{BUCKET}/floor").stdout
    with s3_server(tmp_path, configuration) as environment:

        def store(pair: str, bucket: str = BUCKET) -> S3Store:
            return S3Store(
                bucket,
                endpoint=environment["AWS_ENDPOINT_URL"],
                access_key_id=keys[f"{pair}_ACCESS_KEY_ID"],
                secret_access_key=keys[f"{pair}_SECRET_ACCESS_KEY"],
                region="us-east-1",
                virtual_hosted_style_request=False,
                client_options={"allow_http": True},
                retry_config={"max_retries": 0},
            )

        plant, camera, administration = (store(pair) for pair in ("AWS", *PAIRS[1:]))
        mine, workers = "floor/events/other.jsonl", "floor/registry/workers.csv"
        for key in (mine, workers):
            obstore.put(plant, key, b"kept")
        obstore.put(camera, "floor/events/site_id=a/new.jsonl", b"{}")
        attacks: dict[str, Callable[[], object]] = {
            "read an object": lambda: obstore.get(camera, mine).bytes(),
            "look at one": lambda: obstore.head(camera, mine),
            "list events": lambda: list(obstore.list(camera, "floor/events/")),
            "list all": lambda: list(obstore.list(camera)),
            "delete one": lambda: obstore.delete(camera, mine),
            "copy names in": lambda: obstore.copy(camera, workers, "floor/events/names.jsonl"),
            "move one": lambda: obstore.rename(camera, mine, "floor/events/moved.jsonl"),
            "name people": lambda: obstore.put(camera, workers, b"x"),
            "write the archive": lambda: obstore.put(camera, "floor/archive/events/a", b"x"),
            "write labels": lambda: obstore.put(camera, "floor/labels/a.jsonl", b"x"),
            "write beside the plant": lambda: obstore.put(camera, "events/a.jsonl", b"x"),
            "make a bucket": lambda: obstore.put(store(PAIRS[1], "another"), "floor/events/a.jsonl", b"x"),
            "leave its bucket, as the plant": lambda: obstore.put(store("AWS", "another"), "a", b"x"),
        }
        for name, attack in attacks.items():
            with pytest.raises(Exception, match=r"privilege|AccessDenied|Access Denied|403"):
                pytest.fail(f"a camera may {name}: {attack()!r}")
        kept = sorted(one["path"] for page in obstore.list(administration) for one in page)
        assert kept == ["floor/events/other.jsonl", "floor/events/site_id=a/new.jsonl", workers]
        assert obstore.get(plant, workers).bytes() == b"kept"
        obstore.delete(plant, mine)


def test_every_command_of_a_service_is_one_that_the_image_knows() -> None:
    known = set(re.findall(r"^    ([a-z]+)\)", text_of("docker/run"), flags=re.MULTILINE))

    of_the_image = [service for name, service in SERVICES.items() if "command" in service and name not in ONE_SHOTS]
    assert {service["command"][0] for service in of_the_image} <= known


@pytest.mark.parametrize(
    "script", ["docker/run", "docker/serve-bucket", "scripts/setup", "scripts/clean-data", ".ci/run"]
)
def test_every_shell_script_parses(script: str) -> None:
    shell = "bash" if "bash" in text_of(script).splitlines()[0] else "sh"

    assert subprocess.run([shell, "-n", ROOT / script], check=False).returncode == 0
    assert os.access(ROOT / script, os.X_OK)
