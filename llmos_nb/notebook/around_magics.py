"""``%%time``, ``%%capture`` and their like around a goal: IPython's own cannot await what is inside them."""

from __future__ import annotations

import ast
import asyncio
import inspect
import re
import sys
import time
import warnings
from collections.abc import Callable, Coroutine, Generator
from typing import Any, Final

from IPython.core.magic import Magics, line_cell_magic, magics_class, no_var_expand
from IPython.utils.capture import capture_output

from llmos_nb.errors import SettingsError
from llmos_nb.notebook.arguments import Option, parse

__all__ = ["AroundMagics", "PendingGoal", "around"]

_AROUND: Final = re.compile(r"get_ipython\(\)\.run_(cell|line)_magic\('(time|capture|timeit|prun)', (?=.*%llmos\b)")
_KEPT: Final = (
    Option("no-stderr", "", "let the error stream through"),
    Option("no-stdout", "", "let what is printed through"),
    Option("no-display", "", "let displays through"),
)


def around(line: str) -> str:
    """A transformed line in which ``%%time`` and its like around a goal are ours."""
    return _AROUND.sub(r"get_ipython().run_\1_magic('llmos_\2', ", line)


class PendingGoal:
    """What a goal magic returns: it is worked on when it is awaited, which IPython is told to do where it can be."""

    def __init__(self, work: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        self._work = work
        self._begun = False

    def __await__(self) -> Generator[Any, Any, Any]:
        self._begun = True
        return self._work().__await__()

    def __repr__(self) -> str:
        return "a goal that is not begun: write `await` before it, or llmos.run(goal) where nothing can be awaited"

    def __del__(self) -> None:
        if not self._begun:
            warnings.warn(f"This was {self!r}.", RuntimeWarning, stacklevel=2)


@magics_class
class AroundMagics(Magics):
    """``%%time``, ``%%capture``, ``%%timeit`` and ``%%prun`` where a goal is inside them."""

    def __init__(self, shell: Any, system: Any) -> None:
        super().__init__(shell=shell)
        self.system = system
        self._shell: Any = shell

    @no_var_expand
    @line_cell_magic
    def llmos_time(self, line: str, cell: str | None = None) -> Coroutine[Any, Any, Any]:
        """What %time and %%time are around a goal: how long it took, waiting included."""
        return self._timed(line if cell is None else cell)

    @no_var_expand
    @line_cell_magic
    def llmos_capture(self, line: str, cell: str | None = None) -> Coroutine[Any, Any, Any]:
        """What %%capture is around a goal: what it shows is kept in a variable instead."""
        if cell is None:
            raise SettingsError("%capture stands alone in the first line of a cell.", remedy="Write %%capture out.")
        return self._captured(line, cell)

    @no_var_expand
    @line_cell_magic
    def llmos_timeit(self, line: str, cell: str | None = None) -> None:
        """Refuses %timeit around a goal."""
        raise SettingsError(
            "%timeit would run the goal many times, and pay for each.", remedy="Use %%time, or result.duration_s."
        )

    @no_var_expand
    @line_cell_magic
    def llmos_prun(self, line: str, cell: str | None = None) -> None:
        """Refuses %prun around a goal."""
        raise SettingsError(
            "%prun cannot look into a goal, which works beside the cell.", remedy="Use %%time, or steps_df()."
        )

    async def _timed(self, code: str) -> Any:
        wall, processor = time.perf_counter(), time.process_time()
        try:
            return await self._run(code)
        finally:
            used, took = time.process_time() - processor, time.perf_counter() - wall
            print(f"CPU time: {used:.2f} s\nWall time: {took:.2f} s")  # noqa: T201 - as %time does

    async def _captured(self, line: str, code: str) -> None:
        parsed = parse(line, _KEPT, "%%capture")
        let = parsed.values
        with capture_output("no-stdout" not in let, "no-stderr" not in let, "no-display" not in let) as kept:
            value = await self._run(code)
            if value is not None:
                sys.displayhook(value)  # which the capture has replaced
        if parsed.goal:
            self._shell.user_ns[parsed.goal.strip()] = kept

    async def _run(self, code: str) -> Any:
        """Run a cell's code among the user's names; returns the value of its last expression."""
        tree = ast.parse(self._shell.transform_cell(code))
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        quiet = code.rstrip().endswith(";")
        flags, names = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, self._shell.user_ns
        value = eval(compile(tree, "<cell>", "exec", flags=flags), names)
        if inspect.iscoroutine(value):
            await value
        if last is None:
            return None
        assert isinstance(last, ast.Expr)
        value = eval(compile(ast.Expression(last.value), "<cell>", "eval", flags=flags), names)
        if inspect.iscoroutine(value):
            value = await value
        await asyncio.sleep(0)
        return None if quiet else value
