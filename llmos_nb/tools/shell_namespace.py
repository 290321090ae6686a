"""The user's own kernel as a namespace: cells run by IPython itself, among the user's variables, shown in place.

IPython is not imported here: where there is a running shell, it has been imported already.
"""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
import weakref
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from contextlib import ExitStack, contextmanager
from typing import Any, Final, TextIO

from llmos_nb.kernel.secrets import redacted_data, secret_values
from llmos_nb.kernel.whose import agents_turn, of_another_cell, this_cell
from llmos_nb.tools.frames import shell_frames
from llmos_nb.tools.namespace import CellResult, Output, Recorder, interruptible, syntax_problem, teed
from llmos_nb.tools.presentable import presentable_data

__all__ = ["ShellNamespace", "running_shell"]

#: Payload managers that take nothing from agents' code any more.
_kept_managers: Final[weakref.WeakSet[Any]] = weakref.WeakSet()
_ANSI = re.compile(r"\x1b\[[0-9;]*m")


def running_shell() -> Any | None:
    """The IPython shell this code runs in, or None outside of one."""
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython is not None and hasattr(ipython, "get_ipython") else None


class ShellNamespace:
    """Runs cells in an IPython shell. Rich output appears in the cell that awaits, and is kept as well."""

    def __init__(self, shell: Any) -> None:
        self._shell = shell

    @property
    def names(self) -> MutableMapping[str, Any]:
        """The user's namespace, live."""
        names: MutableMapping[str, Any] = self._shell.user_ns
        return names

    async def run_cell(self, code: str, *, show: bool = True) -> CellResult:
        """Run ``code`` as a cell: magics, ``!`` commands, ``await`` and rich display work as they do by hand."""
        shell = self._shell
        recorder = Recorder()
        errors: list[str] = []
        screen, known = sys.stdout, secret_values(self.names)
        with ExitStack() as stack:
            stack.enter_context(teed(recorder, show=show, known=known))
            try:
                transformed, problem = shell.transform_cell(code), None
            except Exception:  # noqa: BLE001 - the shell reports a cell that it cannot read
                transformed, problem = code, sys.exc_info()
            quiet = _ends_in_semicolon(shell, transformed)
            stack.enter_context(
                _recorded(shell, recorder, errors, known, quiet=quiet, screen=screen if show else None)
            )
            try:
                if not shell.should_run_async(code, transformed_cell=transformed, preprocessing_exc_tuple=problem):
                    stack.enter_context(interruptible())  # it holds the thread until it is done
                result = await shell.run_cell_async(
                    code, transformed_cell=transformed, preprocessing_exc_tuple=problem, store_history=False
                )
            except KeyboardInterrupt:  # before the cell's first statement, or after its last one
                return CellResult(recorder.outputs(), "KeyboardInterrupt", "KeyboardInterrupt", interrupted=True)
            _flush_figures()
        raised = result.error_before_exec or result.error_in_exec
        said = "\n".join(errors)
        if raised is None:
            if said:  # a value whose display failed: the shell tells of it and goes on
                recorder.stream("stderr", said + "\n")
                print(said, file=sys.stderr if show else io.StringIO())
            code_of_command = shell.user_ns.get("_exit_code") if _ends_in_command(code) else 0
            if isinstance(code_of_command, int) and code_of_command:
                failed = f"exit code {code_of_command}"
                return CellResult(recorder.outputs(), failed, f"[{failed}]")
            return CellResult(recorder.outputs())
        text = said or f"{type(raised).__name__}: {raised}"
        interrupted = isinstance(raised, KeyboardInterrupt) or type(raised).__name__ == "CancelledError"
        return CellResult(recorder.outputs(), type(raised).__name__, text, interrupted)

    def show(self, outputs: Iterable[Output]) -> None:
        """Print and display what was kept, in the cell that awaits."""
        for output in outputs:
            if output.is_stream:
                stream = sys.stderr if output.kind == "stderr" else sys.stdout
                stream.write(output.text)
            else:
                self._shell.display_pub.publish(output.data, output.metadata)

    def unreadable(self, code: str) -> str:
        """Why ``code`` is no cell that could be begun; magics, commands and ``await`` are none of the reasons."""

        def compiled() -> None:
            compile(self._shell.transform_cell(code), "<cell>", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, True)

        return syntax_problem(compiled)


def _ends_in_command(code: str) -> bool:
    """Whether the last line is a ``!`` command: how that ended is how the cell ended, but IPython does not raise."""
    lines = code.strip().splitlines()
    return bool(lines) and lines[-1].startswith("!")


