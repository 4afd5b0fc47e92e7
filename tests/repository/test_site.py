"""The site of docs/: each page is in the navigation once, every link of the built pages leads to a file."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
import yaml
from mlflowops.paths import REPO

MKDOCS = [sys.executable, "-m", "mkdocs", "build"]
QUIET = {"NO_MKDOCS_2_WARNING": "1", "DISABLE_MKDOCS_2_WARNING": "true"}
REFERENCE = re.compile(r"""<(?:a|img|link|script)\b[^>]*?\s(?:href|src)=["']?([^"'\s>]+)""")


def mkdocs(*arguments: object, folder: Path = REPO) -> "subprocess.CompletedProcess[str]":
    command = [*MKDOCS, *map(str, arguments)]
    return subprocess.run(command, cwd=folder, env=os.environ | QUIET, capture_output=True, text=True)


def pages(entries: Any) -> Iterator[str]:
    """The pages of a navigation, in their order."""
    for entry in entries:
        if isinstance(entry, str):
            yield entry
            continue
        for below in entry.values():
            yield from pages([below] if isinstance(below, str) else below)


def navigation() -> list[dict[str, Any]]:
    """The sections of the site."""
    return list(yaml.load((REPO / "mkdocs.yml").read_text(), yaml.BaseLoader)["nav"])  # noqa: S506


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    done = mkdocs("--site-dir", folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WARNING" not in done.stderr
    return folder


def test_each_page_is_in_the_navigation_once() -> None:
    listed = list(pages(navigation()))
    assert sorted(set(listed)) == sorted(listed)
    written = {page.relative_to(REPO / "docs").as_posix() for page in (REPO / "docs").rglob("*.md")}
    assert {name for name in listed if not name.startswith("files/")} == written
    sections = [section for entry in navigation() for section in entry]
    assert sections == ["Home", "Install", "Operate", "Use", "Reference", "Decide"]


def test_every_reference_of_the_site_leads_to_a_file(site: Path) -> None:
    """Of all pages, also those of files outside docs/."""
    broken, seen = set(), 0
    for page in site.rglob("*.html"):
        if page.name == "404.html":
            continue
        for reference in REFERENCE.findall(page.read_text()):
            path = unquote(re.sub(r"[?#].*", "", reference))
            if not path or "://" in path or path.startswith(("data:", "mailto:")):
                continue
            seen += 1
            target = page.parent / path
            if not (target / "index.html" if path.endswith("/") or target.is_dir() else target).is_file():
                broken.add((str(page.relative_to(site)), reference))
    assert seen > 1000
    assert not broken


def test_files_outside_docs_are_pages(site: Path) -> None:
    values = (site / "files/charts/mlflow/index.html").read_text()
    assert "terminationGracePeriodSeconds" in values
    example = (site / "files/examples/values/rds-iam.yaml/index.html").read_text()
    assert "awsIam" in example
    assert "../files/examples/values/rds-iam.yaml/" in (site / "databases/index.html").read_text()


FAULTS = {
    "[a](no-such-page.md)": "'no-such-page.md', but the target is not found",
    "[a](#no-such-heading)": "'#no-such-heading', but there is no such anchor",
    "[a](../charts/no-such-file.yaml)": "'../charts/no-such-file.yaml', but the target",
}


def test_a_link_to_nothing_fails(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/index.md").write_text("# Page\n\n" + "\n\n".join(FAULTS))
    config = {"INHERIT": str(REPO / "mkdocs.yml"), "docs_dir": "docs", "nav": [{"Page": "index.md"}]}
    hooks = [str(REPO / "docs/hooks/repository_files.py")]
    (tmp_path / "mkdocs.yml").write_text(yaml.safe_dump({**config, "hooks": hooks}))
    done = mkdocs("--site-dir", tmp_path / "site", folder=tmp_path)
    assert done.returncode
    assert [finding for finding in FAULTS.values() if finding not in done.stderr] == []
