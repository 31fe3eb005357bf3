"""Multimodal input: encode each kind of input in its own way, and join them in one model."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
