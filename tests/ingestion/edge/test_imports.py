"""The uploader runs on small machines, so its imports are limited."""

import json
import subprocess
import sys
from pathlib import Path

from tests.ingestion.edge.gateway import Gateway

ROOT = Path(__file__).parents[3]

USE = """
import json, sys
before = set(sys.modules)
import ingestion.edge, ingestion.edge.__main__
from ingestion.edge.target import open_target
if {landing!r}:
    ingestion.edge.Spool(ingestion.edge.read_edge_settings()).append({{"n": 1}})
    assert ingestion.edge.__main__.main(["run", "--once"]) == 0
    assert ingestion.edge.__main__.main(["status"]) == 0
else:
    open_target("s3://bucket/prefix", 1)
print("\\n" + json.dumps(sorted(set(sys.modules) - before)))
"""


def modules_after(gateway: Gateway, landing: str) -> set[str]:
    variables = {
        "FLOORHOUSE_EDGE_SPOOL_DIR": str(gateway.settings.spool_dir),
        "FLOORHOUSE_EDGE_TARGET_URL": landing,
        "AWS_REGION": "us-east-1",
    }
    code = USE.format(landing=landing)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=variables, capture_output=True, text=True, check=True, timeout=60
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_a_folder_target_needs_nothing_but_the_standard_library(gateway: Gateway) -> None:
    modules = modules_after(gateway, gateway.landing.as_uri())
    foreign = {name for name in modules if name.partition(".")[0] not in sys.stdlib_module_names}
    assert {name for name in foreign if not name.startswith("ingestion.edge")} == {
        "ingestion",
        "ingestion.errors",
        "ingestion.printable",
        "ingestion.variables",
    }
    assert gateway.objects()


def test_an_s3_target_also_needs_obstore(gateway: Gateway) -> None:
    packages = {name.partition(".")[0] for name in modules_after(gateway, "")}
    assert packages - sys.stdlib_module_names == {"ingestion", "obstore"}
