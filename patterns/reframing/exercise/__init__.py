"""The exercise of the reframing pattern."""
