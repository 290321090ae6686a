"""Lessons whose exercises say what is wrong with an answer, and a teacher's view of a class."""

from llmos_nb.teaching.checked import Checked
from llmos_nb.teaching.class_report import ClassReport, report
from llmos_nb.teaching.expect import Expecting
from llmos_nb.teaching.lesson import Exercise, Lesson, read_lesson

__all__ = ["Checked", "ClassReport", "Exercise", "Expecting", "Lesson", "read_lesson", "report"]
