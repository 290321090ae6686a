"""What an agent can do, the namespace it does it in, and the workbench that guards and notes every call."""
