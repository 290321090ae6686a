"""A run while it works, on the page: what happens as it happens, Stop, and the questions that only a person can answer.

:class:`RunModel` turns a run's events into small messages, :class:`Channel` carries them to the page, where
``run_view.js`` draws them, and :class:`RunView` holds the two together and is what others use. The page's side is an
`anywidget <https://anywidget.dev>`_: plain JavaScript without a build step.
"""

from typing import TYPE_CHECKING

from llmos_nb.lazily import lazily

if TYPE_CHECKING:
    from llmos_nb.notebook.run_view.channel import Channel
    from llmos_nb.notebook.run_view.model import RunModel
    from llmos_nb.notebook.run_view.spare import drop_spare
    from llmos_nb.notebook.run_view.view import RunView, view_of

__all__ = ["Channel", "RunModel", "RunView", "drop_spare", "view_of"]

# It comes with the first goal: what loads the magics waits for none of it.
__getattr__, __dir__ = lazily(
    __name__,
    {"Channel": "channel", "RunModel": "model", "RunView": "view", "drop_spare": "spare", "view_of": "view"},
    __all__,
)
