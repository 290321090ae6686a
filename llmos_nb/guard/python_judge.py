"""The rules on a syntax tree: calls, names, imports and assignments that deserve a look."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from llmos_nb.guard.paths import Zone, check_path, resolve, writable_roots, zone_of
from llmos_nb.guard.python_cells import parse
from llmos_nb.guard.python_clients import changes_elsewhere, drops_rows
from llmos_nb.guard.python_names import Names
from llmos_nb.guard.python_tables import (
    DECIDING,
    ENVIRON_USES,
    FILES,
    FRAMES,
    HOOKS,
    KERNEL,
    LATER,
    NATIVE,
    PATH_METHODS,
    READERS,
    RUNS_ARGS,
    RUNS_LIST,
    RUNS_TEXT,
    SENDS,
    SYSTEM,
    SYSTEMS,
)  # fmt: skip
from llmos_nb.guard.rules import hit
from llmos_nb.guard.verdict import Decision, Verdict
from llmos_nb.kernel.syntax import parents_of

__all__ = ["PythonJudge"]

#: Text that is code inside code is followed this deep.
MAX_DEPTH: Final = 4
#: Different shell commands in one program that are judged.
MAX_COMMANDS: Final = 100
#: Kinds of nodes that a rule may object to, put together once.
_NAMES: Final = (ast.Name, ast.Attribute)
_IMPORTS: Final = (ast.Import, ast.ImportFrom)
_ASSIGNMENTS: Final = (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Delete)
#: What runs a text, or acts on the kernel.
_HANDED_ON: Final = RUNS_TEXT | KERNEL


class _Shown:
    """A call as a verdict shows it: spelled out only where one objects."""

    __slots__ = ("_node",)

    def __init__(self, node: ast.Call) -> None:
        self._node = node

    def __str__(self) -> str:
        return ast.unparse(self._node)[:120]


def _texts(node: ast.Call) -> Iterator[ast.expr]:
    """What a query may stand in: the first argument, or what ``text(...)`` around it is given."""
    for one in node.args[:1]:
        yield from one.args[:1] if isinstance(one, ast.Call) else [one]


class PythonJudge:
    """Judges syntax trees for one pair of folders; ``nested`` judges text that the code would run as code."""

    def __init__(
        self, cwd: Path, workspace: Path, depth: int, nested: Callable[[str], Verdict], *, watched: bool = False
    ) -> None:
        self.cwd, self.workspace, self.depth, self.nested = cwd, workspace, depth, nested
        self.watched = watched
        self._roots: tuple[Path, ...] | None = None
        #: What kinds of places paths were found to be, None for one that is none.
        self._zones: dict[str, Zone | None] = {}
        self._secrets: dict[str, bool] = {}
        #: The paths that were asked about, each with what is done to it.
        self.asked: list[tuple[str, str]] = []
        #: What was said about texts that are run.
        self._commands: dict[str, Verdict] = {}
        self._texts: dict[str, Verdict] = {}
        self.names = Names(ast.Module([], []))

    def shell(self, command: str) -> Verdict:
        """A shell command that the code would run."""
        if command not in self._commands:
            if len(self._commands) >= MAX_COMMANDS:
                return hit("shell-too-long", f"more than {MAX_COMMANDS} commands in one program")
            from llmos_nb.guard.shell import check_shell

            self._commands[command] = check_shell(command, cwd=self.cwd, workspace=self.workspace)
        return self._commands[command]

    def _inside(self, text: str) -> Verdict:
        """A text that the code would run as code."""
        if text not in self._texts:
            self._texts[text] = self.nested(text)
        return self._texts[text]

    def interpolated(self, command: str) -> Iterator[Verdict]:
        """A ``!`` line: IPython puts values of Python expressions in place of ``{...}`` first."""
        replaced, rest = "", command
        while "{" in rest:
            before, _, after = rest.partition("{")
            inside, closed, tail = after.partition("}")
            if closed and parse(inside) is not None and inside.strip():
                replaced, rest = f"{replaced}{before}\ue000", tail
            else:
                replaced, rest = f"{replaced}{before}{{", after
        if "\ue000" in replaced:
            from llmos_nb.guard.shell import check_template

            yield check_template(replaced + rest, cwd=self.cwd, workspace=self.workspace)
        yield self.shell(command)

    def path(self, text: str, effect: str, shown: object) -> Iterator[Verdict]:
        """A literal path that is read, written or deleted."""
        self.asked.append((text, effect))
        if effect == "read" or not effect:
            if effect and self._is_secret(text):
                yield hit("py-secret", shown)
            return
        zone = self._zone(text)
        if zone is None:
            yield hit("path-invalid", shown)
        elif zone in ("guarded", "secret", "persistence", "device"):
            yield hit(
                {"guarded": "path-guarded", "secret": "py-secret", "persistence": "path-persistence"}.get(
                    zone, "path-device"
                ),
                shown,
            )
        elif zone == "root" and effect in ("delete", "tree"):
            yield hit("py-delete", shown)
        elif zone in ("outside", "system"):
            yield (
                hit("py-write", shown, "deny" if zone == "system" else None)
                if effect == "write"
                else hit("py-delete", shown)
            )

    def _zone(self, text: str) -> Zone | None:
        if text not in self._zones:
            if self._roots is None:
                self._roots = writable_roots(self.workspace, self.cwd)
            try:
                place = resolve(text, cwd=self.cwd, workspace=self.workspace)
                self._zones[text] = zone_of(place, workspace=self.workspace, roots=self._roots)
            except ValueError:
                self._zones[text] = None
        return self._zones[text]

    def _is_secret(self, text: str) -> bool:
        if text not in self._secrets:
            verdict = check_path(text, "read", workspace=self.workspace, cwd=self.cwd, readable=())
            self._secrets[text] = verdict.rule == "path-secret"
        return self._secrets[text]

    def tree(self, tree: ast.Module, parents: dict[ast.AST, ast.AST] | None = None) -> Iterator[Verdict]:
        """Everything in one program; ``parents`` are its nodes where they are at hand already."""
        parents = parents_of(tree) if parents is None else parents
        self.names = Names(tree, parents)
        for node, parent in parents.items():
            if isinstance(node, _NAMES):
                yield from self._name(node, parent)
            elif isinstance(node, ast.Call):
                yield from self._call(node)
            elif isinstance(node, _ASSIGNMENTS):
                yield from self._assigned(node)
            elif isinstance(node, _IMPORTS):
                yield from self._import(node)
            elif isinstance(node, ast.Subscript) and self.names.dotted(node.value) == "os.environ":
                yield from self._variable(node.slice, node.ctx)

    def _import(self, node: ast.Import | ast.ImportFrom) -> Iterator[Verdict]:
        modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
        for module in modules:
            if module.split(".")[0] in NATIVE:
                yield hit("py-native", f"import {module}")
            elif module in DECIDING or module.startswith(tuple(f"{part}." for part in DECIDING)):
                yield hit("py-system", f"import {module}", "ask")

    def _variable(self, key: ast.expr, context: ast.expr_context | None = None) -> Iterator[Verdict]:
        from llmos_nb.guard.places import secret_variable

        name = self.names.literal(key)
        if name is not None and secret_variable(name) and not isinstance(context, ast.Store | ast.Del):
            yield hit("py-environ", name)

    def _name(self, node: ast.Attribute | ast.Name, parent: ast.AST | None) -> Iterator[Verdict]:
        if not isinstance(node.ctx, ast.Load):
            return
        name = self.names.dotted(node)
        if name in ("os.environ", "os.environb"):
            keyed = isinstance(parent, ast.Subscript) and parent.value is node
            method = isinstance(parent, ast.Attribute) and parent.attr in ENVIRON_USES
            tested = isinstance(parent, ast.Compare) and all(isinstance(op, ast.In | ast.NotIn) for op in parent.ops)
            handed_on = isinstance(parent, ast.keyword) and parent.arg == "env"
            # {**os.environ, "A": "b"} is how a child process gets one more variable.
            merged = isinstance(parent, ast.Dict) and len(parent.keys) > 1
            bound = isinstance(parent, ast.Assign)
            if not (keyed or method or tested or handed_on or merged or bound):
                yield hit("py-environ", name)
        elif name in HOOKS and not isinstance(parent, ast.Attribute):
            yield hit("py-hooks", name)
        elif name.startswith(LATER):
            yield hit("py-later", name)
        elif name in _HANDED_ON and isinstance(parent, ast.Call) and node in parent.args:
            # Handed on as a value, to be called with nobody knows what.
            yield hit("py-shell", name)
        elif isinstance(node, ast.Attribute) and node.attr in FRAMES:
            yield hit("py-hooks", f".{node.attr}", "ask")
        else:
            yield from self._system(name)

    def _system(self, name: str) -> Iterator[Verdict]:
        """A part of the running system that is for a person to use, or for the system itself."""
        if not name.startswith(SYSTEMS):
            return
        rest = name.partition("().")[2] or name.removeprefix(SYSTEMS[0])
        if rest in SYSTEM or any(part.startswith("_") for part in rest.split(".")):
            yield hit("py-system", name)

    def _assigned(self, node: ast.Assign | ast.AugAssign | ast.AnnAssign | ast.Delete) -> Iterator[Verdict]:
        targets = node.targets if isinstance(node, ast.Assign | ast.Delete) else [node.target]
        for target in targets:
            if isinstance(target, ast.Attribute | ast.Subscript):
                name = self.names.dotted(target.value)
                whole = self.names.dotted(target)
                if whole.startswith(LATER):
                    yield hit("py-later", ast.unparse(target))
                if name.split(".")[0] in ("llmos_nb", "llmos") or (
                    name == "sys.modules" and whole.startswith("llmos_nb")
                ):
                    yield hit("py-guard", ast.unparse(target))
                elif whole in ("sys.modules",) or name in ("builtins", "__builtins__"):
                    yield hit("py-eval", ast.unparse(target))

    def _call(self, node: ast.Call) -> Iterator[Verdict]:
        name = self.names.dotted(node.func).removeprefix("builtins.")
        shown = _Shown(node)
        first = (
            node.args[0]
            if node.args
            else next((k.value for k in node.keywords if k.arg in ("cmd", "args", "command", "path")), None)
        )
        if isinstance(node.func, ast.Call):
            yield from self._system(name)
        if name in RUNS_TEXT:
            yield from self._command(self.names.literal(first), shown)
        elif name in RUNS_LIST or name.startswith(RUNS_ARGS):
            yield from self._started(node, first, name, shown)
        elif name in KERNEL or name.startswith("os.kill"):
            yield hit("py-kernel", shown)
        elif name == "contextvars.Context":  # code that runs in it belongs to nobody
            yield hit("py-hooks", shown, "ask")
        elif name == "signal.signal":
            yield hit("py-kernel", shown, "ask")
        elif name in (
            "eval",
            "exec",
            "compile",
            "runpy.run_path",
            "get_ipython().run_cell",
            "get_ipython().ex",
            "get_ipython().ev",
        ):
            yield from self._evaluated(node, first, name, shown)
        elif name in ("get_ipython().run_line_magic", "get_ipython().run_cell_magic", "get_ipython().magic"):
            parts = [self.names.literal(arg) for arg in node.args]
            if None in parts:
                yield hit("py-shell", shown)
            else:
                sign = "%%" if name.endswith("cell_magic") else "%"
                text = " ".join(p or "" for p in parts[:2]) + ("\n" + (parts[2] or "") if len(parts) > 2 else "")
                yield self._inside(sign + text)
        elif name in ("setattr", "delattr", "unittest.mock.patch", "unittest.mock.patch.object"):
            text = self.names.literal(first) or ""
            target = self.names.dotted(first) if first is not None else ""
            if self._is_system(first) or target.startswith("llmos_nb") or text.startswith("llmos_nb"):
                yield hit("py-guard", shown)
        elif name in ("vars", "object.__setattr__", "object.__delattr__") and self._is_system(first):
            yield hit("py-guard", shown)
        elif name == "getattr" and self._is_system(first) and self.names.literal(node.args[-1]) is None:
            yield hit("py-system", shown, "ask")
        elif name in ("getattr",) and len(node.args) > 1 and self.names.literal(node.args[1]) is None:
            if self.names.dotted(node.args[0]) in ("os", "subprocess", "builtins", "__builtins__", "sys", "shutil"):
                yield hit("py-shell", shown)
        elif name in ("os.getenv", "os.environ.get") and first is not None:
            yield from self._variable(first)
        elif name == "importlib.import_module" and (self.names.literal(first) or "").split(".")[0] in NATIVE:
            yield hit("py-native", shown)
        elif name.startswith(SENDS) or (
            name == "urllib.request.urlopen" and (len(node.args) > 1 or any(k.arg == "data" for k in node.keywords))
        ):
            yield hit("py-network", shown)
        elif changes_elsewhere(name) or any(drops_rows(name, self.names.literal(one) or "") for one in _texts(node)):
            yield hit("py-remote", shown)
        elif name.startswith(("pip.main", "pip._internal.")):
            yield hit("py-shell", shown)
        elif name.startswith(("keyring.get_", "win32cred.", "secretstorage.")):
            yield hit("py-secret", shown)
        elif name.startswith("git.Repo().git."):
            options = [f"--{one.arg.replace('_', '-')}" for one in node.keywords if one.arg]
            words = ["git", name.rpartition(".")[2].replace("_", "-"), *options, *map(self.names.literal, node.args)]
            from llmos_nb.guard.shell import check_words

            yield check_words(words, cwd=self.cwd, workspace=self.workspace)
        elif name in ("importlib.reload",) and first is not None and self.names.dotted(first).startswith("llmos_nb"):
            yield hit("py-guard", shown)
        else:
            yield from self._files(node, name, first, shown)

    def _is_system(self, node: ast.expr | None) -> bool:
        name = self.names.dotted(node) if node is not None else ""
        return f"{name}.".startswith(SYSTEMS)

    def _command(self, command: str | None, shown: object) -> Iterator[Verdict]:
        yield hit("py-shell", shown) if command is None else self.shell(command)

    def _started(self, node: ast.Call, first: ast.expr | None, name: str, shown: object) -> Iterator[Verdict]:
        """subprocess.run([...]): the list is a command, each word by itself."""
        from llmos_nb.guard.shell import check_words

        text = self.names.literal(first)
        if isinstance(first, ast.Name) and isinstance(self.names.constants.get(first.id), ast.List | ast.Tuple):
            first = self.names.constants[first.id]
        items: list[ast.expr] | None = list(first.elts) if isinstance(first, ast.List | ast.Tuple) else None
        if name.startswith(RUNS_ARGS):
            start = 1 if name.startswith("os.") else 0
            items = [arg for arg in node.args[start:] if not isinstance(arg, ast.Dict)]
            if len(items) and isinstance(items[-1], ast.List | ast.Tuple):
                items = list(items[-1].elts)
        if text is not None and items is None:
            yield self.shell(text)
        elif not items:
            yield hit("py-shell", shown)
        else:
            words = [
                "python" if self.names.dotted(item) == "sys.executable" else self.names.literal(item)
                for item in items
            ]
            shell = any(
                k.arg == "shell" and not (isinstance(k.value, ast.Constant) and not k.value.value)
                for k in node.keywords
            )
            if shell and words[0] is not None:
                yield self.shell(words[0])
            yield (
                hit("py-shell", shown)
                if words[0] is None
                else check_words(words, cwd=self.cwd, workspace=self.workspace)
            )

    def _evaluated(self, node: ast.Call, first: ast.expr | None, name: str, shown: object) -> Iterator[Verdict]:
        text = self.names.literal(first)
        if text is not None and name != "runpy.run_path" and self.depth < MAX_DEPTH:
            yield self._inside(text)
        elif name != "compile":
            yield hit("py-eval", shown)

    def _files(self, node: ast.Call, name: str, first: ast.expr | None, shown: object) -> Iterator[Verdict]:
        for effect, argument in zip(FILES.get(name, ()), node.args, strict=False):
            text = self.names.literal(argument)
            if text is not None:
                yield from self.path(text, effect, shown)
            elif name in ("os.mkfifo", "os.mknod"):  # no event tells of these when they run
                yield hit("py-write", shown)
            elif (
                effect in ("tree", "delete")
                and not self.watched
                and name.startswith(("shutil.rmtree", "os.rem", "os.unlink", "os.rmdir"))
            ):
                decision: Decision = "ask"
                yield hit("py-delete-unknown", shown, decision)
        if name in ("open", "io.open", "codecs.open", "os.open", "pandas.HDFStore", "h5py.File"):
            mode = next(
                (k.value for k in node.keywords if k.arg == "mode"), node.args[1] if len(node.args) > 1 else None
            )
            flags = self.names.literal(mode) or ("r" if mode is None else "rw")
            text = self.names.literal(first)
            if text is not None:
                yield from self.path(text, "write" if set(flags) & set("wax+") else "read", shown)
        elif name.startswith(READERS):
            text = self.names.literal(first)
            if text is not None and "://" not in text:
                yield from self.path(text, "read", shown)
        if not isinstance(node.func, ast.Attribute):
            return
        method = node.func.attr
        is_path = self.names.literal(node.func.value) if not name.startswith(("os.", "shutil.")) else None
        if method in PATH_METHODS and is_path is not None and not isinstance(node.func.value, ast.Constant):
            yield from self.path(is_path, PATH_METHODS[method], shown)
            if (
                method in ("rename", "replace")
                and first is not None
                and (target := self.names.literal(first)) is not None
            ):
                yield from self.path(target, "write", shown)
        elif method == "open" and is_path is not None:
            flags = self.names.literal(first) or "r"
            yield from self.path(is_path, "write" if set(flags) & set("wax+") else "read", shown)
        elif (
            method.startswith(("to_", "save", "write_", "sink_", "imwrite", "imsave"))
            and (text := self.names.literal(first)) is not None
            and "://" not in text
        ):
            yield from self.path(text, "write", shown) if "/" in text or "." in text else ()
