"""What a release leaves in the repository: a tag, and the packaged chart that later versions upgrade from."""

from pathlib import Path

from mlflowops.errors import OpsError

from testbed.release.commit import RELEASED, Source, git
from testbed.release.identity import sha256

NEXT = """\
Now raise version in Chart.yaml and pyproject.toml, begin '## Unreleased' in CHANGELOG.md, commit that with
tests/e2e/released, and push with --tags."""


def keep(source: Source, folder: Path) -> None:
    """Tag a commit and copy its chart, unless that is done.

    Args:
        source: the commit.
        folder: what `building.build` made of it.

    Raises:
        OpsError: another chart of this version is kept.
    """
    kept = source.repository / RELEASED
    archive = folder / f"mlflow-{source.version}.tgz"
    copy = kept / archive.name
    if copy.exists() and copy.read_bytes() != archive.read_bytes():
        raise OpsError(str(copy), "another chart of this version was released", "raise version in Chart.yaml")
    kept.mkdir(parents=True, exist_ok=True)
    copy.write_bytes(archive.read_bytes())
    sums = [f"{sha256(each)}  {each.name}\n" for each in sorted(kept.glob("*.tgz"))]
    (kept / "SHA256SUMS").write_text("".join(sums))
    if not git(source.repository, "tag", "--list", source.tag):
        git(source.repository, "tag", "--annotate", source.tag, "--message", f"Chart mlflow {source.version}")
