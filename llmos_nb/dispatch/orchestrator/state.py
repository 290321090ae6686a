"""What a run of a plan has reached, in a file: enough to go on in another kernel."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from llmos_nb.dispatch.orchestrator.claim import at_work
from llmos_nb.dispatch.orchestrator.node_result import NodeResult
from llmos_nb.dispatch.orchestrator.plan import Node, Plan, plan_from
from llmos_nb.errors import PlanError, StoreError
from llmos_nb.kernel.files import atomic_write

__all__ = ["PlanState", "latest", "load_state", "marks", "plans_folder", "save_state", "still_there"]

#: The form of the files; a reader refuses what a later version wrote.
SCHEMA: Final = 1
#: Bytes of a state file.
SIZE_LIMIT: Final = 8 * 1024 * 1024
#: States of plans that are kept.
KEPT: Final = 50
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
#: Bytes of a file up to which its digest is its mark; of a larger one it is the size.
MARK_LIMIT: Final = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanState:
    """A plan and how far it is: ``status`` is empty while it runs, then one of the end states.

    ``resumes`` is the run that this one goes on with, which is not gone on with again.
    """

    run_id: str
    plan: Plan
    agent: str
    cwd: str
    resumes: str = ""
    status: str = ""
    nodes: Mapping[str, NodeResult] = field(default_factory=dict)

    @property
    def finished(self) -> bool:
        """Whether there is nothing left to go on with."""
        return self.status == "success"

    def before(self, node_id: str) -> PlanState:
        """The state as it was before ``node_id`` began: that node, and what comes after it, was not run.

        Raises:
            PlanError: the plan has no such node.
        """
        again = {self.plan[node_id].id, *self.plan.after(node_id)}
        nodes = {id_: node for id_, node in self.nodes.items() if id_ not in again}
        return dataclasses.replace(self, nodes=nodes)


def plans_folder(workspace: Path) -> Path:
    """Where a workspace keeps the states of its plans."""
    return workspace / ".llmos" / "plans"


def save_state(folder: Path, state: PlanState) -> None:
    """Write the state to ``folder/<run_id>.json``, whole or not at all.

    Raises:
        StoreError: it cannot be written.
    """
    data = {
        "schema": SCHEMA,
        "run_id": state.run_id,
        "goal": state.plan.goal,
        "source": state.plan.source,
        "plan": state.plan.as_data(),
        "agent": state.agent,
        "cwd": state.cwd,
        "resumes": state.resumes,
        "status": state.status,
        "nodes": {id_: node.as_data() for id_, node in state.nodes.items()},
    }
    text = json.dumps(data, ensure_ascii=True, indent=1)
    path = folder / f"{state.run_id}.json"
    new = not path.exists()
    atomic_write(path, text.encode("ascii"))
    if new:
        _prune(folder)


def _prune(folder: Path) -> None:
    """Remove the oldest states beyond :data:`KEPT`, those that are worked on left out."""
    for run_id in _newest_first(folder)[KEPT:]:
        if not at_work(folder, run_id):
            for suffix in (".json", ".lock"):
                with contextlib.suppress(OSError):  # another kernel does the same, or it cannot be: it is only old
                    (folder / f"{run_id}{suffix}").unlink(missing_ok=True)


def load_state(folder: Path, run_id: str) -> PlanState:
    """The state of a run.

    Raises:
        PlanError: there is none of that id, or its file does not say what it should.
        StoreError: it cannot be read.
    """
    path = folder / f"{run_id}.json"
    if not _ID.fullmatch(run_id) or not path.is_file():
        known = ", ".join(_newest_first(folder)[:5])
        raise PlanError(
            f"There is no plan of a run {run_id!r} here.",
            remedy=f"The latest are {known}." if known else "Run a goal that is several goals first.",
        )
    try:
        data = path.read_bytes()
        if len(data) > SIZE_LIMIT:
            raise ValueError(f"more than {SIZE_LIMIT} bytes")
        return _state(json.loads(data))
    except OSError as error:
        raise StoreError(
            f"{path}: cannot be read ({error.strerror or error}).", remedy="Look at its rights."
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise PlanError(
            f"{path}: is no saved plan ({error}).", remedy="Remove it, and run the goal again."
        ) from error


def _state(data: Any) -> PlanState:
    if data["schema"] != SCHEMA:
        raise ValueError(f"schema {data['schema']!r}; this version reads {SCHEMA}")
    plan = plan_from(data["plan"], str(data["goal"]), data["source"])
    names = {field.name for field in dataclasses.fields(NodeResult)}
    nodes = {}
    for id_, node in data["nodes"].items():
        plan[id_]
        nodes[id_] = NodeResult(**{key: value for key, value in node.items() if key in names})
        if not all(isinstance(mark, str) for mark in nodes[id_].produced.values()) or not isinstance(
            node["text"], str
        ):
            raise ValueError(f"node {id_}")
    return PlanState(
        run_id=str(data["run_id"]),
        plan=plan,
        agent=str(data["agent"]),
        cwd=str(data["cwd"]),
        resumes=str(data.get("resumes", "")),
        status=str(data["status"]),
        nodes=nodes,
    )


def latest(folder: Path) -> str:
    """The id of the latest run that did not end in success, is not at work, and was not gone on with by another.

    Raises:
        PlanError: there is none.
    """
    resumed: set[str] = set()
    working = ""
    for run_id in _newest_first(folder):
        try:
            state = load_state(folder, run_id)
        except (PlanError, StoreError):
            continue  # one that cannot be read is told of when it is asked for by its id
        resumed.add(state.resumes)
        if state.finished or run_id in resumed:
            continue
        if not at_work(folder, run_id):
            return run_id
        working = working or run_id
    if working:
        raise PlanError(
            f"The only plan that is not finished, that of the run {working}, is being worked on.",
            remedy="Wait for it, or stop it first.",
        )
    raise PlanError("No plan was left unfinished here.", remedy="Run a goal that is several goals first.")


def _newest_first(folder: Path) -> list[str]:
    found = []
    for path in folder.glob("*.json"):
        with contextlib.suppress(OSError):
            found.append((path.stat().st_mtime_ns, path.stem))
    return [name for _, name in sorted(found, reverse=True)]


def marks(node: Node, names: Mapping[str, Any], cwd: Path) -> dict[str, str]:
    """What of a node's promises is there, each with a mark: a variable's type, a file's digest."""
    found = {}
    for product in node.produces:
        if product.kind == "variable" and product.name in names:
            found[str(product)] = type(names[product.name]).__name__
        elif product.kind == "file" and (cwd / product.name).is_file():
            found[str(product)] = _digest(cwd / product.name)
    return found


def still_there(node: Node, result: NodeResult, names: Mapping[str, Any], cwd: Path) -> bool:
    """Whether everything that a finished node left is there as it was left."""
    now = marks(node, names, cwd)
    return result.ok and set(now) == {str(product) for product in node.produces} and now == dict(result.produced)


def _digest(path: Path) -> str:
    try:
        if path.stat().st_size > MARK_LIMIT:
            return f"{path.stat().st_size} bytes"
        return hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    except OSError:
        return ""
