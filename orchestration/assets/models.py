"""Every dbt model as an asset, every dbt data test as an asset check. dbt itself runs inside this process.

dagster-dbt translates dbt's nodes and events to Dagster's. The subprocess that dagster-dbt would start is not needed.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, dbt_assets
from dagster_dbt.core.dbt_cli_event import DbtCoreCliEventMessage

from ingestion.errors import TransformError
from orchestration.dbt.manifest import manifest_path
from orchestration.dbt.runner import build_models
from orchestration.import_ahead import ImportAhead
from orchestration.resources import WAREHOUSE_POOL, Warehouse

_RESULT_EVENTS = {"LogModelResult", "LogTestResult"}


class LayerTranslator(DagsterDbtTranslator):
    """dagster-dbt's translation, with the layers as groups."""

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str | None:
        """The layer's folder: staging, intermediate or marts."""
        return dbt_resource_props["fqn"][1] if dbt_resource_props["resource_type"] == "model" else None


def mart_names(manifest: Mapping[str, Any]) -> list[str]:
    """The models of the layer marts, in alphabetical order."""
    return sorted(
        node["name"]
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and node["fqn"][1] == "marts"
    )


def read_manifest() -> dict[str, Any]:
    """The dbt project's manifest. Each test that compares several models is shown at the last one of them.

    dagster-dbt reads this model from the test's configuration, and makes no check of a test without one.
    """
    manifest: dict[str, Any] = json.loads(manifest_path().read_bytes())
    for node in manifest["nodes"].values():
        if node["resource_type"] == "test" and not node.get("attached_node"):
            models = [manifest["nodes"][name] for name in node["depends_on"]["nodes"] if name in manifest["nodes"]]
            if models:
                node["config"].setdefault("meta", {}).setdefault("dagster", {"ref": {"name": models[-1]["name"]}})
    return manifest


def build_models_asset(manifest: Mapping[str, Any]) -> dg.AssetsDefinition:
    """The assets and checks of one manifest."""
    translator = LayerTranslator()

    @dbt_assets(manifest=manifest, name="models", dagster_dbt_translator=translator, pool=WAREHOUSE_POOL)
    def models(context: dg.AssetExecutionContext, warehouse: dg.ResourceParam[Warehouse]) -> Iterator[Any]:
        """Build the models and run their data tests. A test of severity error stops the batch before it publishes."""
        messages: dict[str, DbtCoreCliEventMessage] = {}
        failure: TransformError | None = None
        judging = ImportAhead("great_expectations")

        def note(event: Any) -> None:
            judging.start()
            _keep(messages, event)

        select = _selection(context) if context.is_subset else None
        try:
            report = build_models(warehouse.settings, note, select=select, log=context.log.info)
        except TransformError as error:
            failure = error
        judging.wait()
        rows = warehouse.row_counts()
        # Also after a failure: an operator needs to see which test failed and which models were built.
        for message in messages.values():
            for event in message.to_default_asset_events(manifest, translator, context):
                if _is_asked_for(event, context):
                    yield _with_rows(event, rows, manifest, message)
        if failure is not None:
            raise failure
        context.log.info(
            f"{report.models} models and {report.tests} data tests, {len(report.warned)} warned, "
            f"in {report.seconds:.1f} s; longest: {', '.join(f'{name} {took:.2f} s' for name, took in report.slowest)}"
        )

    return models


def _keep(messages: dict[str, DbtCoreCliEventMessage], event: Any) -> None:
    """Keep the event that ends a model or a test, as the dictionary that dbt writes to its JSON log.

    A rebuild ends each of them once per part. The last event is kept, unless an earlier one was a warning.
    """
    if event.info.name in _RESULT_EVENTS:
        from dbt_common.events.functions import msg_to_dict

        told = msg_to_dict(event)
        node = told["data"]["node_info"]
        before = messages.get(node["unique_id"])
        if before is None or before.raw_event["data"]["node_info"]["node_status"] != "warn":
            messages[node["unique_id"]] = DbtCoreCliEventMessage(raw_event=told, event_history_metadata={})


def _selection(context: dg.AssetExecutionContext) -> str:
    """The models that a person chose in the UI, in dbt's selection syntax."""
    return " ".join(sorted(key.path[-1] for key in context.selected_asset_keys))


def _is_asked_for(event: Any, context: dg.AssetExecutionContext) -> bool:
    """Whether a person chose the node.

    Tables in memory and their tests are built with the chosen nodes, but not shown.
    """
    if isinstance(event, dg.Output):
        return event.output_name in context.op_execution_context.selected_output_names
    if isinstance(event, dg.AssetCheckResult):
        chosen = {(key.asset_key, key.name) for key in context.selected_asset_check_keys}
        return (event.asset_key, event.check_name) in chosen
    return True


def _with_rows(event: Any, rows: dict[str, int], manifest: Mapping[str, Any], message: DbtCoreCliEventMessage) -> Any:
    if not isinstance(event, dg.Output):
        return event
    node = manifest["nodes"][message.raw_event["data"]["node_info"]["unique_id"]]
    count = rows.get(f"{node['schema']}.{node['name']}")
    return event if count is None else event.with_metadata({**event.metadata, "dagster/row_count": count})
