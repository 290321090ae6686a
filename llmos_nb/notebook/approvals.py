"""Approve and Deny, shown in the view of the run that waits for the answer, or in the cell where there is no view.

While an awaited cell runs, a click is handled at once. When the question is answered, one way or the other, the buttons
make way for nothing: what a notebook keeps is the run's result alone.
"""

from __future__ import annotations

import asyncio
import html
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, cast

from llmos_nb.dispatch.diffs import coloured
from llmos_nb.errors import NotEditable, UnknownApproval
from llmos_nb.notebook import run_view

if TYPE_CHECKING:
    from llmos_nb.kernel.approvals import Approval, Approvals, Extent

__all__ = ["attend"]

_EMPTY: Final = {"text/plain": "", "text/html": ""}
#: Characters of what would be done that are shown.
SHOWN: Final = 6_000


def attend(shell: Any, approvals: Approvals) -> Callable[[], None]:
    """Show questions in this notebook whenever a person sits before it; returns what ends that.

    A frontend that runs notebooks by itself (nbconvert, papermill, a test) says that it takes no input, and so nobody
    is there.
    """
    kernel = getattr(shell, "kernel", None)
    if kernel is None:
        return lambda: None
    return approvals.attend(
        lambda: bool(getattr(kernel, "_allow_stdin", False)), lambda approval: _shown(approval, approvals)
    )


def _shown(approval: Approval, approvals: Approvals) -> Callable[[], None]:
    """Show the question with its buttons, in the run's view where there is one; returns what takes it away."""
    view = run_view.view_of(approval.run_id)
    if view is None:
        return _beside(approval, approvals)
    shown = [view.ask(approval)]

    def look_again() -> None:
        if not view.seen:  # no page shows the view: nobody can see the question there
            shown.append(_beside(approval, approvals))

    later = asyncio.get_running_loop().call_later(view.patience_s, look_again)

    def take_away() -> None:
        later.cancel()
        for taken in shown:
            taken()

    return take_away


def _beside(approval: Approval, approvals: Approvals) -> Callable[[], None]:
    """Show the question in the cell; returns what takes it away."""
    import ipywidgets
    from IPython.display import display

    text = approval.text if len(approval.text) <= SHOWN else f"{approval.text[:SHOWN]}\n…"
    shown = coloured(html.escape(text)) if text.startswith("--- ") else html.escape(text)
    what = "" if approval.editable else f'<pre style="margin:.4em 0;white-space:pre-wrap">{shown}</pre>'
    question = ipywidgets.HTML(
        f'<div role="alertdialog" style="line-height:1.4"><b>{html.escape(approval.agent)}</b> asks for '
        f"<code>{html.escape(approval.tool)}</code>: {html.escape(approval.reason)}{what}</div>"
    )
    area = ipywidgets.Textarea(
        approval.text,
        rows=min(max(approval.text.count("\n") + 2, 3), 30),
        layout=ipywidgets.Layout(width="100%", display="flex" if approval.editable else "none"),
    )
    area.add_class("llmos-edit")
    approve = ipywidgets.Button(description="Approve", button_style="success", icon="check")
    deny = ipywidgets.Button(description="Deny", button_style="danger", icon="times")
    further: dict[Extent, Any] = {}
    for extent, label, covers in (
        ("run", "For this run", approval.for_run),
        ("always", "Always", approval.always),
    ):
        if covers:
            further[cast("Extent", extent)] = ipywidgets.Button(description=label, tooltip=covers)
    buttons = [approve, *further.values(), deny]

    def answered(yes: bool, extent: Extent = "once") -> Callable[[Any], None]:
        def clicked(button: Any) -> None:
            for one in buttons:
                one.disabled = True
            changed = yes and approval.editable and area.value != approval.text
            try:
                approvals.answer(approval.id, yes, text=area.value if changed else None, extent=extent)
            except UnknownApproval:  # answered elsewhere in the same moment
                pass
            except NotEditable as error:
                said.value = f'<span role="alert" style="color:#cf222e">{html.escape(str(error))}</span>'
                for one in buttons:
                    one.disabled = False

        return clicked

    approve.on_click(answered(True))
    deny.on_click(answered(False))
    for how_far, button in further.items():
        button.on_click(answered(True, how_far))
    said = ipywidgets.HTML()
    told = [f"{button.description}: {html.escape(button.tooltip)}." for button in further.values()]
    covered = ipywidgets.HTML(f'<div style="line-height:1.4;font-size:90%">{"<br>".join(told)}</div>')
    box = ipywidgets.VBox([question, area, ipywidgets.HBox([*buttons, said]), *([covered] if told else [])])
    handle = display(box, display_id=True)

    def take_away() -> None:
        handle.update(_EMPTY, raw=True)
        for widget in (question, area, *buttons, said, covered, box):
            widget.close()

    return take_away
