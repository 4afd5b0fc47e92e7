"""End old runs, and free what deleted ones take: the retention CronJob.

First, if an age is given, runs that ended long ago are deleted as in the UI, where they can be restored.
Then, runs that were deleted long enough ago, by this or by people, are removed with their artifacts, and
deleted experiments in which nothing stays. The next one goes on where one is cut off.
"""

import argparse
import os
import time
from collections.abc import Callable
from functools import cached_property
from typing import Any

from mlflow_kubernetes.schema.revisions import Revisions
from mlflow_kubernetes.stores.artifact_root import artifact_root
from mlflow_kubernetes.stores.database import connect
from mlflow_kubernetes.tasks.owner_check import check_owner
from mlflow_kubernetes.tasks.retention.candidates import Candidates
from mlflow_kubernetes.tasks.retention.experiments import DeletedExperiments
from mlflow_kubernetes.tasks.retention.purge import Purge
from mlflow_kubernetes.tasks.retention.traces import OldTraces, remove_traces
from mlflow_kubernetes.tasks.task import Report, Task, TaskError

# What fails for so many runs fails for all: the object store, most likely.
MAX_FAILURES = 10
# Seconds before Kubernetes' deadline that it ends by itself.
STOP_EARLY_SECONDS = 60
Row = tuple[str, str]


