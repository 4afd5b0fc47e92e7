"""The schema revisions that the installed MLflow knows, read from its scripts without importing it."""

import ast
import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Revisions:
    """All known revisions, and the newest of them."""

    known: frozenset[str]
    head: str

    @classmethod
    def installed(cls, migrations: str = "store/db_migrations", package: str = "mlflow") -> "Revisions":
        """Read them from a folder of an installed package; the default is MLflow's of runs and models."""
        spec = importlib.util.find_spec(package)
        if spec is None or not spec.submodule_search_locations:
            raise SystemExit("mlflow: schema: MLflow is not installed; use an image that has it.")
        return cls.of(Path(spec.submodule_search_locations[0], migrations, "versions"))

    @classmethod
    def of(cls, folder: Path) -> "Revisions":
        """Read them from a folder of Alembic scripts."""
        scripts = [dict(_constants(script)) for script in folder.glob("*.py")]
        known = {script["revision"] for script in scripts if "revision" in script}
        heads = known - {script.get("down_revision") for script in scripts}
        if len(heads) != 1:
            raise SystemExit(
                f"mlflow: schema: {folder} has {len(heads)} newest revisions; the image is broken."
            )
        return cls(frozenset(known), heads.pop())


def _constants(script: Path) -> Iterator[tuple[str, str]]:
    """The string constants at the top level of a script: `revision = "..."`."""
    for statement in ast.parse(script.read_bytes()).body:
        match statement:
            case ast.Assign([ast.Name(name)], ast.Constant(str(value))):
                yield name, value
            case ast.AnnAssign(ast.Name(name), _, ast.Constant(str(value))):
                yield name, value
