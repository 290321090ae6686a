"""Where ``run_cell`` runs: a namespace that takes code with IPython's meaning and tells what came of it.

:class:`PlainNamespace` is for scripts and tests; :class:`llmos_nb.tools.shell_namespace.ShellNamespace` is the
user's own kernel. Both show output where the user looks for it and keep a copy.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # no stub tells of it
import _thread
import ast
import asyncio
import contextlib
import inspect
import io
import signal
import sys
import threading
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass, field
from types import CodeType, FrameType
from typing import Any, Protocol, TextIO

from llmos_nb.kernel.secrets import redacted, secret_values
from llmos_nb.kernel.whose import agents_turn, of_another_cell, this_cell
from llmos_nb.tools.frames import plain_frames

__all__ = [
    "CellResult",
    "Namespace",
    "Output",
    "PlainNamespace",
    "Recorder",
    "heeding",
    "interrupt",
    "interruptible",
    "syntax_problem",
    "teed",
]


@dataclass(frozen=True, slots=True)
class Output:
    """One thing a cell showed.

    ``kind`` is ``stdout``, ``stderr`` or ``display``; ``data`` maps MIME types to text or base64, ``metadata`` is the
    display's own.
    """

    kind: str
    data: dict[str, Any]
    metadata: dict[str, Any] = field(default_factory=dict)

    @property
    def is_stream(self) -> bool:
        """Whether it was printed rather than displayed."""
        return self.kind != "display"

    @property
    def mime(self) -> str:
        """The richest kind of the output, as an expectation names it: ``stream`` or a MIME type."""
        if self.is_stream:
            return "stream"
        for mime in ("image/png", "image/svg+xml", "image/jpeg", "text/html", "text/latex", "text/markdown"):
            if mime in self.data:
                return mime
        return next(iter(self.data), "text/plain")

    @property
    def text(self) -> str:
        """The output as a reader without eyes for pictures gets it."""
        if self.is_stream:
            return str(self.data["text/plain"])
        text = str(self.data.get("text/plain", ""))
        image = next((mime for mime in self.data if mime.startswith("image/")), None)
        return f"[{image}] {text}".rstrip() if image else text


@dataclass(frozen=True, slots=True)
class CellResult:
    """What a cell did: its outputs in order, and the exception's name and short traceback when it raised."""

    outputs: tuple[Output, ...] = ()
    error: str = ""
    traceback: str = ""
    interrupted: bool = False


class Namespace(Protocol):
    """Runs code among the user's names."""

    @property
    def names(self) -> MutableMapping[str, Any]:
        """The user's names and values, live."""

    async def run_cell(self, code: str, *, show: bool = True) -> CellResult:
        """Run ``code`` on the calling thread; nothing it raises gets out, but cancellation of the awaiting task.

        With ``show`` false what it shows is only kept; :meth:`show` can show it later.
        """

    def show(self, outputs: Iterable[Output]) -> None:
        """Show what was kept, where the cell would have shown it."""

    def unreadable(self, code: str) -> str:
        """Why ``code`` is no cell that could be begun: a syntax error, with its line; empty where it is one."""


class Recorder:
    """Keeps a cell's outputs in order; text printed in a row becomes one output."""

    def __init__(self) -> None:
        self._outputs: list[Output] = []
        self._kind = ""
        self._pieces: list[str] = []

    def stream(self, kind: str, text: str) -> None:
        """Add printed text."""
        if kind != self._kind:
            self._close()
            self._kind = kind
        self._pieces.append(text)

    def display(self, data: dict[str, Any], metadata: dict[str, Any] | None = None) -> None:
        """Add something displayed."""
        self._close()
        self._outputs.append(Output("display", dict(data), dict(metadata or {})))

    def outputs(self) -> tuple[Output, ...]:
        """Everything so far."""
        self._close()
        return tuple(self._outputs)

    def _close(self) -> None:
        if self._pieces:
            self._outputs.append(Output(self._kind, {"text/plain": "".join(self._pieces)}))
            self._kind, self._pieces = "", []


