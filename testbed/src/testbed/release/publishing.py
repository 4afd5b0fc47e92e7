"""Bringing a release into a registry. What exists in it is never replaced."""

from pathlib import Path

from mlflowops import console
from mlflowops.errors import OpsError

from testbed.images import recipes
from testbed.images.recipes import LABEL
from testbed.release import notes, registry, released_images
from testbed.release.building import SUMS
from testbed.release.commit import Source
from testbed.release.identity import sha256
from testbed.release.registry import Registry
from testbed.release.released_images import ReleasedImage
from testbed.release.signer import PUBLIC_KEY, Signer


def publish(source: Source, folder: Path, where: Registry, signer: Signer) -> None:
    """Push the chart and the images, sign and attest them and the files, and write the notes.

    Args:
        source: the commit.
        folder: what `building.build` made of it.
        where: the registry.
        signer: signs.

    Raises:
        OpsError: the registry has other content under this version. Nothing is pushed then.
    """
    chart = folder / f"mlflow-{source.version}.tgz"
    found = released_images.found(source, folder / "images")
    _check_chart(chart, f"{where.chart}:{source.version}")
    for image in found:
        _check_image(image, where)
    with console.step(f"chart {where.chart}:{source.version}"):
        _publish_chart(chart, source, where, signer, folder / "provenance.json")
    for name in sorted({image.name for image in found}):
        with console.step(f"image {where.image(name)}"):
            same = [image for image in found if image.name == name]
            _publish_image(same, where, signer, folder / "provenance.json")
    with console.step(f"signatures of the files in {folder}"):
        _sign_files(folder, signer)
    (folder / "notes.md").write_text(notes.write(source, where, signer, found))


def _check_chart(chart: Path, reference: str) -> None:
    if registry.digest(reference):
        layers = [layer["digest"] for layer in registry.manifest(reference)["layers"]]
        if layers[0] != f"sha256:{sha256(chart)}":
            raise _other(reference, "chart")


def _check_image(image: ReleasedImage, where: Registry) -> None:
    """An image is the same if it was made from the same recipe; its bytes differ from machine to machine."""
    reference = _reference(image, where)
    if registry.digest(reference):
        labels = registry.config(reference)["config"].get("Labels") or {}
        if labels.get(LABEL) != recipes.recipe(image.name).digest:
            raise _other(reference, "image")


def _other(reference: str, what: str) -> OpsError:
    instead = "raise version in Chart.yaml and pyproject.toml; what is published never changes"
    return OpsError(reference, f"the registry has another {what} under this version", instead)


def _publish_chart(chart: Path, source: Source, where: Registry, signer: Signer, made_by: Path) -> None:
    reference = f"{where.chart}:{source.version}"
    if not registry.digest(reference):
        where.push_chart(chart)
    _sign(f"{where.chart}@{registry.digest(reference)}", signer)
    _attest(f"{where.chart}@{registry.digest(reference)}", made_by, "slsaprovenance1", signer)


def _publish_image(parts: list[ReleasedImage], where: Registry, signer: Signer, made_by: Path) -> None:
    """Push the image of each processor type, then the tag that means all of them."""
    repository, together = where.image(parts[0].name), f"{where.image(parts[0].name)}:{parts[0].tag}"
    for part in parts:
        if not registry.digest(_reference(part, where)):
            registry.push(part.archive, _reference(part, where))
    digests = [f"{repository}@{registry.digest(_reference(part, where))}" for part in parts]
    _join(digests, together)
    whole = f"{repository}@{registry.digest(together)}"
    for part, reference in zip(parts, digests, strict=True):
        _attest(reference, part.sbom, "cyclonedx", signer)
    for reference in (*digests, whole):
        _attest(reference, made_by, "slsaprovenance1", signer)
        _sign(reference, signer)


def _join(digests: list[str], together: str) -> None:
    if not registry.digest(together):
        registry.join(digests, together)
    listed = {each["digest"] for each in registry.manifest(together)["manifests"]}
    if listed != {digest.rpartition("@")[2] for digest in digests}:
        raise _other(together, "set of processor types")


def _reference(image: ReleasedImage, where: Registry) -> str:
    return f"{where.image(image.name)}:{image.tag}-{image.architecture}"


def _sign(reference: str, signer: Signer) -> None:
    if not signer.has_signed(reference):
        signer.sign(reference)


def _attest(reference: str, predicate: Path, kind: str, signer: Signer) -> None:
    if not signer.has_attested(reference, kind):
        signer.attest(reference, predicate, kind)


def _sign_files(folder: Path, signer: Signer) -> None:
    """Sign the checksums, and state how chart and wheel were made."""
    if signer.public_key:
        (folder / PUBLIC_KEY).write_bytes(signer.public_key.read_bytes())
    bundle = folder / f"{SUMS}.sigstore.json"
    if not signer.has_signed_file(folder / SUMS, bundle):
        signer.sign_file(folder / SUMS, bundle)
    for file in sorted([*folder.glob("*.tgz"), *folder.glob("*.whl")]):
        statement = folder / f"{file.name}.provenance.sigstore.json"
        if not statement.exists():
            signer.attest_file(file, folder / "provenance.json", "slsaprovenance1", statement)
