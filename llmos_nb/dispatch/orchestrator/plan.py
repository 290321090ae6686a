"""A plan: the goals that a goal consists of, what each needs of the others and leaves for them, and who works on it.

Values only. A plan is read by people, in Markdown, before it runs; what they change in it holds::

    plan = await llmos.plan("…")
    plan = plan.edit("report", agent="writer").without("appendix")
    result = await llmos.execute(plan)
"""

from __future__ import annotations

import dataclasses
import difflib
import keyword
import math
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from llmos_nb.errors import PlanError

__all__ = ["NODE_LIMIT", "SCHEMA", "Node", "Plan", "Product", "plan_from"]

#: Nodes that a plan may have where no setting says otherwise.
NODE_LIMIT: Final = 40
#: Characters of one sub-goal.
GOAL_LIMIT: Final = 20_000
_ID: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")

#: What a plan rests on: the model, a numbered list in the goal itself, a recorded run, or a person.
Source = Literal["model", "list", "trace", "person"]

#: The JSON schema that the model answers by.
SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {
        "nodes": {
            "type": "array",
            "description": "The goals, in an order in which they could be worked on one after the other.",
            "items": {
                "type": "object",
                "properties": {
                    "id": {"type": "string", "description": "A short name: a-z, 0-9 and _, a letter first."},
                    "goal": {"type": "string", "description": "The goal, whole and clear to one who knows no other."},
                    "agent": {"type": "string", "description": "The agent that works on it; empty: the default one."},
                    "needs": {
                        "type": "array", "items": {"type": "string"},
                        "description": "Ids of the goals that must have been reached before.",
                    },
                    "produces": {
                        "type": "array",
                        "description": "What it leaves for others.",
                        "items": {
                            "type": "object",
                            "properties": {
                                "kind": {"type": "string", "enum": ["variable", "file"]},
                                "name": {"type": "string", "description": "The variable's name, or the file's path."},
                                "meaning": {"type": "string", "description": "What it is, in a few words."},
                            },
                            "required": ["kind", "name"],
                        },
                    },
                    "share": {"type": "number", "description": "Its share of the money, above 0 and at most 1."},
                },
                "required": ["id", "goal"],
            },
        },
        "answer": {
            "type": "array", "items": {"type": "string"},
            "description": "Ids of the goals whose answers are the answer; left out: those that no other needs.",
        },
    },
    "required": ["nodes"],
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Product:
    """Something that a node promises to leave: ``kind`` is ``variable`` or ``file``, ``name`` its name or path."""

    kind: str
    name: str
    meaning: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


@dataclass(frozen=True, slots=True)
class Node:
    """One goal of a plan. ``agent`` is empty for the default one; ``share`` is its part of the money, None: an equal
    part of what is left when it starts."""

    id: str
    goal: str
    agent: str = ""
    needs: tuple[str, ...] = ()
    produces: tuple[Product, ...] = ()
    share: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "needs", tuple(self.needs))
        object.__setattr__(self, "produces", tuple(self.produces))

    @property
    def answer_name(self) -> str:
        """The variable that holds the node's answer, as text, for those that need it."""
        return f"{self.id}_answer"


