"""The exercise of the stateless serving pattern."""
