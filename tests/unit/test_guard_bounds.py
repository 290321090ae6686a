"""What is long to judge is asked about, short as the text may be; what is seen in it all the same is still denied."""

from __future__ import annotations

from pathlib import Path

import pytest

from llmos_nb.guard import check_python, check_shell
from llmos_nb.guard.exits import outward_text

BROKEN = "node -e '" + "require(((0 log.txt " * 90 + "'"
LONG = {
    "a value that doubles": "x=a;" + "x=$x$x;" * 60 + "rm $x",
    "a quoted one": "x=a;" + 'x="$x$x";' * 60 + "rm -r $x",
    "a replaced one": "x=a;" + "x=${x//a/aaaaaaaaaaa};" * 40 + "rm $x",
    "what a command prints": "x=a;" + "x=$(echo $x$x);" * 40 + "rm $x",
    "an array": "a=(a b);" + "a=(${a[@]} ${a[@]});" * 40 + "rm ${a[@]}",
    "the arguments": "set -- a b;" + 'set -- "$@" "$@";' * 40 + "rm $@",
    "a file": "echo aaaa > f;" + "cat f f > g; cat g g > f;" * 15 + "sh f",
    "printf": "x=a;" + "printf -v x '" + "%s%s" * 20 + "' $x $x $x;" * 12 + "rm $x",
    "nested loops": "for i in a b; do " * 12 + "rm $i; x=$x$x; " * 9 + "done; " * 12,
    "words": "rm " + "a " * 2000,
    "what is stripped": "x=" + "a" * 490 + ";" + "echo ${x%%*a*a*a*a*b*};" * 100,
    "bars": "a|" * 4000,
    "brackets": "a=(" * 3000,
    "signs": ">&" * 4990,
    "tests in tests": "[[ -v a[" * 1000,
}  # fmt: skip


@pytest.mark.parametrize("name", LONG)
def test_a_text_that_grows_as_it_is_followed_is_asked_about(name: str, tmp_path: Path) -> None:
    verdict = check_shell(LONG[name], cwd=tmp_path, workspace=tmp_path)
    assert verdict.decision == "ask" and verdict.rule != "guard-error", verdict


def test_what_stands_behind_too_much_that_cannot_be_parsed_is_not_allowed(tmp_path: Path) -> None:
    def decided(command: str) -> str:
        return check_shell(command, cwd=tmp_path, workspace=tmp_path).decision

    much = "; ".join([BROKEN] * 5)
    assert decided(f"{much}; rm -rf /") == "deny", "what the text itself says is still read"
    assert decided(f"{much}; bash -c 'rm -rf /'") == "deny"
    assert decided("node -e 'fetch(((' ; " * 400 + "((rm -rf /))") != "allow"
    assert decided("python -c 'x = 1\n'") == "allow"
    assert decided("rm {" + "," * 60 + "a{" + "a," * 60 + "{") == "allow", "no braces, and soon known to be none"


@pytest.mark.parametrize(
    "code",
    [
        "%time " * 12 + "open('/etc/passwd', 'w')",
        "%%time\n" * 12 + "import os; os.system('rm -rf /')",
        "%%unknown\n" * 12 + "import os; os.system('rm -rf /')",
        "%time " * 1500 + "x",
        "\n".join(f"!ls {n}" for n in range(60)),
        "import os\n" + "\n".join(f"os.system('ls {n}')" for n in range(120)),
    ],
)
def test_a_cell_of_too_many_magics_or_commands_is_asked_about(code: str, tmp_path: Path) -> None:
    verdict = check_python(code, cwd=tmp_path, workspace=tmp_path)
    assert verdict.decision == "ask" and verdict.rule in ("py-unreadable", "shell-too-long"), verdict


def test_the_same_command_again_is_judged_once(tmp_path: Path) -> None:
    assert check_python("!ls {a}\n" * 500, cwd=tmp_path, workspace=tmp_path).decision == "allow"
    code = "import os\nos.system('rm -rf /')\n" + "os.system('ls')\n" * 500
    assert check_python(code, cwd=tmp_path, workspace=tmp_path).decision == "deny"
    later = "\n".join(f"!ls {n}" for n in range(60)) + "\nimport os\nos.system('rm -rf /')"
    assert check_python(later, cwd=tmp_path, workspace=tmp_path).decision == "deny"


def test_the_ways_out_of_what_cannot_be_parsed_are_not_known() -> None:
    for command in ("a|" * 4000, "a=(" * 3000):
        assert outward_text(command) == command
    assert outward_text("ls | head -3") == ""
