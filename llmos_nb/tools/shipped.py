"""The folders of traces that installed packs bring along."""

from __future__ import annotations

from pathlib import Path

from llmos_nb.tools.packs import packs

__all__ = ["trace_folders"]


def trace_folders() -> list[Path]:
    """One folder for each installed pack that has traces, in the order of the packs."""
    folders = [pack.folder / "traces" for pack in packs() if pack.folder is not None]
    return [folder for folder in folders if folder.is_dir()]