@contextmanager
def _recorded(
    shell: Any,
    recorder: Recorder,
    errors: list[str],
    known: Mapping[str, str],
    *,
    quiet: bool,
    screen: TextIO | None,
) -> Iterator[None]:
    """Keep what the shell displays, and show it on ``screen`` where there is one.

    Tracebacks are held back, since the agent gets to see and mend them. A cell of a person's that runs while this one
    awaits something shows what it shows as ever.
    """
    _keep_next_cell(shell.payload_manager)
    publisher, trap, cell = shell.display_pub, shell.display_trap, this_cell()
    publish, usual, show_traceback = publisher.publish, trap.hook, shell._showtraceback

    def published(data: dict[str, Any], metadata: Any = None, **options: Any) -> None:
        if of_another_cell(cell):
            publish(data, metadata, **options)
            return
        if not options.get("update"):
            recorder.display(data, metadata)
        if screen is not None:
            with _replaced(sys, "stdout", screen):  # a terminal's shell prints it, and that is not a second output
                publish(redacted_data(presentable_data(data), known), metadata, **options)

    def displayed(value: Any = None) -> None:
        if of_another_cell(cell):
            usual(value)
            return
        if value is None or quiet:
            return
        data, metadata = shell.display_formatter.format(value)
        if data:
            published(data, metadata)

    def held_back(etype: Any, evalue: Any, stb: Any) -> None:
        if of_another_cell(cell):
            show_traceback(etype, evalue, stb)
            return
        parts = [stb] if isinstance(stb, str) else stb
        errors.append("\n".join(shell_frames(_ANSI.sub("", part) for part in parts)))

    with ExitStack() as stack:
        stack.enter_context(_replaced(publisher, "publish", published))
        stack.enter_context(_replaced(shell, "_showtraceback", held_back))
        stack.enter_context(_replaced(shell.displayhook, "exec_result", None))  # the awaiting cell has its own
        stack.enter_context(_replaced(trap, "hook", displayed))
        stack.enter_context(_replaced(sys, "displayhook", displayed))  # the trap is set already when a cell awaits us
        left_out = stack.enter_context(_nothing_for_next_cell(shell, cell))
        yield
    if left_out:
        texts = (
            f"{len(left_out)} texts for the next cell were" if len(left_out) > 1 else "A text for the next cell was"
        )
        recorder.stream("stderr", f"[{texts} left out]\n")


@contextmanager
def _nothing_for_next_cell(shell: Any, cell: int) -> Iterator[list[Any]]:
    """What the block would put into a person's next cell, or over this one, stays out; it is in the list afterwards."""
    manager, left_out = shell.payload_manager, []
    write, typed = manager.write_payload, getattr(shell, "rl_next_input", None)
    kept = [(one, dict(one)) for one in manager.read_payload()]

    def written(data: Any, single: bool = True) -> None:
        if not of_another_cell(cell):
            left_out.append(data)
            return
        write(data, single)
        kept[:] = [(one, dict(one)) for one in manager.read_payload()]

    try:
        with _replaced(manager, "write_payload", written):
            yield left_out
    finally:
        if shell.payload_manager is not manager:
            shell.payload_manager = manager
        there = manager.read_payload()
        left_out.extend(one for one in there if all(one is not known for known, _ in kept))
        manager._payload = [as_it_was for known, as_it_was in kept if any(known is one for one in there)]
        if getattr(shell, "rl_next_input", None) is not typed:  # a terminal's
            left_out.append(shell.rl_next_input)
            shell.rl_next_input = typed


def _keep_next_cell(manager: Any) -> None:
    """From now on, what agents' code does later by itself puts nothing into a person's cells either."""
    if manager in _kept_managers:
        return
    _kept_managers.add(manager)
    write = manager.write_payload

    def written(data: Any, single: bool = True) -> None:
        if not agents_turn():
            write(data, single)

    manager.write_payload = written


def _ends_in_semicolon(shell: Any, transformed: str) -> bool:
    """Whether the value of the last expression is not wanted. The shell itself would look at the awaiting cell."""
    try:
        return bool(shell.displayhook.semicolon_at_end_of_expression(transformed))
    except (tokenize.TokenError, SyntaxError):
        return False  # it does not compile either


@contextmanager
def _replaced(owner: Any, name: str, value: Any) -> Iterator[None]:
    """``owner.name`` is ``value`` until the block ends."""
    own = name in vars(owner)
    before = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        if name in vars(owner) and not own:
            delattr(owner, name)  # a method of the class shows again
        else:
            setattr(owner, name, before)


def _flush_figures() -> None:
    """Show open figures now, in the step that drew them, instead of at the end of the awaiting cell."""
    backend = sys.modules.get("matplotlib_inline.backend_inline")
    pyplot = sys.modules.get("matplotlib.pyplot")
    if backend is not None and pyplot is not None and "inline" in pyplot.get_backend().lower():
        backend.flush_figures()
