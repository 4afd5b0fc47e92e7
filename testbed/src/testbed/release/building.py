"""The files of a release, in one folder."""

from pathlib import Path

from mlflowops.errors import OpsError

from testbed.release import chart, provenance, wheel, wheel_sbom
from testbed.release.commit import Source
from testbed.release.identity import sha256

SUMS = "SHA256SUMS"


def build(source: Source, folder: Path) -> None:
    """Build the chart, the wheel, the list of what is in it, the provenance, and checksums of them.

    Args:
        source: the commit.
        folder: the folder of this version; files of an earlier build must be the same.

    Raises:
        OpsError: an earlier build of this version had other files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with source.files() as files:
        made = files.parent / "made"
        made.mkdir()
        _make(source, files, made)
        _refuse_changes(made, folder)
        for file in made.iterdir():
            (folder / file.name).write_bytes(file.read_bytes())


def _make(source: Source, files: Path, folder: Path) -> None:
    chart.package(source, files, folder)
    built = wheel.build(source, files, folder)
    (folder / f"mlflowops-{source.version}.cdx.json").write_text(wheel_sbom.write(source, built))
    (folder / "provenance.json").write_text(provenance.predicate(source, files))
    made = sorted(file for file in folder.iterdir())
    (folder / SUMS).write_text("".join(f"{sha256(file)}  {file.name}\n" for file in made))


def _refuse_changes(made: Path, folder: Path) -> None:
    for file in sorted(made.iterdir()):
        before = folder / file.name
        if before.exists() and before.read_bytes() != file.read_bytes() and file.name != SUMS:
            instead = "raise version in Chart.yaml and pyproject.toml, or remove it if it was not published"
            raise OpsError(str(before), "this commit gives another file of that name", instead)
