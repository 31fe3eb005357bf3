"""The exercise of the batch serving pattern."""
