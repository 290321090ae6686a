"""``python -m llmos_nb`` is ``llmos-nb``."""

import sys

from llmos_nb.terminal import main

sys.exit(main())
