"""Starts the arm's process from this file, wherever the package lies: no variable of the surroundings says where it is."""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[3]))  # before all else, so that it is this package and no other
    from llmos_nb.domains.robotics.server import main

    main()