@dataclass(frozen=True, slots=True)
class Plan:
    """The nodes that reach ``goal``. ``answer`` names those whose answers are the answer; empty: those nobody needs."""

    goal: str
    nodes: tuple[Node, ...]
    answer: tuple[str, ...] = ()
    source: Source = "person"
    #: The project that it was made in, where it runs unless another is named; a file or text of it does not say.
    project: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "nodes", tuple(self.nodes))
        object.__setattr__(self, "answer", tuple(self.answer))

    # -- looking

    def __getitem__(self, node_id: str) -> Node:
        """The node called ``node_id``.

        Raises:
            PlanError: there is none.
        """
        for node in self.nodes:
            if node.id == node_id:
                return node
        raise PlanError(
            f"The plan has no node {node_id!r}.", remedy=f"It has {', '.join(node.id for node in self.nodes)}."
        )

    @property
    def answers(self) -> tuple[str, ...]:
        """Ids of the nodes whose answers are the answer, in the plan's order."""
        needed = {need for node in self.nodes for need in node.needs}
        wanted = set(self.answer) or {node.id for node in self.nodes} - needed
        return tuple(node.id for node in self.nodes if node.id in wanted)

    def after(self, node_id: str) -> frozenset[str]:
        """Every node that needs ``node_id``, directly or through others."""
        found: set[str] = set()
        new = {node_id}
        while new:
            new = {node.id for node in self.nodes if new.intersection(node.needs)} - found
            found |= new
        return frozenset(found)

    @property
    def layers(self) -> tuple[tuple[str, ...], ...]:
        """Ids by the earliest moment they could start: what one layer holds could run at the same time."""
        depth: dict[str, int] = {}
        left = list(self.nodes)
        while left:
            ready = [node for node in left if all(need in depth for need in node.needs)]
            if not ready:
                break  # a cycle: check says so
            for node in ready:
                depth[node.id] = max((depth[need] + 1 for need in node.needs), default=0)
            left = [node for node in left if node.id not in depth]
        return tuple(
            tuple(node.id for node in self.nodes if depth.get(node.id) == layer)
            for layer in range(max(depth.values(), default=-1) + 1)
        )

    # -- changing

    def edit(self, node_id: str, **changes: Any) -> Plan:
        """The plan with some fields of one node changed: ``plan.edit("report", agent="writer")``.

        Raises:
            PlanError: there is no such node or field, the value has the wrong type, or the node could not be run so:
                it has no goal, needs itself or what is not there, or closes a circle.
        """
        node = self[node_id]
        fields = {field.name for field in dataclasses.fields(Node)}
        for name in changes:
            if name not in fields:
                near = difflib.get_close_matches(name, fields, n=1)
                hint = f"Did you mean {near[0]}? " if near else ""
                raise PlanError(f"A node has no {name!r}.", remedy=f"{hint}It has {', '.join(sorted(fields))}.")
        changed = _node({**_node_data(node), **{key: _given(value) for key, value in changes.items()}}, node_id)
        nodes = tuple(changed if other.id == node_id else other for other in self.nodes)
        made = dataclasses.replace(self, nodes=nodes, source="person")
        _check_node(changed, [node.id for node in nodes], None)
        if "needs" in changes:
            made._check_cycle()
        return made

    def without(self, node_id: str) -> Plan:
        """The plan without one node; what needed it needs it no more.

        Raises:
            PlanError: there is no such node.
        """
        self[node_id]
        nodes = tuple(
            dataclasses.replace(node, needs=tuple(need for need in node.needs if need != node_id))
            for node in self.nodes
            if node.id != node_id
        )
        answer = tuple(id_ for id_ in self.answer if id_ != node_id)
        return dataclasses.replace(self, nodes=nodes, answer=answer, source="person")

    def with_node(self, node: Node) -> Plan:
        """The plan with one more node at its end."""
        return dataclasses.replace(self, nodes=(*self.nodes, node), source="person")

    # -- checking

    def check(self, agents: Collection[str] | None = None, limit: int = NODE_LIMIT) -> Plan:
        """The plan itself, when it can be run. ``agents`` are the names there are; None: not looked at.

        Raises:
            PlanError: the first thing that is wrong, with what to do.
        """
        if not self.nodes:
            raise PlanError("The plan has no nodes.", remedy="Give at least one goal.")
        if len(self.nodes) > limit:
            raise PlanError(
                f"The plan has {len(self.nodes):,} nodes; at most {limit} are run.",
                remedy="Join goals that belong together, or raise plan_nodes in llmos.toml.",
            )
        ids = [node.id for node in self.nodes]
        for node in self.nodes:
            _check_node(node, ids, agents)
        for id_ in self.answer:
            if id_ not in ids:
                raise PlanError(f"answer names the node {id_!r}, which is not in the plan.", remedy=_ids(ids))
        self._check_cycle()
        self._check_products()
        return self

    def _check_cycle(self) -> None:
        done = {id_ for layer in self.layers for id_ in layer}
        left = {node.id: node for node in self.nodes if node.id not in done}
        if not left:
            return
        path = [next(iter(left))]
        while len(set(path)) == len(path):
            path.append(next(need for need in left[path[-1]].needs if need in left))
        cycle = path[path.index(path[-1]) :][::-1]
        raise PlanError(
            f"The plan goes in a circle: {' before '.join(cycle)}.", remedy="Take one of these needs away."
        )

    def _check_products(self) -> None:
        """No two nodes leave the same thing, and no promise takes an answer's name."""
        made: dict[tuple[str, str], str] = {("variable", node.answer_name): node.id for node in self.nodes}
        for node in self.nodes:
            for product in node.produces:
                other = made.setdefault((product.kind, product.name), node.id)
                if other != node.id:
                    raise PlanError(
                        f"{node.id} and {other} both produce the {product}.", remedy="Give one of them another name."
                    )

    # -- forms

    def as_data(self) -> dict[str, Any]:
        """The plan as plain data that JSON and YAML can hold; :func:`plan_from` reads it."""
        data: dict[str, Any] = {"nodes": [_node_data(node) for node in self.nodes]}
        return {**data, "answer": list(self.answer)} if self.answer else data

    def to_markdown(self) -> str:
        """The plan as text that people edit; :meth:`from_markdown` reads it."""
        from llmos_nb.dispatch.orchestrator.plan_text import written

        return written(self)

    @classmethod
    def from_markdown(cls, text: str) -> Plan:
        """The plan that an edited text says.

        Raises:
            PlanError: it is none; the message starts with the line.
        """
        from llmos_nb.dispatch.orchestrator.plan_text import read

        return read(text)

    def __str__(self) -> str:
        from llmos_nb.dispatch.orchestrator.plan_view import as_text

        return as_text(self)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        from llmos_nb.dispatch.orchestrator.plan_view import bundle

        return bundle(self)


