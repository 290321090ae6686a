"""A class in two charts: exercises, and goals by mode, a bar a student."""

from __future__ import annotations

from typing import Any, Final

from llmos_nb.errors import PlotError

__all__ = ["class_plot"]

#: Okabe and Ito's colours, which colour-blind people can tell apart; hatches say the same again.
_MODES: Final = (
    ("learner", "#0072B2", ""), ("orchestrator", "#56B4E9", ".."), ("mixed", "#E69F00", "//"),
    ("follower", "#009E73", ""), ("crystallized", "#CC79A7", "xx"),
)  # fmt: skip
#: Students that are drawn; with more the picture would say nothing.
MOST: Final = 60


def class_plot(df: Any, ax: Any = None) -> Any:
    """The charts; ``ax`` is a pair of axes, made if None.

    Raises:
        PlotError: matplotlib is not installed.
    """
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise PlotError("A report is drawn by matplotlib, which is not installed.",
                        remedy="Say pip install matplotlib.") from error  # fmt: skip
    shown = df.head(MOST)
    names = [str(name)[:24] for name in shown["student"]]
    if ax is None:
        _, ax = plt.subplots(1, 2, figsize=(9, 0.9 + 0.32 * max(2, len(names))), sharey=True, layout="constrained")
    left, right = ax
    rows = range(len(names))
    solved, tried = (shown[name].fillna(0).astype(int) for name in ("exercises", "tried"))
    left.barh(rows, solved, color="#009E73", label="solved")
    left.barh(rows, tried - solved, left=solved, color="#E69F00", hatch="//", label="tried, not solved")
    left.set_title("Exercises", loc="left")
    done = [0] * len(names)
    for mode, color, hatch in _MODES:
        counts = shown[mode].fillna(0).astype(int).tolist()
        if any(counts):
            right.barh(rows, counts, left=done, color=color, hatch=hatch, edgecolor="white", label=mode)
            done = [a + b for a, b in zip(done, counts, strict=True)]
    right.set_title("Goals by mode", loc="left")
    left.set_yticks(list(rows), names)
    left.invert_yaxis()
    for one in (left, right):
        one.spines[["top", "right"]].set_visible(False)
        one.xaxis.get_major_locator().set_params(integer=True)
        if one.patches:
            one.legend(frameon=False, fontsize="small", loc="upper left", bbox_to_anchor=(-0.02, -0.14), ncols=3)
    if len(df) > MOST:
        left.set_xlabel(f"the first {MOST} of {len(df)} students")
    return ax
