"""`testbed images`: built once per content, safe under concurrency and crashes."""

import os
import re
import shutil
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from images.archive import Archive
from mlflowops.errors import OpsError
from testbed.archives import scratch_image

from cli.cli import Cli
from testbed import images, paths, tools
from testbed.images import client_config, recipes

TINY = '[images.tiny]\ntag = "7"\nargs = {}\n[rootfs]\nsuite = "bookworm"\ncommon = []\n[rootfs.packages]\n'
OWN_PIP = "[global]\nindex-url = https://one.example/simple\ncert = /etc/own.pem\n"


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An image of one file, in a folder and a cache of its own; the folder is returned."""
    folder = tmp_path / "images" / "tiny"
    folder.mkdir(parents=True)
    (folder.parent / "images.toml").write_text(TINY)
    (folder / "Dockerfile").write_text("FROM scratch\nARG VERSION\nLABEL v=${VERSION}\nCOPY hello /hello\n")
    (folder / "hello").write_text("one")
    monkeypatch.setenv("MLFLOWOPS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(recipes, "FOLDER", folder.parent)
    return folder


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of our images folder that can be changed."""
    folder = tmp_path / "images"
    shutil.copytree(recipes.FOLDER, folder)
    monkeypatch.setattr(recipes, "FOLDER", folder)
    return folder


def test_archives_of_one_binary_are_written_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two clusters that start at the same time write the same archive."""
    binary = tmp_path / "hello"
    binary.write_bytes(os.urandom(2**20))
    monkeypatch.setenv("MLFLOWOPS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(tools, "ensure", lambda _: binary)
    with ThreadPoolExecutor(8) as threads:
        made = set(threads.map(lambda _: scratch_image.archive("hello", "localhost/hello:1"), range(8)))
    assert len(made) == 1 and made.pop().stat().st_size > 2**20
    assert not list((tmp_path / "cache").rglob("*.partial"))


def test_our_image_has_what_upstreams_has_in_the_same_versions() -> None:
    """As far as it has it: what upstream's has and ours leaves out is in no version."""
    upstream, ours = (
        dict(
            re.findall(
                r"(?m)^([a-z0-9.-]+)==(\S+)", (recipes.FOLDER / name / "requirements.lock").read_text()
            )
        )
        for name in ("upstream", "mlflow")
    )
    assert {name: version for name, version in ours.items() if upstream.get(name, version) != version} == {}
    assert {"mlflow", "psycopg2-binary", "pymysql", "boto3", "azure-storage-blob", "azure-identity"} <= set(
        upstream
    )
    assert {"google-cloud-storage", "prometheus-flask-exporter", "pysftp"} <= set(upstream)


@pytest.mark.parametrize("lock", ["testbed/images/mlflow/requirements.lock", "requirements-dev.lock"])
def test_what_nothing_needs_is_not_locked(lock: str) -> None:
    """pysftp brings an SSH client, which a server with an S3, Azure or Google store never uses."""
    locked = set(re.findall(r"^([a-z0-9.-]+)==", (paths.REPO / lock).read_text(), re.MULTILINE))
    assert not locked & {"pysftp", "paramiko", "bcrypt", "pynacl", "invoke", "a2wsgi"}
    assert {"gunicorn", "httptools", "mlflow", "uvicorn", "uvloop"} <= locked


def test_what_our_server_imports_is_named_by_us() -> None:
    """Not by luck: mlflow has some of it only by extras."""
    wanted = (recipes.FOLDER / "mlflow" / "requirements.in").read_text().split()
    files = paths.REPO / "charts" / "mlflow" / "files"
    code = "\n".join(each.read_text() for each in files.rglob("*.py"))
    imported = set(re.findall(r"^\s*(?:from|import) (\w+)", code, re.MULTILINE))
    assert {"gunicorn", "httptools", "prometheus_client", "uvicorn"} <= imported
    for name in sorted(imported & {"gunicorn", "httptools", "prometheus_client", "uvicorn", "uvloop"}):
        assert name.replace("_", "-") in wanted, name


def log() -> Path:
    return paths.cache("images", "logs") / "tiny.log"


def digests() -> dict[str, str]:
    return {name: recipes.recipe(name).digest for name in recipes.names()}


