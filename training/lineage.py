"""Where a model comes from: which files, which code, which settings, which steps, with the rows in and out of each.

Two forms. ``lineage_facts`` has no times and no names of machines, and stands in ``model.json``: the same input gives the same artifact.
``lineage.json``, beside the job's reports, says the same in OpenLineage's vocabulary (openlineage.io/spec/2-0-2), with times.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import platform
import uuid
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from training.config import TrainingConfig
from training.data.dataset import Dataset

LINEAGE_JSON = "lineage.json"
ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("inference", "training", "container")
PACKAGES = ("numpy", "scipy", "pandas", "pyarrow", "scikit-learn", "dask")
NAMESPACE = "music-recommender"
SPEC = "https://openlineage.io/spec"
FACETS = {
    "schema": f"{SPEC}/facets/1-0-0/SchemaDatasetFacet.json#/$defs/SchemaDatasetFacet",
    "version": f"{SPEC}/facets/1-0-0/DatasetVersionDatasetFacet.json#/$defs/DatasetVersionDatasetFacet",
    "dataQualityMetrics": f"{SPEC}/facets/1-0-2/DataQualityMetricsInputDatasetFacet.json#/$defs/DataQualityMetricsInputDatasetFacet",
    "outputStatistics": f"{SPEC}/1-0-1/OutputStatisticsOutputDatasetFacet.json#/$defs/OutputStatisticsOutputDatasetFacet",
    "jobType": f"{SPEC}/facets/2-0-4/JobTypeJobFacet.json#/$defs/JobTypeJobFacet",
    "processing_engine": f"{SPEC}/facets/1-1-0/ProcessingEngineRunFacet.json#/$defs/ProcessingEngineRunFacet",
    # Facets of our own: a name with a prefix, as OpenLineage asks, and the general form of such a facet.
    "musicRecommender_steps": f"{SPEC}/2-0-2/OpenLineage.json#/$defs/RunFacet",
    "musicRecommender_configuration": f"{SPEC}/2-0-2/OpenLineage.json#/$defs/RunFacet",
    "musicRecommender_platform": f"{SPEC}/2-0-2/OpenLineage.json#/$defs/RunFacet",
    "musicRecommender_code": f"{SPEC}/2-0-2/OpenLineage.json#/$defs/JobFacet",
}


def lineage_facts(dataset: Dataset, config: TrainingConfig, earlier: str | None = None) -> dict[str, Any]:
    """Returns what the artifact says of its origin, in JSON's types: ``inputs``, ``steps``, ``code``, ``configuration``, ``packages``, and
    ``earlier_model``, the version of the model that this one continues, if there is one."""
    default = TrainingConfig().to_flat_dict()
    flat = config.to_flat_dict()
    inputs = [
        {
            "channel": file.channel,
            "name": file.name,
            "format": file.format,
            "schema": file.schema,
            "size": file.size,
            "sha256": file.sha256,
            "rows": file.rows,
            "columns": list(file.columns),
            "roles": dict(file.roles),
        }
        for file in dataset.files
    ]
    steps = [
        {"name": step.name, "channel": step.channel, "rows_in": step.rows_in, "rows_out": step.rows_out, "settings": dict(step.settings)}
        for step in dataset.steps
    ]
    return {
        "inputs": inputs,
        "steps": steps,
        "code": {"sha256": code_sha256(), "python": ".".join(platform.python_version_tuple()[:2])},
        "configuration": {
            "changed": {name: value for name, value in flat.items() if value != default[name]},
            "sha256": hashlib.sha256(json.dumps(flat, sort_keys=True).encode()).hexdigest(),
        },
        "packages": {name: importlib.metadata.version(name) for name in PACKAGES},
        **({} if earlier is None else {"earlier_model": earlier}),
    }


def code_sha256(root: Path = ROOT) -> str:
    """Returns the sha256 over this program's own sources, their names and their bytes, in the order of their names."""
    digest = hashlib.sha256()
    for path in sorted(path for room in ROOMS for kind in ("*.py", "*.c") for path in (root / room).rglob(kind)):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def write_lineage(
    facts: Mapping[str, Any],
    output_dir: Path,
    started: datetime,
    ended: datetime,
    model: Mapping[str, Any],
    origin: Mapping[str, str] | None = None,
) -> None:
    """Writes ``lineage.json``. ``model``: the document ``model.json`` of the finished model. Times have a zone. ``origin``: what the
    platform calls the job and its machine, by name; it stands here only, since the same input is to give the same artifact anywhere."""
    event = lineage_event(facts, started, ended, model, origin)
    output_dir.mkdir(parents=True, exist_ok=True)
    (output_dir / LINEAGE_JSON).write_text(json.dumps(event, indent=2, ensure_ascii=True) + "\n", encoding="ascii")


def lineage_event(
    facts: Mapping[str, Any], started: datetime, ended: datetime, model: Mapping[str, Any], origin: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Returns OpenLineage's event of the finished run: its inputs are the files, its output is the model."""
    version = str(model["model_version"])
    producer = f"urn:{NAMESPACE}:{facts['code']['sha256'][:12]}"

    def facet(name: str, /, **fields: Any) -> dict[str, Any]:
        return {name: {"_producer": producer, "_schemaURL": FACETS[name], **fields}}

    songs = model.get("data", {}).get("songs", 0)
    before = facts.get("earlier_model")
    continued = (
        [] if before is None else [{"namespace": NAMESPACE, "name": f"model/{before}", "facets": facet("version", datasetVersion=before)}]
    )
    return {
        "eventType": "COMPLETE",
        "eventTime": ended.isoformat(),
        "producer": producer,
        "schemaURL": f"{SPEC}/2-0-2/OpenLineage.json#/$defs/RunEvent",
        "run": {
            "runId": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{producer}/{version}/{started.isoformat()}")),
            "facets": {
                **facet("processing_engine", name="pandas and dask", version=facts["packages"]["dask"], packages=facts["packages"]),
                **facet("musicRecommender_steps", steps=facts["steps"], startTime=started.isoformat()),
                **facet("musicRecommender_configuration", **facts["configuration"]),
                **(facet("musicRecommender_platform", **origin) if origin else {}),
            },
        },
        "job": {
            "namespace": NAMESPACE,
            "name": "train",
            "facets": {
                **facet("jobType", processingType="BATCH", integration="MUSIC_RECOMMENDER", jobType="JOB"),
                **facet("musicRecommender_code", **facts["code"]),
            },
        },
        "inputs": [*(_input(one, facet) for one in facts["inputs"]), *continued],
        "outputs": [
            {
                "namespace": NAMESPACE,
                "name": f"model/{version}",
                "facets": facet("version", datasetVersion=version),
                "outputFacets": facet("outputStatistics", rowCount=int(songs), fileCount=len(model.get("arrays", {})) + 1),
            }
        ],
    }


def _input(one: Mapping[str, Any], facet: Any) -> dict[str, Any]:
    roles = {column: role for role, column in one["roles"].items()}
    fields = [{"name": name, **({"description": f"used as: {roles[name]}"} if name in roles else {})} for name in one["columns"]]
    return {
        "namespace": "file",
        "name": one["name"],
        "facets": {**facet("schema", fields=fields), **facet("version", datasetVersion=f"sha256:{one['sha256']}")},
        "inputFacets": facet("dataQualityMetrics", rowCount=one["rows"], bytes=one["size"], fileCount=1, columnMetrics={}),
    }
