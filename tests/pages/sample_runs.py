"""Task graphs and runs, as the sample has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from sample_account import RUN_ID, now

from services.core.errors import Conflict, Invalid, NotFound
from services.training.types import Attempt, Graph, GraphRun, Task, TaskRun

TASKS = (
    Task(
        "PREPARE_DATA",
        "root",
        state="started",
        schedule="USING CRON 0 6 * * * UTC",
        comment="Spine, features, splits",
        definition="CALL PREPARE_DATA()",
    ),
    Task("TRAIN_MODEL", "task", ("PREPARE_DATA",), definition="CALL TRAIN_MODEL()"),
    Task(
        "CHECK_MODEL_QUALITY",
        "task",
        ("TRAIN_MODEL",),
        is_branch=True,
        definition="CALL CHECK_MODEL_QUALITY()",
    ),
    Task(
        "PROMOTE_MODEL",
        "task",
        ("CHECK_MODEL_QUALITY",),
        "SYSTEM$GET_PREDECESSOR_RETURN_VALUE() = 'PROMOTE_MODEL'",
    ),
    Task(
        "SEND_ALERT", "task", ("CHECK_MODEL_QUALITY",), "SYSTEM$GET_PREDECESSOR_RETURN_VALUE() = 'SEND_ALERT'"
    ),
    Task("CLEANUP", "finalizer"),
)


def training_run(state: str = "SUCCEEDED") -> GraphRun:
    """A run that succeeded, failed while training, or is still training."""
    start = now() - timedelta(minutes=9)
    at = 0.0
    tasks = []
    for task, wait, work in zip(
        TASKS, (0.4, 0.9, 0.5, 0.6, 0.6, 0.7), (6.2, 11.8, 1.9, 2.4, 0.0, 1.1), strict=True
    ):
        due = start + timedelta(seconds=at)
        begin = due + timedelta(seconds=wait)
        end = begin + timedelta(seconds=work)
        run = TaskRun(
            task.name,
            "SUCCEEDED",
            1,
            due,
            begin,
            end,
            None,
            None,
            None,
            f"01c4e2a7-0{len(tasks)}01",
            "CALL SPOKEHUB.PUDO_DEV.TASK()",
        )
        if task.name == "SEND_ALERT":
            run = replace(run, state="SKIPPED", started_at=None, query_id=None)
        elif task.name == "TRAIN_MODEL":
            run = replace(
                run, return_value='{"version": "V20250701_0602", "mae": 0.0712, "naive_mae": 0.1034}'
            )
        elif task.name == "CHECK_MODEL_QUALITY":
            run = replace(run, return_value="PROMOTE_MODEL")
        if state == "FAILED" and task.name == "TRAIN_MODEL":
            run = replace(
                run,
                state="FAILED",
                return_value=None,
                error_code="100357",
                error_message="Python Interpreter Error:\nTraceback (most recent call last):\n"
                '  File "train.py", line 41\nValueError: The training split is empty.',
            )
        elif state == "EXECUTING" and task.name == "TRAIN_MODEL":
            begin = now() - timedelta(seconds=8)
            run = replace(
                run,
                state="EXECUTING",
                scheduled_at=begin,
                started_at=begin,
                completed_at=None,
                return_value=None,
            )
        elif len(tasks) > 1 and (state == "EXECUTING" or (state == "FAILED" and task.name != "CLEANUP")):
            continue
        tasks.append(run)
        if task.name not in ("PROMOTE_MODEL",):
            at += wait + work
    ended = state != "EXECUTING"
    return GraphRun(
        "TRAINING_DAG",
        RUN_ID,
        1,
        state,
        start,
        start + timedelta(seconds=0.4),
        start + timedelta(seconds=at) if ended else None,
        "EXECUTE TASK",
        {"request_id": "op-setup/training", "environment": "DEV", "spoke": "pudo"},
        "TRAIN_MODEL" if state == "FAILED" else None,
        "100357" if state == "FAILED" else None,
        "ValueError: The training split is empty." if state == "FAILED" else None,
        tuple(tasks),
        attempts=(Attempt(1, state, start), Attempt(2, "SUCCEEDED", start)) if state == "CANCELLED" else (),
    )


@dataclass
class Training:
    """Two graphs; the state of the newest run can be chosen."""

    state: str = "SUCCEEDED"

    def graphs(
        self, spoke: str, environment: str, runs: int = 30, task_runs: int | None = None
    ) -> tuple[Graph, ...]:
        if environment != "DEV":
            return ()
        older = tuple(
            replace(
                training_run("FAILED" if back == 4 else "SUCCEEDED"),
                run_id=f"{RUN_ID}-{back}",
                scheduled_at=now() - timedelta(days=back),
                started_at=now() - timedelta(days=back),
                completed_at=now() - timedelta(days=back) + timedelta(seconds=20 + back),
            )
            for back in range(1, 12)
        )
        inference = (
            Task("GET_PENDING_PREDICTIONS", "root", schedule="USING CRON 30 6 * * * UTC"),
            Task("LOAD_MODEL", "task", ("GET_PENDING_PREDICTIONS",)),
            Task("GENERATE_FEATURES", "task", ("GET_PENDING_PREDICTIONS",)),
            Task("MAKE_PREDICTIONS", "task", ("LOAD_MODEL", "GENERATE_FEATURES")),
            Task("SEND_HIGH_CAPACITY_ALERTS", "task", ("MAKE_PREDICTIONS",)),
        )
        return (
            Graph(
                "TRAINING_DAG",
                "PUDO_DEV",
                "started",
                TASKS,
                "USING CRON 0 6 * * 1 UTC",
                "Trains the capacity model",
                now() + timedelta(days=2),
                (training_run(self.state), *older),
                declared=True,
                trains="CAPACITY_MODEL",
            ),
            Graph(
                "INFERENCE_DAG",
                "PUDO_DEV",
                "suspended",
                inference,
                None,
                "Predicts the pending day",
                declared=True,
                predicts="CAPACITY",
            ),
        )

    def name_of(self, spoke: str, environment: str, graph: str) -> str:
        return graph

    def graph(self, spoke: str, environment: str, graph: str, runs: int = 30) -> Graph:
        """As it is deployed now."""
        for item in self.graphs(spoke, environment):
            if item.name == graph:
                return item
        raise NotFound(f"{graph} is not deployed in {environment}.", hint="Deploy the spoke's graphs first.")

    def run(
        self, spoke: str, environment: str, graph: str, run_id: str, attempt: int | None = None
    ) -> GraphRun:
        for item in self.graph(spoke, environment, graph).runs:
            if item.run_id == run_id:
                return item
        raise NotFound(f"{graph} has no run {run_id}.")

    def start_deploy(self, spoke: str, environment: str, actor: str) -> str:
        return "op-deploy"

    def start(
        self, spoke: str, environment: str, graph: str, actor: str, config: Mapping[str, Any] | None = None
    ) -> str:
        if environment != "DEV":
            raise Conflict(
                "TRAINING_DAG is not deployed in STAGING.", hint="Deploy the spoke's graphs first."
            )
        return "op-training"

    def retry(self, spoke: str, environment: str, graph: str, run_id: str, actor: str) -> str:
        return "op-training"

    def again(
        self,
        spoke: str,
        environment: str,
        graph: str,
        run_id: str,
        actor: str,
        config: Mapping[str, Any] | None = None,
    ) -> str:
        return "op-training"

    def schedule(self, spoke: str, environment: str, graph: str, schedule: str | None, actor: str) -> str:
        if schedule == "soon":
            raise Invalid("schedule: write '60 MINUTES'")
        return "op-training"

    def retry_many(self, runs: Sequence[Mapping[str, str]], actor: str) -> str:
        if not runs:
            raise Invalid("runs: choose at least one")
        return "op-training"
