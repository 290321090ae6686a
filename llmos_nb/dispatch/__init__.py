"""From a goal to its result: the decision, the runner of each mode, and what a person gets back."""
