"""MLflow: one parent run per suite, one nested run per configuration, in a sqlite file inside the output folder.

The experiment carries the suite's name, so runs of many days stand side by side in ``mlflow ui``.
"""

import logging
import os
import re
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")

from mlflow import MlflowClient  # the switch above must be set before this import
from mlflow.entities import Metric, Param
from mlflow.tracking.context.registry import resolve_tags

from benchmarks.report import Outcome, Row
from callbacks.provenance import log_provenance

_STATUS = {"finished": "FINISHED", "failed": "FAILED", "interrupted": "KILLED"}
_MAX_PARAM = 500


def tracking_uri(output: Path) -> str:
    """The address of the run database in an output folder."""
    return f"sqlite:///{(output / 'mlflow.db').resolve()}"


class Tracker:
    """Writes runs of one suite.

    Args:
        output: folder of ``mlflow.db`` and ``mlruns``.
        experiment: name of the experiment, created if new.
        provenance: written to the parent run.
    """

    def __init__(self, output: Path, experiment: str, provenance: dict[str, Any]) -> None:
        for name in ("alembic", "mlflow"):
            logging.getLogger(name).setLevel(logging.WARNING)
        self.client = MlflowClient(tracking_uri(output))
        self.experiment_id = self._experiment(experiment, output)
        run = self.client.create_run(self.experiment_id, run_name=experiment, tags=self._tags())
        self.parent_id = run.info.run_id
        log_provenance(self.client, self.parent_id, provenance)
        self.client.log_dict(self.parent_id, provenance["config"], "suite.yaml")

    def log(self, outcome: Outcome, config: dict[str, Any], grid: bytes | None = None) -> None:
        """One nested run: parameters, figures with intervals, rows, configuration and the sample grid.

        The figure over all seeds is ``count_exact``, its interval ``count_exact/low`` and ``count_exact/high``; one
        slice is ``people_3/count_exact`` and one seed ``seed_0/count_exact``. Where something is expected of a figure,
        ``count_exact/met`` is 1 or 0.
        """
        tags = {**self._tags(), "mlflow.parentRunId": self.parent_id}
        run_id = self.client.create_run(self.experiment_id, run_name=outcome.title, tags=tags).info.run_id
        now = int(time.time() * 1000)
        params = {"method": outcome.method, **outcome.parameters}
        self.client.log_batch(
            run_id,
            metrics=[Metric(name, value, now, 0) for row in outcome.rows for name, value in _metrics(row)],
            params=[Param(_name(key), str(value)[:_MAX_PARAM]) for key, value in params.items()],
        )
        self.client.log_dict(run_id, {"rows": [vars(row) for row in outcome.rows]}, "rows.json")
        self.client.log_dict(run_id, config, "suite.yaml")
        if grid is not None:
            with tempfile.TemporaryDirectory() as folder:
                file = Path(folder) / "samples.png"
                file.write_bytes(grid)
                self.client.log_artifact(run_id, str(file))
        self.client.set_terminated(run_id, "FINISHED")

    def finish(self, status: str, files: list[Path]) -> None:
        """Close the parent run and put the report beside it."""
        for file in files:
            self.client.log_artifact(self.parent_id, str(file))
        self.client.set_terminated(self.parent_id, _STATUS[status])

    def _experiment(self, name: str, output: Path) -> str:
        found = self.client.get_experiment_by_name(name)
        if found is not None:
            return found.experiment_id
        return self.client.create_experiment(name, artifact_location=(output / "mlruns").resolve().as_uri())

    @staticmethod
    def _tags() -> dict[str, str]:
        return {key: str(value) for key, value in resolve_tags().items()}


def _metrics(row: Row) -> list[tuple[str, float]]:
    if row.value is None:
        return []
    if row.seed is not None:
        return [(_name(f"seed={row.seed}/{row.metric}"), row.value)] if row.slice == "all" else []
    name = _name(row.metric if row.slice == "all" else f"{row.slice}/{row.metric}")
    beside = {"low": row.low, "high": row.high, "met": row.met}
    ends = [(f"{name}/{end}", float(value)) for end, value in beside.items() if value is not None]
    return [(name, row.value), *ends]


def _name(text: str) -> str:
    """MLflow allows letters, digits and ``_-. :/`` in names."""
    return re.sub(r"[^\w\-. :/]", "_", text, flags=re.ASCII)
