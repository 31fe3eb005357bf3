"""Stateless serving function: answers depend on the request and the artifact alone."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
