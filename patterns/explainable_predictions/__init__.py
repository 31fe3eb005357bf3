"""Explainable predictions: show what each prediction rests on, and against what."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
