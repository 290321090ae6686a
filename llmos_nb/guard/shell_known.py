"""What single programs do beyond the files they name, as data: operands and options that are written or run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from llmos_nb.guard.shell_files import FILES, judge_delete, judge_write
from llmos_nb.guard.shell_sayings import SAYINGS
from llmos_nb.guard.shell_scope import Arg, Call
from llmos_nb.guard.verdict import names

__all__ = ["READERS", "judge_known"]

_BY_NAME: Final[dict[str, list[tuple[re.Pattern[str], str]]]] = {}
for _programs, _pattern, _rule in SAYINGS:
    for _name in _programs.split():
        _BY_NAME.setdefault(_name, []).append((re.compile(_pattern, re.S), _rule))

#: Options of any program whose value is a file or folder that it writes.
_OUTPUT: Final = frozenset(
    f"--{name}"
    for name in names(
        "output out outfile output-file out-file output-dir output-directory outdir out-dir output_dir output_file "
        "output-path out-path output-format-dir dest destination dest-dir destdir target target-dir target-directory "
        "save save-to save-as save-dir saveto export export-dir result-file results-dir report-file log-file "
        "logfile log-dir "
        "logdir dump-file install-dir download-dir download-path prefix root exec-prefix trace-file profile-dir html-dir "
        "artifacts-dir build-dir cache-dir to-file write write-to junitxml junit-xml basetemp distpath workpath local-dir"
    )
)
#: Programs in which ``-o`` is something else, or which have a judge that knows it.
_OTHER_O: Final = names(
    "grep egrep fgrep rg ag ack ps pgrep ls find ssh scp sftp mount umount set ip kubectl helm docker podman sed "
    "awk gawk jq yq "
    "lsof ss netstat sort curl wget az aws gcloud pip test chmod du df stat nmap last who column cut tr"
)
#: Programs that write their last operand; those that write their first one.
_WRITES_LAST: Final = names(
    "convert magick composite montage ffmpeg avconv sox lame flac oggenc pdftotext pdftoppm pdftohtml pdfunite qpdf "
    "ps2pdf gs "
    "pngquant jpegtran cwebp rsvg-convert inkscape dot2tex script papermill html2text gdal_translate gdalwarp "
    "xxd mktemp mogrify hdiutil ditto xcopy robocopy copy move git-mv uudecode pax objcopy wkhtmltopdf "
    "ebook-convert mcopy"
)
_WRITES_FIRST: Final = names("zip ar ogr2ogr makeself")
#: Options of single programs that name what is written.
_WRITES: Final[dict[str, tuple[str, ...]]] = {
    "csplit": ("-f", "--prefix"), "mktemp": ("-p", "--tmpdir"), "patch": ("-d", "--directory"),
    "cpio": ("-D", "--directory", "-O", "-F"),
    "unzip": ("-d",), "unrar": ("-op",), "pg_dump": ("-f", "--file"), "pg_dumpall": ("-f", "--file"),
    "base64": ("-o",), "sphinx-build": ("-d",), "pip": ("-d", "--dest", "-t", "--target", "--prefix", "--root"),
    "pip3": ("-d", "--dest", "-t", "--target"), "npm": ("--prefix", "-C"), "javac": ("-d",), "protoc": ("--python_out",),
    "yt-dlp": ("-P", "--paths"), "youtube-dl": ("-P",), "pax": ("-f",), "xz": (), "openssl": ("-out", "-writerand"),
    "keytool": ("-keystore",), "ssh-keygen": ("-f",), "git-archive": ("-o",), "jupytext": ("--to",), "tcpdump": ("-w",),
    "tshark": ("-w",), "strace": ("-o",), "ltrace": ("-o",), "perf": ("-o",), "valgrind": ("--log-file",), "time": ("-o",),
    "ninja": ("-C",), "make": ("-C", "--directory"), "gmake": ("-C",), "cmake": ("-B", "--install-prefix"), "tree": ("-o",),
    "sqlite3": ("-output",), "gnuplot": (), "screen": ("-Logfile",), "aria2c": ("-d", "-o"), "gfortran": ("-J",),
}  # fmt: skip
#: Of those, the ones whose folder holds code that is run: that is judged as code.
_RUNS_THERE: Final = names("make gmake ninja npm")
#: Programs that run what their options and operands name: scripts, libraries, settings that hold code.
_RUNS_FILES: Final = names(
    "make gmake ninja npm yarn pnpm rake just gradle ant mvn bazel scons meson waf invoke fab doit snakemake "
    "nextflow tox nox "
    "pytest py.test coverage python python2 python3 pypy ipython node nodejs bun deno ruby irb perl php lua luajit "
    "java dotnet mono "
    "wine wine64 qemu-system-x86_64 vim vi nvim emacs gdb lldb jupyter jupyter-lab jupyter-notebook gunicorn "
    "uvicorn celery "
    "rscript julia tclsh octave matlab sage gnuplot expect screen tmux hatch poetry pre-commit act watchexec "
    "nodemon ts-node tsx "
    "electron osascript swift groovy scala"
)
#: Of those, options whose value is only data.
_DATA_OPTIONS: Final = names(
    "--input --data --output --out --outdir --output-dir --junitxml --cov-report --basetemp --root --log-file --cwd "
    "-o --in --file "
    "--dataset --csv --source --dest --target --notebook-dir --ServerApp.root_dir --prefix"
)


def judge_known(call: Call) -> None:
    """Judge a program by the tables above: what its words say, and where it writes."""
    says = _BY_NAME.get(call.name)
    if says and call.words[-1:] not in (["--help"], ["--version"]):
        joined = " ".join(call.words)
        for pattern, rule in says:
            if pattern.search(joined):
                call.object(rule)
    _outputs(call)
    if call.name in _RUNS_FILES or re.fullmatch(r"python[\d.]+", call.name):
        _files_run(call)
    if call.name not in READERS and call.name not in FILES and not _has_judge(call):
        _unknown(call)


def _files_run(call: Call) -> None:
    """Options that name code which lies elsewhere; what follows the first operand is a program's own data."""
    previous = ""
    for arg in call.args:
        text = arg.text
        if not text.startswith("-"):
            if call.name in _RUNS_OPERANDS and not previous and text != "run":
                _code_file(call, text)
                break
            own = previous not in _DATA_OPTIONS and call.name not in ("jupyter", "npm")
            if previous and (own or previous in _CONFIGS):
                _code_file(call, text.partition("=")[2] or text)
            if not previous and call.name in _SCRIPT_FIRST:
                break
            previous = ""
            continue
        name, equals, value = text.partition("=")
        previous = "" if equals else name
        if equals and name not in _DATA_OPTIONS:
            _code_file(call, value)
        elif not text.startswith("--") and len(text) > 3 and text[2] in "/~.":
            _code_file(call, text[2:])