class Retention:
    """One pass over the database."""

    def __init__(self, task: Task, options: argparse.Namespace) -> None:
        self.task = task
        self.options = options
        self.end = time.monotonic() + options.seconds - STOP_EARLY_SECONDS
        self.failed: set[str] = set()

    def work(self) -> Report:
        """Delete, then purge; what a dry run would do is only told."""
        options = self.options
        check_owner(self.task.database, os.environ)
        self._check_schema()
        with self.task.database.connection() as connection:
            candidates = Candidates(connection, options.days, options.grace_days, options.keep_tag)
            due = candidates.old_runs()
            found = {"due_runs": len(due), "kept_runs": candidates.count_needed_old_runs()}
            self._log_due(found)
            if options.dry_run:
                return {**found, **self._preview(due, candidates), **self._purge_traces(connection, None)}
            purge = Purge(self._store, candidates, artifact_root(os.environ))
            report = {**found, **self._delete(candidates), **self._purge(candidates, purge)}
            report.update(self._purge_experiments(candidates, purge))
            report.update(self._purge_traces(connection, purge))
        if self.failed:
            raise TaskError(
                f"{len(self.failed)} could not be removed; see the lines above, the next run tries again."
            )
        return report

    def _log_due(self, found: Report) -> None:
        if self.options.days is None:
            self.task.log.info("no run is deleted by its age; only what was deleted before is removed.")
            return
        self.task.log.info(
            f"{found['due_runs']} runs ended more than {self.options.days:g} days ago and may go; "
            f"{found['kept_runs']} more are as old, but needed."
        )

    def _check_schema(self) -> None:
        """Else MLflow's store would migrate the database, under a server that runs."""
        found, wanted = self.task.database.revision(), Revisions.installed().head
        if found != wanted:
            raise TaskError(
                f"the database is at revision {found}, this image needs {wanted}; "
                "deploy the server with the same image first."
            )

    def _preview(self, due: list[Row], candidates: Candidates) -> Report:
        for what, rows in (
            ("delete runs", due),
            ("remove runs", candidates.deleted_runs()),
            ("remove logged models", candidates.deleted_models()),
            ("remove empty experiments", [(each, "") for each in DeletedExperiments(candidates).due()]),
        ):
            names = ", ".join(row[0] for row in rows[:10])
            self.task.log.info(
                f"dry run: would {what}: {len(rows)} ({names}{', ...' if len(rows) > 10 else ''})."
            )
        return {"deleted_runs": 0, "purged_runs": 0, "purged_models": 0, "purged_experiments": 0}

    def _delete(self, candidates: Candidates) -> Report:
        return {
            "deleted_runs": self._for_each_run(
                "deleted", candidates.old_runs, lambda run, _: self._store.delete_run(run)
            ),
        }

    def _purge(self, candidates: Candidates, purge: Purge) -> Report:
        self._for_each_run("removed permanently", candidates.deleted_runs, purge.run)
        for model, location in candidates.deleted_models():
            self._try(purge.model, model, location)
        return {"purged_runs": purge.runs, "purged_models": purge.models}

    def _purge_experiments(self, candidates: Candidates, purge: Purge) -> Report:
        experiments, count = DeletedExperiments(candidates), 0
        for experiment in experiments.due():
            while batch := experiments.traces(experiment, self.options.batch_size, self.failed):
                if time.monotonic() > self.end:
                    break
                remove_traces(purge, batch, self._try)
            if not experiments.traces(experiment, 1):
                count += self._try(purge.store._hard_delete_experiment, experiment)
        if count:
            self.task.log.info(f"{count} experiments removed permanently.")
        return {"purged_experiments": count}

    def _purge_traces(self, connection: Any, purge: Purge | None) -> Report:
        """Without a purge they are only counted."""
        days = self.options.traces_days
        if not days:
            return {}
        traces, count = OldTraces(connection, days, self.options.keep_tag), 0
        due = traces.count()
        would = "removing" if purge else "dry run: would remove"
        self.task.log.info(f"{would} traces that began more than {days:g} days ago: {due}.")
        while purge and (batch := traces.batch(self.options.batch_size, self.failed)):
            if time.monotonic() > self.end:
                self.task.log.info("time is up; the next run continues.")
                break
            count += remove_traces(purge, batch, self._try)
            self.task.log.info(f"{count} traces removed permanently.")
        return {"due_traces": due, "purged_traces": count}

    def _for_each_run(
        self, done: str, ask: Callable[[int], list[Row]], act: Callable[[str, str], object]
    ) -> int:
        """Act on run after run, with a new query for each batch, while there are any and time is left."""
        count = 0
        while rows := [
            row for row in ask(self.options.batch_size + len(self.failed)) if row[0] not in self.failed
        ]:
            for run, address in rows:
                if time.monotonic() > self.end:
                    self.task.log.info("time is up; the next run continues.")
                    return count
                count += self._try(act, run, address)
            self.task.log.info(f"{count} runs {done}.")
        return count

    def _try(self, act: Callable[..., object], name: str, *arguments: object) -> bool:
        try:
            act(name, *arguments)
        except Exception as error:  # of this one; the others may do
            self.failed.add(name)
            self.task.log.info(f"{name}: {type(error).__name__}: {' '.join(str(error).split())}")
            if len(self.failed) == MAX_FAILURES:
                raise TaskError(f"{MAX_FAILURES} could not be removed; see the lines above.") from error
            return False
        return True

    @cached_property
    def _store(self) -> Any:
        from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

        class Store(SqlAlchemyStore):
            def _initialize_store_state(self) -> None:
                """Else it refuses a database with workspaces; runs age in all of them."""

        return Store(self.task.database.uri, "mlflow-artifacts:/")


def main() -> int:
    """Run it; the exit code of the Job."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=float, help="age of a run's end; without it none is deleted")
    parser.add_argument("--traces-days", type=float, default=0, help="age of a trace; 0 keeps all")
    parser.add_argument("--grace-days", type=float, required=True, help="days in the trash")
    parser.add_argument("--keep-tag", required=True, help="runs with this tag stay")
    parser.add_argument(
        "--batch-size", type=int, required=True, help="runs between two looks at what is needed"
    )
    parser.add_argument("--seconds", type=int, required=True, help="until Kubernetes ends it")
    parser.add_argument("--dry-run", action="store_true", help="only report what would be removed")
    options = parser.parse_args()
    task = Task("retention", connect(os.environ["MLFLOW_BACKEND_STORE_URI"]), options.seconds)
    return task.run(lambda: Retention(task, options).work())
