"""The exercise of TITLE."""
