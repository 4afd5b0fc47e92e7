"""Builds images without a container engine: mmdebstrap creates the base, buildah runs the Dockerfile."""

import shutil
from pathlib import Path

from mlflowops import shell

from testbed import tools
from testbed.images import client_config
from testbed.images.recipes import FOLDER, LABEL, Recipe, Rootfs

MERGED_USR = "/usr/share/mmdebstrap/hooks/merged-usr"


def make_rootfs(rootfs: Rootfs, archive: Path, work: Path, log: Path) -> None:
    """Unpack Debian packages into a root file system and pack it as a tar file."""
    mmdebstrap = tools.ensure("mmdebstrap")
    sources = work / "sources.list"
    sources.write_text(client_config.debian_sources(rootfs.suite))
    root = work / "root"
    options = ["--mode=root", "--variant=extract", "--format=directory", f"--hook-dir={MERGED_USR}"]
    options += [f'--extract-hook={FOLDER / "package-list.sh"} "$1"', *client_config.apt_options()]
    include = f"--include={','.join(rootfs.packages)}"
    shell.run([mmdebstrap, *options, include, rootfs.suite, root, sources], log=log)
    shell.run([FOLDER / "rootfs.sh", root], log=log)
    shell.run(["tar", "--create", "--file", archive, "--directory", root, "--numeric-owner", "."], log=log)


def build(image: Recipe, archive: Path, work: Path, log: Path) -> None:
    """Build an image and save it to `archive`. The archives of its bases must be there."""
    buildah = _buildah(work)
    options = ["--isolation=chroot", "--network=host", "--pull-never", "--format=docker"]
    options += [f"--build-arg=VERSION={image.tag}", f"--label={LABEL}={image.digest}"]
    options += client_config.secrets(work)
    for arg, base in image.args:
        _provide(buildah, base, work, log)
        options.append(f"--build-arg={arg}={base.ref}")
    # Straight into a docker archive: uncompressed layers and the full name, as every loader wants it.
    options.append(f"--tag=docker-archive:{archive}:{image.ref}")
    shell.run([*buildah, "bud", *options, image.context(work)], log=log)


def _provide(buildah: list[str], base: Recipe | Rootfs, work: Path, log: Path) -> None:
    if isinstance(base, Recipe):
        shell.run([*buildah, "pull", f"docker-archive:{base.archive}"], log=log)
        return
    dockerfile = work / f"{base.name}.Dockerfile"
    dockerfile.write_text(f'FROM scratch\nADD {base.archive.name} /\nCMD ["/bin/sh"]\n')
    options = ["--isolation=chroot", "--format=docker", f"--tag={base.ref}", f"--file={dockerfile}"]
    shell.run([*buildah, "bud", *options, base.archive.parent], log=log)


def _buildah(work: Path) -> list[str]:
    """buildah with a storage of its own, which goes with the build's folder: nothing stays on the machine."""
    buildah = [str(tools.ensure("buildah")), f"--root={work / 'storage'}", f"--runroot={work / 'run'}"]
    # overlay is several times faster, but not every file system can carry it.
    overlay = [*buildah, "--storage-driver=overlay"]
    works = shell.run([*overlay, "info"], check=False).returncode == 0
    return overlay if works else [*buildah, "--storage-driver=vfs"]


def remove(work: Path) -> None:
    """Remove a build's folder, also after a crash: mounts first, so that nothing behind them is touched."""
    mounts = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    for mount in reversed(mounts):
        if mount.startswith(f"{work}/"):
            shell.run(["umount", "--lazy", mount])
    shutil.rmtree(work, ignore_errors=True)
