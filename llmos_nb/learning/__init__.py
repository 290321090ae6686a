"""From what an agent did to what can be done again: recording, verified replay, guidance."""
