from .pattern import shrunken_means as shrunken_means
