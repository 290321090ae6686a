"""Paths: what they resolve to, where writing is allowed, what may not be read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from llmos_nb.guard import check_path, resolve
from llmos_nb.guard.paths import Mode


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "workspace"
    (folder / "projects").mkdir(parents=True)
    return folder


def test_relative_paths_start_at_the_folder(workspace: Path) -> None:
    assert resolve("a.txt", cwd="projects", workspace=workspace) == workspace / "projects" / "a.txt"
    assert resolve("../a.txt", cwd="projects", workspace=workspace) == workspace / "a.txt"


def test_links_and_home_are_resolved(workspace: Path, tmp_path: Path) -> None:
    (workspace / "link").symlink_to(tmp_path)
    assert resolve("link/x", cwd=workspace, workspace=workspace) == tmp_path / "x"
    assert resolve("~/x", cwd=workspace, workspace=workspace) == Path(os.path.realpath(Path.home())) / "x"


@pytest.mark.parametrize("path", ["", "a\0b", "a" * 5000, "~no-such-user-here/x"])
def test_impossible_paths_are_refused(path: str, workspace: Path) -> None:
    with pytest.raises(ValueError):
        resolve(path, cwd=workspace, workspace=workspace)
    assert check_path(path, "read", workspace=workspace).rule == "path-invalid"


@pytest.mark.parametrize(
    "path", ["a.txt", "projects/x/output/plot.png", "memory/../a.txt", "/dev/null", "my agents/a.md"]
)
def test_writing_inside_is_allowed(path: str, workspace: Path) -> None:
    assert check_path(path, "write", workspace=workspace).decision == "allow"


@pytest.mark.parametrize(
    ("path", "rule"),
    [
        ("../a.txt", "path-outside"),
        ("/etc/passwd", "path-outside"),
        ("", "path-invalid"),
        (".", "path-outside"),
        (".llmos/state.db", "path-guarded"),
        ("projects/../.llmos/x", "path-guarded"),
        ("llmos.toml", "path-guarded"),
        ("agents/poet.md", "path-guarded"),
        (".env", "path-secret"),
        ("/dev/sda", "path-device"),
        ("/proc/sys/kernel/panic", "path-device"),
        (".git/hooks/pre-commit", "path-persistence"),
        ("~/.ssh/authorized_keys", "path-secret"),
    ],
)
def test_writing_elsewhere_is_denied(path: str, rule: str, workspace: Path) -> None:
    verdict = check_path(path, "write", workspace=workspace)
    assert (verdict.decision, verdict.rule) == ("deny", rule)


@pytest.mark.parametrize("mode", ["read", "write"])
def test_links_that_lead_out_are_denied(mode: str, workspace: Path, tmp_path: Path) -> None:
    (workspace / "link").symlink_to(tmp_path)
    (workspace / "file").symlink_to("/etc/hosts")
    for path in ("link/a.txt", "file", "link/../outside.txt"):
        assert check_path(path, mode, workspace=workspace).decision == "deny"  # type: ignore[arg-type]


def test_a_link_onto_a_guarded_file_is_denied(workspace: Path) -> None:
    (workspace / "settings.txt").symlink_to(workspace / "llmos.toml")
    assert check_path("settings.txt", "write", workspace=workspace).rule == "path-guarded"


@pytest.mark.parametrize(
    "path",
    ["~/.ssh/id_rsa", "~/.aws/credentials", ".env", ".env.local", "server.pem", "x/id_ed25519", "/etc/shadow", "~/.netrc",
     "~/.claude/x.json", "~/.config/gh/hosts.yml", "/proc/self/environ", "~/.config/google-chrome/Default/Login Data"],
)  # fmt: skip
def test_secrets_are_not_read(path: str, workspace: Path) -> None:
    assert check_path(path, "read", workspace=workspace).rule == "path-secret"


@pytest.mark.parametrize(
    "path", ["/etc/hosts", "../other/data.csv", ".env.example", "~/.ssh/id_rsa.pub", "agents/poet.md"]
)
def test_other_files_may_be_read_anywhere(path: str, workspace: Path) -> None:
    assert check_path(path, "read", workspace=workspace).decision == "allow"


def test_readable_folders_are_exempt(workspace: Path, tmp_path: Path) -> None:
    certificates = tmp_path / "certificates"
    path = certificates / "root.pem"
    assert check_path(path, "read", workspace=workspace).decision == "deny"
    assert check_path(path, "read", workspace=workspace, readable=[certificates]).decision == "allow"
    assert check_path(path, "write", workspace=workspace, readable=[certificates]).decision == "deny"


def test_the_notebooks_folder_and_roots_are_writable(workspace: Path, tmp_path: Path) -> None:
    beside = tmp_path / "notebooks"
    assert check_path(beside / "a.csv", "write", workspace=workspace).decision == "deny"
    assert check_path("a.csv", "write", workspace=workspace, cwd=beside).decision == "allow"
    assert check_path(beside / "a.csv", "write", workspace=workspace, roots=[beside]).decision == "allow"


@pytest.mark.parametrize("wide", ["/", "/etc", "~"])
def test_a_folder_that_is_too_wide_is_not_writable(wide: str, workspace: Path) -> None:
    folder = Path(wide).expanduser()
    assert check_path("some-new-file", "write", workspace=workspace, cwd=folder).decision == "deny"


def test_an_unknown_mode_is_denied(workspace: Path) -> None:
    assert check_path("a", "append", workspace=workspace).rule == "guard-error"  # type: ignore[arg-type]


@pytest.mark.parametrize("mode", ["read", "write"])
@pytest.mark.parametrize(
    "name",
    ["data.csv", "id_rsa", "memory/a.md", "new/data.csv", "data.csv/x", "inside.csv", "secret.csv", "away", "away/x.csv",
     "projects/secret.csv", "loop", "loop/x", "away/../data.csv", "./secret.csv", "projects//secret.csv", "projects/", ".",
     "gone", ".env", "dev/null"],
)  # fmt: skip
def test_a_name_below_the_folder_is_judged_as_the_place_that_it_leads_to(
    name: str, mode: Mode, workspace: Path, tmp_path: Path
) -> None:
    (workspace / "data.csv").write_text("x")
    (workspace / "id_rsa").write_text("x")
    outside = tmp_path / "outside"
    outside.mkdir()
    (workspace / "dev").symlink_to("/dev")
    (workspace / "inside.csv").symlink_to("data.csv")
    (workspace / "secret.csv").symlink_to("id_rsa")
    (workspace / "projects" / "secret.csv").symlink_to(workspace / "id_rsa")
    (workspace / "away").symlink_to(outside)
    (workspace / "loop").symlink_to("loop")
    (workspace / "gone").symlink_to(outside / "not there")
    absolute = check_path(f"{workspace}/{name}", mode, workspace=workspace, cwd=workspace)
    for folder in (workspace, None):
        found = check_path(name, mode, workspace=workspace, cwd=folder)
        assert (found.decision, found.rule) == (absolute.decision, absolute.rule)
    assert absolute.rule != "guard-error"


def test_a_relative_folder_starts_at_the_workspace(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (workspace / "projects" / "kept.csv").symlink_to(workspace / ".env")
    (workspace / "kept.csv").write_text("x")
    monkeypatch.chdir(workspace.parent)
    assert check_path("kept.csv", "read", workspace=workspace, cwd="projects").rule == "path-secret"
    assert check_path("kept.csv", "read", workspace="workspace", cwd="workspace").decision == "allow"
    assert check_path("kept.csv", "read", workspace=workspace, cwd=workspace).decision == "allow"
