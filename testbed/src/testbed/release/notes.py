"""The notes of a release: what has changed, and how to verify what was published."""

import shlex
from pathlib import Path

from testbed.release.building import SUMS
from testbed.release.commit import Source
from testbed.release.registry import NEAR, Registry
from testbed.release.released_images import ReleasedImage
from testbed.release.signer import PUBLIC_KEY, Signer

NOTES = """{changes}

## Install

```bash
helm install mlflow oci://{chart} --version {version}{plain} --namespace ml --create-namespace
```

## Verify

With [cosign](https://docs.sigstore.dev) 3, beside the files of this release:

```bash
{commands}
```
"""


def write(source: Source, where: Registry, signer: Signer, images: list[ReleasedImage]) -> str:
    """Write the notes.

    Args:
        source: the commit; its section of CHANGELOG.md comes first.
        where: the registry that has the release.
        signer: who has signed it.
        images: what was published beside the chart.

    Returns:
        Markdown. Its commands end with an error if something is not what was published.
    """
    trust = shlex.join(signer.trust(Path(PUBLIC_KEY) if signer.key else None))
    chart = f"{where.chart}:{source.version}"
    commands = [
        f"cosign verify-blob {trust} --bundle {SUMS}.sigstore.json {SUMS}",
        f"sha256sum --check --ignore-missing {SUMS}",
        f"cosign verify {trust} {chart}",
        f"cosign verify-attestation {trust} --type slsaprovenance1 {chart}",
    ]
    for name, tag in sorted({(image.name, image.tag) for image in images}):
        commands.append(f"cosign verify {trust} {where.image(name)}:{tag}")
    for image in images:
        reference = f"{where.image(image.name)}:{image.tag}-{image.architecture}"
        commands.append(f"cosign verify-attestation {trust} --type cyclonedx {reference}")
    return NOTES.format(
        changes=source.changes,
        chart=where.chart,
        version=source.version,
        plain=" --plain-http" if NEAR.match(f"{where.address}/") else "",
        commands="\n".join(commands),
    )
