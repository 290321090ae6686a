"""Figures, printed as tables: ``python -m tests.bench``. Ratios and medians of one run; nothing here can fail a build."""
