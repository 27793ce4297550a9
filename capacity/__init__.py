"""Capacity planning for voice agents: how many concurrent-call licences we need, and when we run out.

``import capacity as cap`` costs about what ``import pandas`` costs: every name is loaded when it is first used.
The stub beside this file, ``__init__.pyi``, is the one list of public names and of the modules that hold them.
"""

import lazy_loader

__version__ = "0.2.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
__all__ = sorted(__all__)
