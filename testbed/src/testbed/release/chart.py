"""The packaged chart."""

import gzip
import io
import tarfile
from pathlib import Path

from mlflowops import shell

from testbed import tools
from testbed.release.commit import Source


def package(source: Source, files: Path, folder: Path) -> Path:
    """Package the chart of a commit. The same commit gives the same bytes.

    Args:
        source: the commit.
        files: the files of the commit.
        folder: where the archive goes.

    Returns:
        The archive.
    """
    shell.run([tools.ensure("helm"), "package", files / "charts/mlflow", "--destination", folder])
    archive = folder / f"mlflow-{source.version}.tgz"
    archive.write_bytes(_with_date(archive.read_bytes(), source.date))
    return archive


def _with_date(packaged: bytes, date: int) -> bytes:
    """Give each file of an archive one date: Helm writes when it packaged, or when a file was checked out."""
    sink = io.BytesIO()
    with (
        tarfile.open(fileobj=io.BytesIO(packaged), mode="r:gz") as old,
        gzip.GzipFile(fileobj=sink, mode="wb", mtime=0) as compressed,
        tarfile.open(fileobj=compressed, mode="w", format=tarfile.PAX_FORMAT) as new,
    ):
        for member in old:
            entry = tarfile.TarInfo(member.name)
            entry.size, entry.mode, entry.mtime = member.size, 0o644, date
            new.addfile(entry, old.extractfile(member))
    return sink.getvalue()