#: Options that name settings which hold code, of whatever program.
_CONFIGS: Final = names("--config -c --rcfile --settings --prefix -C --directory")
#: Programs whose first operand is a script, which has been judged as one, and all after it that script's.
_SCRIPT_FIRST: Final = names(
    "python python2 python3 pypy ipython node nodejs bun deno ruby perl php lua luajit rscript julia java"
)


#: Programs whose first operand is a program, and that have no other judge for it.
_RUNS_OPERANDS: Final = names(
    "coverage dotnet mono wine wine64 qemu-system-x86_64 ts-node tsx octave electron swift scala kernprof"
)


def _code_file(call: Call, text: str) -> None:
    for piece in text.split(":") if call.name in ("java", "ruby", "perl") else (text,):
        if piece.startswith(("/", "~", "..")):
            for place in call.scope.places(piece):
                elsewhere = place is not None and (call.scope.zone(place) == "scratch" or _elsewhere(call, place))
                if elsewhere:
                    call.object("program-outside")
                    return


def _outputs(call: Call) -> None:
    args = call.args
    own = _WRITES.get(call.name, ())
    plain_o = call.name not in _OTHER_O
    operands: list[Arg] = []
    for i, arg in enumerate(args):
        text = arg.text
        name, equals, value = text.partition("=")
        if len(name) > 2 and name[0] == "-" != name[1]:
            name = f"-{name}"  # latex and the like write long options with one dash
        if not text.startswith("-"):
            if i == 0 or not args[i - 1].text.startswith("-") or args[i - 1].text.startswith("--") or "/" in text:
                operands.append(arg)
            continue
        written: Arg | None = None
        if name in _OUTPUT or name in own or text.partition("=")[0] in own or (name == "-o" and plain_o):
            written = Arg(value) if equals else (args[i + 1] if i + 1 < len(args) else None)
        elif not text.startswith("--"):
            attached = next(
                (o for o in (*own, *(("-o",) if plain_o else ())) if len(o) == 2 and text.startswith(o)), ""
            )
            written = Arg(text[2:]) if attached else None
        if written is not None:
            _written(call, written)
    if call.name in _WRITES_LAST and len(operands) > (
        0 if call.name in ("script", "mogrify", "ffmpeg", "avconv", "mktemp") else 1
    ):
        _written(call, operands[-1])
    if call.name in _WRITES_FIRST and operands:
        _written(call, operands[0])
    if call.name == "zip" and any(re.fullmatch(r"-[a-ln-zA-Z]*m[a-zA-Z]*|--move", word) for word in call.words):
        for arg in operands[1:]:
            judge_delete(arg, call.scope, call.text, tree=True)
    if call.name in ("7z", "7za", "7zr", "7zz"):
        _seven(call, operands)


