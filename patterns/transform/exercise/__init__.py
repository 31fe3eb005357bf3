"""The exercise of the transform pattern."""