class _Tee(io.TextIOBase):
    """Keeps what is written, and writes it to the stream that was there as well if it is to be shown."""

    def __init__(self, stream: TextIO, kind: str, recorder: Recorder, show: bool, known: Mapping[str, str]) -> None:
        self._stream, self._kind, self._recorder, self._show = stream, kind, recorder, show
        self._cell, self._thread = this_cell(), threading.current_thread()
        self._known = known

    def write(self, text: str) -> int:
        if of_another_cell(self._cell) or (threading.current_thread() is not self._thread and not agents_turn()):
            # A person's cell that runs while this one awaits something, or a thread that they started.
            return self._stream.write(text)
        if text:
            self._recorder.stream(self._kind, text)
        if self._show:
            self._stream.write(redacted(text, self._known))
        return len(text)

    def flush(self) -> None:
        self._stream.flush()

    def isatty(self) -> bool:
        return False

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._stream.fileno()

    @property
    def encoding(self) -> str:  # type: ignore[override]  # the base class has an attribute
        return self._stream.encoding

    @property
    def errors(self) -> str | None:  # type: ignore[override]
        return self._stream.errors

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextlib.contextmanager
def teed(recorder: Recorder, *, show: bool, known: Mapping[str, str]) -> Iterator[None]:
    """Keep what is printed; with ``show`` it goes its usual way, too, without secrets: those in ``known`` and others."""
    out, err = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = _Tee(out, "stdout", recorder, show, known), _Tee(err, "stderr", recorder, show, known)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = out, err


#: What ``signal.getsignal`` and ``signal.signal`` call. Those look what they give up among the names of constants, and
#: where it is none, as a handler of asyncio's, they spell it out with its task: a tenth of a millisecond each time.
_handler: Callable[[int], Any] = _signal.getsignal
_handle: Callable[[int, Any], Any] = _signal.signal

_blocking = threading.Event()
_raised = threading.Event()
_sending = threading.Lock()
#: Seconds until an interrupt that reached nothing is sent again.
_AGAIN_S = 0.05


def _raise(_signal: int, _frame: FrameType | None) -> None:
    if _blocking.is_set():  # else it came too late
        _raised.set()
        raise KeyboardInterrupt


#: An interrupt came before the cell that it was meant for had begun.
_early = threading.Event()


class _Keeper:
    """A handler that keeps an interrupt for the cell about to begin, and lets the handler that was there have it too."""

    def __init__(self, before: Any) -> None:
        self.before = before

    def __call__(self, number: int, frame: FrameType | None) -> None:
        _early.set()
        if callable(self.before):
            self.before(number, frame)


@contextlib.contextmanager
def heeding() -> Iterator[None]:
    """Keep an interrupt for the cell that is about to begin in the block.

    A kernel that is between a person's cells would ignore it, and a handler that only marks a task, as a terminal's or
    ``asyncio.run``'s does, is not heard by a cell that begins to block before the task is looked at again.
    """
    before = _handler(signal.SIGINT)
    elsewhere = threading.current_thread() is not threading.main_thread()
    if (
        elsewhere
        or before in (None, signal.SIG_DFL, signal.default_int_handler, _raise)
        or isinstance(before, _Keeper)
    ):
        yield
        return
    _early.clear()
    keeper = _Keeper(before)
    _handle(signal.SIGINT, keeper)
    try:
        yield
    finally:
        _early.clear()
        if _handler(signal.SIGINT) is keeper:  # else a person's cell has begun meanwhile
            _handle(signal.SIGINT, before)


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Let Ctrl-C, and :func:`interrupt`, raise inside blocking code: a running loop otherwise only marks its task."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = _handle(signal.SIGINT, _raise)
    _blocking.set()
    try:
        if _early.is_set():
            _early.clear()
            raise KeyboardInterrupt
        yield
    finally:
        _blocking.clear()
        with _sending:  # one that is just being sent must not meet the handler from before
            pass
        _handle(signal.SIGINT, before)


