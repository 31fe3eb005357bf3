"""The exercise of the explainable predictions pattern."""
