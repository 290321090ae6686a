"""The arm on the page while it moves: a widget that is told a new drawing many times a second, and an e-stop button.

What is kept of it in a saved notebook is the last drawing. Whoever has the page has the button: it stops at once, and
the button that resets is for the person who sees the arm.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from llmos_nb.domains.robotics.robot_arm import Robot

__all__ = ["live_view"]

#: Seconds between two drawings while the arm moves, and between two looks while it rests.
PERIOD_S: Final = 1 / 15
REST_S: Final = 0.2

_PAGE: Final = """
function render({ model, el }) {
  const view = document.createElement("div");
  const bar = document.createElement("div");
  const stop = document.createElement("button");
  const reset = document.createElement("button");
  stop.textContent = "Emergency stop";
  reset.textContent = "Reset";
  stop.title = "Stops the arm at once and latches";
  reset.title = "Lets the arm move again";
  stop.style.cssText = "background:#cf222e;color:#fff;border:0;border-radius:6px;padding:6px 14px;font-weight:600;"
    + "cursor:pointer;margin-right:8px";
  reset.style.cssText = "border:1px solid #8c959f;border-radius:6px;padding:5px 14px;cursor:pointer;"
    + "background:transparent;color:inherit";
  stop.onclick = () => model.send({ do: "stop" });
  reset.onclick = () => model.send({ do: "reset" });
  bar.append(stop, reset);
  el.classList.add("robot-live");
  el.append(bar, view);
  const draw = () => { view.innerHTML = model.get("svg"); };
  const latch = () => {
    reset.disabled = !model.get("stopped");
    reset.style.opacity = reset.disabled ? 0.45 : 1;
  };
  model.on("change:svg", draw);
  model.on("change:stopped", latch);
  draw();
  latch();
}
export default { render };
"""


def live_view(robot: Robot) -> Any:
    """A widget that shows ``robot`` until that is closed; show it with ``display`` or as a cell's last line."""
    import anywidget
    import traitlets

    class LiveArm(anywidget.AnyWidget):
        _esm = _PAGE
        svg = traitlets.Unicode("").tag(sync=True)
        stopped = traitlets.Bool(False).tag(sync=True)

        def _repr_mimebundle_(self, **options: Any) -> Any:
            bundle = super()._repr_mimebundle_(**options)
            if not bundle:
                return bundle
            data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
            # Where no widget can be shown, the page takes what is left: the same drawing, at rest.
            return {**data, **robot.look()._repr_mimebundle_()}, metadata

    widget = LiveArm(svg=robot.look().svg, stopped=bool(robot.status().emergency_stop))

    def told(_: Any, message: Any, __: Any) -> None:
        if isinstance(message, dict) and message.get("do") == "stop":
            robot.stop("the button on the page")
        elif isinstance(message, dict) and message.get("do") == "reset":
            robot._reset_clicked(widget.comm.comm_id, {"do": "reset"})

    widget.on_msg(told)
    threading.Thread(target=_keep_drawing, args=(robot, widget), name="robot-live", daemon=True).start()
    return widget


def _keep_drawing(robot: Robot, widget: Any) -> None:
    seen: object = None
    while not robot.closed and widget.comm is not None:
        try:
            now = robot.status()
            if now != seen:
                widget.svg, widget.stopped, seen = robot.look().svg, bool(now.emergency_stop), now
        except Exception:  # noqa: BLE001 - a view must never be what ends a motion; the next look may work
            time.sleep(REST_S)
            continue
        time.sleep(PERIOD_S if now.moving else REST_S)
