"""How a plan looks before it runs: a picture of what waits for what, and a table. The same everywhere."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Final

from llmos_nb.dispatch.orchestrator.picture import image

if TYPE_CHECKING:
    from llmos_nb.dispatch.orchestrator.plan import Node, Plan

__all__ = ["as_text", "bundle"]

SOURCES: Final = {
    "model": "planned by the model",
    "list": "from the numbered list in the goal, no model asked",
    "trace": "from a recorded run, no model asked",
    "person": "as you edited it",
}


def as_text(plan: Plan) -> str:
    """The plan as plain text."""
    lines = [f"plan · {_summary(plan)}", ""]
    for node in plan.nodes:
        lines.append(f"{node.id}: {node.goal}")
        lines += [f"    {fact}" for fact in _facts(node)]
    return "\n".join(lines)


def bundle(plan: Plan) -> dict[str, str]:
    """Jupyter's display: the same content as plain text, Markdown and HTML."""
    return {"text/plain": as_text(plan), "text/markdown": _markdown(plan), "text/html": _html(plan)}


def _summary(plan: Plan) -> str:
    count = f"{len(plan.nodes)} goal{'s' if len(plan.nodes) != 1 else ''}"
    return f"{count} · {SOURCES.get(plan.source, plan.source)}"


def _facts(node: Node) -> list[str]:
    facts = [f"agent {node.agent}"] if node.agent else []
    facts += [f"needs {', '.join(node.needs)}"] if node.needs else []
    facts += [
        f"produces {product}" + (f" ({product.meaning})" if product.meaning else "") for product in node.produces
    ]
    return facts + ([f"{node.share:.0%} of the money"] if node.share is not None else [])


def _markdown(plan: Plan) -> str:
    rows = ["| node | goal | agent | needs | produces |", "|---|---|---|---|---|"]
    for node in plan.nodes:
        produces = ", ".join(f"{product.kind} `{product.name}`" for product in node.produces)
        rows.append(
            f"| {node.id} | {_cell(node.goal)} | {_cell(node.agent)} | {', '.join(node.needs)} | {_cell(produces)} |"
        )
    return "\n".join([f"**plan** · {_summary(plan)}", "", *rows])


def _cell(text: str) -> str:
    return re.sub(r"\s*\n\s*", "<br>", text.replace("|", "\\|").replace("<", "&lt;"))


def _html(plan: Plan) -> str:
    left = "style='text-align:left;vertical-align:top'"
    rows = "".join(
        f"<tr><td {left}><code>{html.escape(node.id)}</code></td>"
        f"<td style='text-align:left;vertical-align:top;white-space:pre-wrap'>{html.escape(node.goal)}</td>"
        f"<td {left}>{html.escape(node.agent)}</td><td {left}>{html.escape(', '.join(node.needs))}</td>"
        f"<td {left}>{'<br>'.join(html.escape(str(product)) for product in node.produces)}</td></tr>"
        for node in plan.nodes
    )
    head = "".join(f"<th {left}>{name}</th>" for name in ("node", "goal", "agent", "needs", "produces"))
    return (
        '<div style="border-left:3px solid #bf3989;padding:.1em 0 .1em .9em;margin:.3em 0">'
        '<div style="font-size:90%"><span style="background:#bf3989;color:#fff;border-radius:3px;padding:.1em .5em">'
        f'plan</span> <span style="opacity:.75">{html.escape(_summary(plan))}</span></div>'
        f"{image(plan)}<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )
