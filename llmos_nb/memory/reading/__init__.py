"""Reading goals: which words say nothing, which decide, which say the same."""

from llmos_nb.memory.reading.compare import Beside, Comparison, Evidence, Tier, compare, slot_order, speaker_differs
from llmos_nb.memory.reading.lexicon import FILLERS, MARKS, OPPOSITES, RELATIONS
from llmos_nb.memory.reading.reading import Reading, class_of, read_goal
from llmos_nb.memory.reading.synonyms import OPERATIONS, SYNONYMS, stem
from llmos_nb.memory.reading.wordings import Lessons, Voice, features, lessons

__all__ = [
    "FILLERS",
    "MARKS",
    "OPERATIONS",
    "OPPOSITES",
    "RELATIONS",
    "SYNONYMS",
    "Beside",
    "Comparison",
    "Evidence",
    "Lessons",
    "Reading",
    "Tier",
    "Voice",
    "class_of",
    "compare",
    "features",
    "lessons",
    "read_goal",
    "slot_order",
    "speaker_differs",
    "stem",
]