def plan_from(data: object, goal: str, source: Source) -> Plan:
    """The plan that JSON data says; what it says is not checked yet (:meth:`Plan.check`).

    Raises:
        PlanError: the data has another shape.
    """
    if not isinstance(data, Mapping):
        raise PlanError(f"A plan is an object with nodes, got {_seen(data)}.", remedy='Give {"nodes": […]}.')
    nodes, answer = data.get("nodes"), data.get("answer") or []
    if not isinstance(nodes, list):
        raise PlanError(f"nodes must be a list, got {_seen(nodes)}.", remedy="Give one object a goal.")
    found = []
    for number, node in enumerate(nodes[: NODE_LIMIT * 100], start=1):
        if not isinstance(node, Mapping):
            raise PlanError(f"node {number} must be an object, got {_seen(node)}.", remedy="Give id and goal.")
        found.append(_node(node, f"number {number}"))
    return Plan(goal, tuple(found), _texts(answer, "answer"), source)


def _node(data: Mapping[str, Any], where: str) -> Node:
    values = {}
    for name in ("id", "goal", "agent"):
        value = data.get(name) or ""
        if not isinstance(value, str):
            raise PlanError(f"node {where}: {name} must be text, got {_seen(value)}.", remedy=f"Give {name} as text.")
        values[name] = value.strip()
    share = data.get("share")
    if share is not None and (isinstance(share, bool) or not isinstance(share, int | float)):
        raise PlanError(f"node {where}: share must be a number, got {_seen(share)}.", remedy="Give 0.25, say.")
    products = data.get("produces") or []
    if not isinstance(products, list | tuple):
        raise PlanError(f"node {where}: produces must be a list, got {_seen(products)}.", remedy="Give a list.")
    return Node(
        **values,
        needs=_texts(data.get("needs") or [], f"node {where}: needs"),
        produces=tuple(_product(product, where) for product in products),
        share=None if share is None else float(share),
    )


