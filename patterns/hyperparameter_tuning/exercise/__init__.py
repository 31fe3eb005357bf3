"""The exercise of the hyperparameter tuning pattern."""
