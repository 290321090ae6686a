"""A goal that is several goals: found by its structure, planned, shown, and run as a graph of goals."""

from llmos_nb.dispatch.orchestrator.plan import Node, Plan, Product

__all__ = ["Node", "Plan", "Product"]
