"""Data sets, their schemas and their splits.

``load_*`` reads real data bundled with the package, ``make_*`` draws synthetic data whose true
distribution is known. Each returns a :class:`Dataset`. Where the data come from, under which
license and with which flaws is written in ``SOURCES.md``.
"""

import lazy_loader

# Each name's module is imported when the name is first used: a program that only makes rain does
# not pay for reading Parquet. The names stand in __init__.pyi, where type checkers find them too.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
