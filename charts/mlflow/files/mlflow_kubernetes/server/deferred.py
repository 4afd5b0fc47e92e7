"""Libraries that few calls need are imported at their first use, to keep the server small."""

import importlib
import importlib.metadata
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

# Modules, and their classes that MLflow names while it is imported, for annotations and `isinstance`.
MODULES = {
    "pandas": ("DataFrame", "Series"),
    "pyarrow.fs": ("FileSelector", "FileType", "HadoopFileSystem"),
    "scipy.sparse": ("csc_matrix", "csr_matrix"),
}
_LOCK = threading.RLock()


@contextmanager
def deferred_imports(tested: set[str]) -> Iterator[None]:
    """Defer the import of these libraries while MLflow is imported.

    Args:
        tested: The versions of MLflow with which this is tested. Others import everything at once.
    """
    wanted = (os.environ.get("MLFLOW_KUBERNETES_DEFER_IMPORTS") or "true") == "true"
    if not wanted or importlib.metadata.version("mlflow") not in tested:
        yield
        return
    modules = [Deferred(spec, MODULES[spec.name]) for spec in map(_find, MODULES) if spec]
    sys.modules.update({each.__name__: each for each in modules})
    sys.meta_path.insert(0, Submodules())
    yield
    for each in modules:
        each.stand_ins.clear()


def _find(name: str) -> ModuleSpec | None:
    """Find a module without importing its package. None if it is imported or not installed."""
    parent = name.rpartition(".")[0]
    above = PathFinder.find_spec(parent) if parent else None
    if name in sys.modules or (parent and above is None):
        return None
    return PathFinder.find_spec(name, above.submodule_search_locations if above else None)


class Deferred(ModuleType):
    """Stands in `sys.modules` for a module that is imported at the first use of one of its names."""

    real: ModuleType | None
    stand_ins: dict[str, "StandIn"]

    def __init__(self, spec: ModuleSpec, classes: tuple[str, ...]) -> None:
        super().__init__(spec.name)
        self.__spec__, self.__loader__, self.__file__ = spec, spec.loader, spec.origin
        self.__package__, self.__path__ = spec.parent, spec.submodule_search_locations or []
        self.real = None
        self.stand_ins = {name: StandIn(name, (), {"module": self}) for name in classes}

    def __getattr__(self, name: str) -> Any:
        if self.real is None and name in self.stand_ins:
            return self.stand_ins[name]
        return getattr(self.load(), name)

    def load(self) -> ModuleType:
        """Import the module, which takes this one's place."""
        with _LOCK:
            if self.real is None:
                if sys.modules.get(self.__name__) is self:
                    del sys.modules[self.__name__]
                self.real = importlib.import_module(self.__name__)
            return self.real


class Submodules(MetaPathFinder):
    """Imports a deferred module before its submodules, as they expect."""

    def find_spec(self, name: str, _path: Any, _target: Any = None) -> ModuleSpec | None:
        """Return what leads to a submodule that was imported on the way. Others find all else."""
        parent = sys.modules.get(name.rpartition(".")[0])
        if not isinstance(parent, Deferred):
            return None
        parent.load()
        module = sys.modules.get(name)
        if module is None:
            return None
        # importlib takes the spec of a module that came meanwhile, and would run its own one again.
        module.__spec__ = ModuleSpec(name, Imported(module))
        return module.__spec__


class Imported(Loader):
    """Loads a module that is imported already."""

    def __init__(self, module: ModuleType) -> None:
        self.module, self.spec = module, module.__spec__

    def create_module(self, _spec: ModuleSpec) -> ModuleType:
        """Return the module."""
        return self.module

    def exec_module(self, module: ModuleType) -> None:
        """Do nothing."""
        module.__spec__ = self.spec


class StandIn(type):
    """A class of a deferred module. Nothing is its instance before the module is imported."""

    module: Deferred

    def __new__(cls, name: str, bases: tuple[type, ...], names: dict[str, Any]) -> Any:
        """Make a stand-in, or, below a class statement, a subclass of the real class."""
        if not bases:
            return super().__new__(cls, name, bases, names)
        real = tuple(each.real() if isinstance(each, StandIn) else each for each in bases)
        return type(real[0])(name, real, names)

    def real(cls) -> Any:
        """Return the class itself, and import it for that."""
        return getattr(cls.module.load(), cls.__name__)

    def __instancecheck__(cls, instance: Any) -> bool:
        return cls.module.real is not None and isinstance(instance, cls.real())

    def __subclasscheck__(cls, subclass: type) -> bool:
        return subclass is cls or (cls.module.real is not None and issubclass(subclass, cls.real()))

    def __call__(cls, *arguments: Any, **named: Any) -> Any:
        """Make an instance of the real class."""
        return cls.real()(*arguments, **named)

    def __getattr__(cls, name: str) -> Any:
        # Asked while an annotation is evaluated: typing looks for names of its own.
        if name.startswith("__") and cls.module.real is None:
            raise AttributeError(name)
        return getattr(cls.real(), name)
