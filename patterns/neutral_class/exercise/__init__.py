"""The exercise of the neutral class pattern."""