def _product(data: object, where: str) -> Product:
    if isinstance(data, Product):
        return data
    if not isinstance(data, Mapping) or not all(isinstance(data.get(key), str) for key in ("kind", "name")):
        raise PlanError(
            f"node {where}: what it produces has a kind and a name, got {_seen(data)}.",
            remedy='Give {"kind": "variable", "name": "counts"}.',
        )
    meaning = data.get("meaning") or ""
    return Product(data["kind"].strip(), data["name"].strip(), " ".join(str(meaning).split()))


def _node_data(node: Node) -> dict[str, Any]:
    """A node as plain data; what is not said is left out."""
    data: dict[str, Any] = {"id": node.id, "goal": node.goal}
    if node.agent:
        data["agent"] = node.agent
    if node.needs:
        data["needs"] = list(node.needs)
    if node.produces:
        data["produces"] = [
            {"kind": p.kind, "name": p.name, **({"meaning": p.meaning} if p.meaning else {})} for p in node.produces
        ]
    if node.share is not None:
        data["share"] = node.share
    return data


def _given(value: Any) -> Any:
    return list(value) if isinstance(value, tuple | set | frozenset) else value


def _texts(value: object, where: str) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
        raise PlanError(f"{where} must be a list of ids, got {_seen(value)}.", remedy='Give ["load", "count"], say.')
    return tuple(dict.fromkeys(item.strip() for item in value))


def _seen(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else f"{shown[:57]}…"


def _ids(ids: Sequence[str]) -> str:
    shown = ", ".join(ids[:12]) + (" …" if len(ids) > 12 else "")
    return f"The nodes are {shown}."


def _check_node(node: Node, ids: Sequence[str], agents: Collection[str] | None) -> None:
    if not _ID.fullmatch(node.id):
        raise PlanError(
            f"{node.id!r} cannot name a node.", remedy="Use a-z, 0-9 and _, a letter first, at most 40 of them."
        )
    if ids.count(node.id) > 1:
        raise PlanError(f"Two nodes are called {node.id!r}.", remedy="Give one of them another id.")
    if not node.goal:
        raise PlanError(f"{node.id} has no goal.", remedy="Say what is to be done.")
    if len(node.goal) > GOAL_LIMIT:
        raise PlanError(f"{node.id}: the goal has {len(node.goal)} characters.", remedy=f"At most {GOAL_LIMIT}.")
    for need in node.needs:
        if need == node.id:
            raise PlanError(f"{node.id} needs itself.", remedy="Take that need away.")
        if need not in ids:
            raise PlanError(f"{node.id} needs {need!r}, which is not in the plan.", remedy=_ids(ids))
    if node.agent and agents is not None and node.agent not in agents:
        near = _nearest(node.agent, agents)
        raise PlanError(
            f"{node.id}: there is no agent {node.agent!r}.",
            remedy=f"{near}The agents are {', '.join(sorted(agents))}.",
        )
    if node.share is not None and not (math.isfinite(node.share) and 0 < node.share <= 1):
        raise PlanError(f"{node.id}: share is {node.share:g}.", remedy="Give a number above 0 and at most 1.")
    for product in node.produces:
        _check_product(node, product)


def _check_product(node: Node, product: Product) -> None:
    name = product.name
    if product.kind == "variable":
        if not name.isidentifier() or keyword.iskeyword(name) or name.startswith("_"):
            raise PlanError(f"{node.id} produces {name!r}, which is no variable's name.", remedy="Use letters and _.")
    elif product.kind == "file":
        parts = re.split(r"[/\\]", name)
        if not name or not name.isprintable() or ".." in parts or re.match(r"[/\\~]|[A-Za-z]:", name):
            raise PlanError(
                f"{node.id} produces the file {name!r}.",
                remedy="Name a file below the working folder: out/report.md.",
            )
    else:
        raise PlanError(f"{node.id} produces a {product.kind!r}.", remedy="Say variable or file.")


def _nearest(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"Did you mean {near[0]}? " if near else ""