def test_a_build_yields_an_archive_with_the_ref_and_the_content(tiny: Path) -> None:
    [image] = images.build(["tiny"])
    archive = Archive(image)
    assert image.ref == "localhost/tiny:7"
    assert archive.manifest["RepoTags"] == [image.ref]
    assert archive.config["Labels"]["v"] == "7"
    assert archive.read("hello") == b"one"


def test_the_second_build_does_nothing(tiny: Path) -> None:
    [first] = images.build(["tiny"])
    log().write_text("untouched")
    before = first.archive.stat().st_ino
    [second] = images.build(["tiny"])
    assert second == first
    assert second.archive.stat().st_ino == before
    assert log().read_text() == "untouched"


def test_what_only_tests_need_is_built_by_its_name_alone(tiny: Path) -> None:
    shutil.copytree(tiny, tiny.parent / "other")
    with (tiny.parent / "images.toml").open("a") as sink:
        sink.write('[extra.other]\ntag = "8"\nargs = {}\n')
    assert [image.ref for image in images.build()] == ["localhost/tiny:7"]
    assert [image.ref for image in images.build(["other"])] == ["localhost/other:8"]


def test_a_changed_file_makes_another_archive(tiny: Path) -> None:
    [first] = images.build(["tiny"])
    (tiny / "hello").write_text("two")
    [second] = images.build(["tiny"])
    assert second.archive != first.archive
    assert first.archive.exists(), "another checkout may need it"


