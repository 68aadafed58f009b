"""Records each request as a run in MLflow, if a plant has MLflow: the request, its reason and the manifest.

It needs `MLFLOW_TRACKING_URI` and the installed package (requirements-mlflow.lock). A failure of the server is logged
and never stops a batch; the next batch tries again. A recorded request has a file `mlflow_run_id`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

EXPERIMENT = "floorhouse-retraining"
TAG = "floorhouse.request_id"
RUN_ID_FILE = "mlflow_run_id"

# By default the client retries for minutes, but a batch must not wait for a missing server. By default it also refuses
# a plain folder, which a plant without a server uses. Values that the plant has set are kept.
_CLIENT = {
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_ALLOW_FILE_STORE": "true",
}


def track_requests(folder: Path, log: Callable[[str], None]) -> int:
    """Record the requests of the outbox that have no run yet. Returns how many were recorded."""
    if not os.environ.get("MLFLOW_TRACKING_URI"):
        return 0
    recorded = 0
    for manifest in sorted(folder.glob("*/manifest.json")):
        if (manifest.parent / RUN_ID_FILE).exists():
            continue
        try:
            run_id = _record(manifest, json.loads(manifest.read_text(encoding="utf-8")))
            (manifest.parent / RUN_ID_FILE).write_text(f"{run_id}\n", encoding="utf-8")
        except Exception as error:  # noqa: BLE001  # whatever a server or its client does wrong
            reason = " ".join(str(error).split())[:200]
            log(f"MLflow does not take {manifest.parent.name} ({reason}); the next batch tries again")
            return recorded
        recorded += 1
    return recorded


def _record(manifest: Path, request: dict[str, Any]) -> str:
    """Find or create the request's run. An existing run may be incomplete, so it is written again."""
    for name, value in _CLIENT.items():
        os.environ.setdefault(name, value)
    from mlflow import MlflowClient  # an optional package, and slow to import

    client = MlflowClient()
    experiment = client.get_experiment_by_name(EXPERIMENT)
    experiment_id = experiment.experiment_id if experiment else client.create_experiment(EXPERIMENT)
    found = client.search_runs([experiment_id], f"tags.`{TAG}` = '{request['request_id']}'", max_results=1)
    tags = {TAG: request["request_id"], "mlflow.runName": request["request_id"]}
    run_id = found[0].info.run_id if found else client.create_run(experiment_id, tags=tags).info.run_id
    for name in ("site_id", "model_name", "model_version", "reason", "as_of"):
        client.log_param(run_id, name, request[name])
    training_set = request["training_set"]
    metrics = {
        "observed": request["observed"],
        "threshold": request["threshold"],
        "sample_size": request["sample_size"],
        "training_rows": training_set["rows"],
        **{f"rows_{name}": count for part in ("splits", "reasons") for name, count in training_set[part].items()},
    }
    for name, value in metrics.items():
        if value is not None:
            client.log_metric(run_id, name, value)
    client.log_artifact(run_id, str(manifest))
    client.set_terminated(run_id)
    return str(run_id)
