"""A run while it works, on the page: what happens as it happens, Stop, and the questions that only a person can answer.

:class:`RunModel` turns a run's events into small messages, :class:`Channel` carries them to the page, where
``run_view.js`` draws them, and :class:`RunView` holds the two together and is what others use. The page's side is an
`anywidget <https://anywidget.dev>`_: plain JavaScript without a build step.
"""

from llmos_nb.notebook.run_view.channel import Channel
from llmos_nb.notebook.run_view.model import RunModel
from llmos_nb.notebook.run_view.view import RunView, untold, view_of

__all__ = ["Channel", "RunModel", "RunView", "untold", "view_of"]