def interrupt(at_work: Callable[[], bool]) -> None:
    """Raise KeyboardInterrupt, once, in the cell that blocks the main thread. Callable from other threads.

    A signal can fall between two statements of a cell, or just before a call that waits, where it ends nothing. So it
    is sent until it was raised, or until ``at_work`` tells that the work is over.
    """
    if threading.current_thread() is threading.main_thread():
        return  # then no cell blocks it

    def send_until_raised() -> None:
        while at_work() and not _raised.is_set():
            _send()
            _raised.wait(_AGAIN_S)

    _raised.clear()
    _send()
    threading.Thread(target=send_until_raised, name="llmos-interrupt", daemon=True).start()


def _send() -> None:
    main = threading.main_thread()
    with _sending:
        if not _blocking.is_set() or _raised.is_set() or main.ident is None:
            return
        if hasattr(signal, "pthread_kill"):
            signal.pthread_kill(main.ident, signal.SIGINT)  # also ends a sleep or another system call
        else:
            _thread.interrupt_main()


@dataclass(slots=True)
class PlainNamespace:
    """A namespace on an ordinary dict: the value of a last expression is printed, ``await`` works at top level."""

    names: MutableMapping[str, Any] = field(default_factory=lambda: {"__name__": "__main__"})

    async def run_cell(self, code: str, *, show: bool = True) -> CellResult:
        recorder = Recorder()
        screen, known = sys.stdout, secret_values(self.names)
        try:
            with teed(recorder, show=show, known=known):
                for block, is_value in _compiled(code):
                    with interruptible():
                        value = eval(block, self.names)  # type: ignore[arg-type]
                    if inspect.iscoroutine(value) and block.co_flags & inspect.CO_COROUTINE:
                        value = await value
                    if is_value and value is not None:
                        text = repr(value)
                        recorder.display({"text/plain": text})
                        if show:
                            screen.write(redacted(text, known) + "\n")
        except KeyboardInterrupt:
            return CellResult(recorder.outputs(), "KeyboardInterrupt", "KeyboardInterrupt", interrupted=True)
        except SystemExit as error:
            return CellResult(recorder.outputs(), "SystemExit", f"SystemExit: {error}")
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # noqa: BLE001 - whatever user code raises is its result
            return CellResult(recorder.outputs(), type(error).__name__, _short_traceback(error))
        return CellResult(recorder.outputs())

    def show(self, outputs: Iterable[Output]) -> None:
        for output in outputs:
            stream = sys.stderr if output.kind == "stderr" else sys.stdout
            stream.write(output.text if output.is_stream else output.text + "\n")

    def unreadable(self, code: str) -> str:
        return syntax_problem(lambda: list(_compiled(code)))


def syntax_problem(compiled: Callable[[], object]) -> str:
    """What is wrong where ``compiled()`` raises because of the code that it compiles."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compiled()
    except SyntaxError as error:
        where = f"line {error.lineno}: " if error.lineno else ""
        line = (error.text or "").strip()
        return f"{where}{error.msg}{f' in {line[:80]!r}' if line else ''}"
    except (ValueError, MemoryError, RecursionError) as error:
        return f"{type(error).__name__}: {error}"
    return ""


def _compiled(code: str) -> Iterator[tuple[CodeType, bool]]:
    """The cell's statements as code objects, each with whether it is the last expression, whose value is shown."""
    tree = ast.parse(code, "<cell>")
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    # dont_inherit: the annotations of the user's functions are values, whatever this module imports from __future__
    last = tree.body[-1] if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    if last is not None:
        tree.body.pop()
    yield compile(tree, "<cell>", "exec", flags=flags, dont_inherit=True), False
    if last is not None:
        value = compile(ast.Expression(last.value), "<cell>", "eval", flags=flags, dont_inherit=True)
        yield value, not code.rstrip().endswith(";")


def _short_traceback(error: BaseException) -> str:
    """The traceback from the user's code on, without the frames that led there; of libraries only the places."""
    frames = traceback.extract_tb(error.__traceback__)
    while frames and frames[0].filename != "<cell>":
        frames.pop(0)
    head = ["Traceback (most recent call last):\n", *plain_frames(frames)] if frames else []
    return "".join([*head, *traceback.format_exception_only(error)]).rstrip()
