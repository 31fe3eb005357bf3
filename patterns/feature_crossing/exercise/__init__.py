"""The exercise of the feature cross pattern."""
