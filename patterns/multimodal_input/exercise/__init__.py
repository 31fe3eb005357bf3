"""The exercise of the multimodal input pattern."""