def _written(call: Call, word: Arg) -> None:
    if "://" in word.text or word.text in ("", "-", "/dev/stdout") or word.text.startswith("-"):
        return
    before = len(call.scope.findings.verdicts)
    judge_write(word, call.scope, call.text)
    if call.name in _RUNS_THERE:
        del call.scope.findings.verdicts[before:]


def _seven(call: Call, operands: list[Arg]) -> None:
    verb = operands[0].text if operands else ""
    if verb in ("a", "u", "d", "rn") and operands[1:]:
        judge_write(operands[1], call.scope, call.text)
    if "-sdel" in call.words:
        for arg in operands[2:]:
            judge_delete(arg, call.scope, call.text, tree=True)
    if verb in ("x", "e"):
        folders = [Arg(word[2:]) for word in call.words if word.startswith("-o") and len(word) > 2] or [Arg(".")]
        for folder in folders:
            judge_write(folder, call.scope, call.text)


#: Programs that only read what they are given, or that have a judge of their own; all others may write it.
READERS: Final = names(
    "cat tac head tail less more most bat nl od hexdump strings file stat wc sum cksum md5sum sha1sum sha224sum "
    "sha256sum "
    "sha384sum sha512sum b2sum md5 shasum cmp diff diff3 sdiff colordiff delta comm join paste cut tr fold fmt pr "
    "expand unexpand "
    "column rev tsort shuf grep egrep fgrep zgrep zcat zless bzcat xzcat rg ag ack look ls dir vdir exa eza lsd tree du df "
    "find fd fdfind locate which whereis whatis man info apropos type readlink realpath basename dirname pathchk test [ "
    "jq yq xmllint csvcut csvlook csvstat csvgrep csvsort mlr awk gawk sed ps pgrep top htop lsof free uptime lsblk "
    "lscpu mount "
    "findmnt blkid id groups users who w last date cal echo printf seq sleep yes nproc uname hostname tty stty "
    "locale getconf "
    "git curl wget ssh scp rsync openssl gh docker podman kubectl helm aws gcloud az python perl ruby node php "
    "sqlite3 duckdb "
    "psql mysql identify ffprobe mediainfo pdfinfo pdffonts ldd nm objdump readelf size otool gcc g++ cc "
    "clang clang++ rustc "
    "javac make cmake ninja pytest ruff mypy flake8 pylint shellcheck hadolint yamllint ctags "
    ""
    "bc dc expr factor numfmt base32 base64 basenc iconv getfacl lsattr getfattr xattr ip ifconfig ss netstat arp "
    "route ping "
    "nslookup dig host systemctl service journalctl dmesg launchctl crontab kill pkill chmod open history tput "
    "clear env set "
    "cpp m4 lsusb lspci sensors acpi nvidia-smi ioreg mdls mdfind sw_vers system_profiler pmset diskutil codesign "
    "spctl plutil "
    "defaults security cloc scc tokei wcurl look spell aspell hunspell unzip zipinfo tar zip 7z ar nice time "
    "timeout xargs parallel"
    " fzf entr watch hyperfine cd pushd source eval exec trap export ansible-lint "
    "gsutil bq"
)


def _has_judge(call: Call) -> bool:
    return call.name in _WRITES_LAST or call.name in _WRITES_FIRST


def _elsewhere(call: Call, place: Path) -> bool:
    """Whether a place is neither the workspace's, nor the system's, nor a temporary one."""
    return not call.scope.holds(place) and call.scope.zone(place) in ("outside", "root") and place.parent != place


def _unknown(call: Call) -> None:
    """A program that nobody here knows, given a path outside the workspace: it may change what is there."""
    for arg in call.args:
        for text in {arg.text, arg.text.partition("=")[2]} - {""}:
            if not text.startswith(("/", "~", "../")) and text != "..":
                continue
            for place in call.scope.places(text):
                if place is not None and _elsewhere(call, place) and "\n" not in text:
                    call.scope.findings.add("unknown-outside", call.text, place)
                    return
