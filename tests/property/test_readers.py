"""Whatever a text holds, reading it ends in what it says or in the reader's own error, which tells what to do.

A small part of ``python -m tests.bench fuzz``, which reads 10,000 texts each and looks at the time.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))  # the bench reads with the same readers
from readers import READERS, damaged


@pytest.mark.parametrize("name", READERS)
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_damaged_text_is_read_or_refused(name: str, data: st.DataObject) -> None:
    reader = READERS[name]
    try:
        reader.read(data.draw(damaged(reader.documents)))
    except reader.errors as error:
        assert error.remedy  # type: ignore[attr-defined]
