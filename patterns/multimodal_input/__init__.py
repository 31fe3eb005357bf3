"""Multimodal input: encode each kind of input in its own way, and join them in one model."""

import lazy_loader

# Not lazily: Keras loads a saved model only if the layer in it was registered, by its import.
from .pattern import ModalityDropout as ModalityDropout

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