def test_files_of_the_tree_are_an_input(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At their paths in the tree; what Python compiled from them is not."""
    monkeypatch.setattr(paths, "REPO", tmp_path / "tree")
    for name, text in {"LICENSE": "free", "code/a.py": "one", "code/__pycache__/a.pyc": "compiled"}.items():
        (tmp_path / "tree" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "tree" / name).write_text(text)
    (tiny.parent / "images.toml").write_text(TINY.replace("{}", '{}\nfiles = ["LICENSE", "code"]', 1))
    (tiny / "Dockerfile").write_text("FROM scratch\nCOPY . /\n")
    [first] = images.build(["tiny"])
    archive = Archive(first)
    names = {member.name for _, member in archive.members if member.isfile()}
    assert names == {"Dockerfile", "LICENSE", "code/a.py", "hello"}
    (tmp_path / "tree/code/__pycache__/a.pyc").write_text("compiled again")
    assert images.build(["tiny"]) == [first]
    (tmp_path / "tree/code/a.py").write_text("two")
    [second] = images.build(["tiny"])
    assert second != first and Archive(second).read("code/a.py") == b"two"


def test_a_failed_build_leaves_nothing_but_its_log(tiny: Path) -> None:
    (tiny / "Dockerfile").write_text("FROM scratch\nCOPY absent /absent\n")
    with pytest.raises(OpsError, match="absent"):
        images.build(["tiny"])
    left = [path.name for path in paths.cache("images").rglob("*") if path.is_file()]
    assert sorted(left) == ["tiny", "tiny.log"]  # the lock and the log
    assert str(paths.cache()) not in Path("/proc/self/mounts").read_text()


def test_what_a_crash_left_is_cleared_by_the_next_build(tiny: Path) -> None:
    work = paths.cache("images", "work") / "tiny"
    (work / "mounted").mkdir(parents=True)
    (work / "archive.tar").write_text("half")
    keep = tiny.parent / "keep"
    keep.mkdir()
    (keep / "precious").touch()
    subprocess.run(["mount", "--bind", keep, work / "mounted"], check=True)
    [image] = images.build(["tiny"])
    assert Archive(image).manifest["RepoTags"] == [image.ref]
    assert not work.exists()
    assert (keep / "precious").exists()


def test_two_builds_at_once_build_once(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []

    def make(archive: Path, *_: Path) -> None:
        made.append(archive)
        time.sleep(0.3)
        archive.write_text("built")

    item = recipes.recipe("tiny")
    builders = [threading.Thread(target=images._cached, args=(item, "tiny", make)) for _ in range(2)]
    for builder in builders:
        builder.start()
    for builder in builders:
        builder.join()
    assert len(made) == 1
    assert item.archive.read_text() == "built"


@pytest.mark.parametrize(
    ("file", "changed"),
    [
        ("mlflow/requirements.lock", {"mlflow", "client"}),
        ("mlflow/trim.sh", {"mlflow", "client"}),
        ("client/Dockerfile", {"client"}),
        ("postgres/entrypoint.sh", {"postgres"}),
        ("rootfs.sh", {"postgres", "seaweedfs", "mlflow", "client"}),
    ],
)
def test_an_input_changes_exactly_what_is_made_from_it(copied: Path, file: str, changed: set[str]) -> None:
    before = digests()
    with (copied / file).open("a") as sink:
        sink.write("\n# changed\n")
    after = digests()
    assert {name for name in before if before[name] != after[name]} == changed


def test_the_packages_of_a_base_are_an_input(copied: Path) -> None:
    before = digests()
    config = copied / "images.toml"
    config.write_text(config.read_text().replace('python = ["python3", ', 'python = ["python3", "nano", '))
    after = digests()
    assert {name for name in before if before[name] != after[name]} == {"mlflow", "client"}


def test_the_suite_of_a_base_is_an_input(copied: Path) -> None:
    """Without an entry in `suites`, a base has the suite of all others."""
    before = digests()
    config = copied / "images.toml"
    config.write_text(config.read_text().replace('python = "trixie"\n', ""))
    assert recipes.recipe("mlflow").args[0][1].suite == "bookworm"
    after = digests()
    assert {name for name in before if before[name] != after[name]} == {"mlflow", "client"}


def test_another_suite_comes_from_the_mirrors_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    form = "deb [signed-by=/k.gpg] http://{} {} main"
    places = [("m.example/debian", "bookworm"), ("m.example/debian", "bookworm-updates")]
    monkeypatch.setattr(client_config, "_sources", lambda: [form.format(*place) for place in places])
    own = client_config.debian_sources("bookworm").splitlines()
    assert own == [form.format(*place) for place in places]
    other = client_config.debian_sources("trixie").splitlines()
    assert other == [line.replace("bookworm", "trixie") for line in own]


def test_an_unknown_image_is_refused_in_words(testbed: Cli) -> None:
    answer = testbed("images", "build", "postgers")
    assert answer.code == 2
    known = "postgres, seaweedfs, mlflow, client, upstream, previous, patroni, mlflow-oidc, mlflow-kubernetes"
    assert f"there is no image 'postgers'; choose from {known}, mlflowops, openldap." in answer.err


def test_list_names_every_image(tiny: Path, testbed: Cli) -> None:
    archive = str(recipes.recipe("tiny").archive)
    unbuilt = {"name": "tiny", "ref": "localhost/tiny:7", "archive": archive, "built": False}
    assert testbed("images", "list", "--output", "json").data == [unbuilt]
    assert "not built" in testbed("images", "list").out
    assert testbed("images", "build").out.split() == ["localhost/tiny:7", archive]
    assert testbed("images", "list", "--output", "json").data == [unbuilt | {"built": True}]


def test_a_build_gets_pips_settings_but_no_path_of_this_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own.conf").write_text(
        "[global]\nindex-url = https://one.example/simple\ncert = /etc/own.pem\n"
    )
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "own.conf"))
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "https://two.example/simple")
    monkeypatch.setenv("PIP_FIND_LINKS", "/opt/wheels")
    written = {part.split(",src=")[0]: part.split(",src=")[1] for part in client_config.secrets(tmp_path)}
    pip = Path(written["--secret=id=pip_conf"]).read_text()
    assert "index-url = https://one.example/simple" in pip
    assert "extra-index-url = https://two.example/simple" in pip
    assert "own.pem" not in pip
    assert "/opt/wheels" not in pip


def test_a_base_is_fetched_with_the_settings_of_this_machines_apt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "apt.conf").write_text('Acquire::https::CAInfo "/own.pem";\nAPT::Periodic::Enable "1";\n')
    monkeypatch.setenv("APT_CONFIG", str(tmp_path / "apt.conf"))
    options = client_config.apt_options()
    assert '--aptopt=Acquire::https::CAInfo "/own.pem";' in options
    assert not [option for option in options if "Periodic" in option]
