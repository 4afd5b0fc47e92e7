"""Bring to the site what pages link to outside of docs/: the links need no address of a repository.

A Markdown file becomes a page, every other file a page with its text, and a folder a page with its list.
Below examples/ the files of a list are links, and so on the site too.
"""

import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

REPO = Path(__file__).resolve().parents[2]
DOCS = REPO / "docs"
LINK = re.compile(r"(?<=\]\()[^)#\s:]+(?=[)#])")
LANGUAGES = {".go", ".json", ".py", ".sh", ".toml", ".tsx", ".yaml", ".yml"}
# The folder that the links of a page start from.
folders: dict[str, Path] = {}


def source(path: Path) -> Path:
    """Return the README of a folder that has one, and else the path itself."""
    return path / "README.md" if (path / "README.md").exists() else path


def uri(path: Path) -> str:
    """Return the page of a file or a folder of the repository."""
    page = path / "README.md" if path.is_dir() else path
    if page.is_relative_to(DOCS):
        return page.relative_to(DOCS).as_posix()
    # MkDocs leaves out names that begin with a dot.
    name = f"files/{page.relative_to(REPO).as_posix()}".replace("/.", "/dot-")
    return name if page.suffix == ".md" else f"{name}.md"


def is_listed(path: Path) -> bool:
    """Whether a folder's page lists a path: not a hidden one, nor a binary file such as a packed chart."""
    if path.name.startswith((".", "__")):
        return False
    if path.is_file():
        try:
            path.read_text()
        except UnicodeDecodeError:
            return False
    return True


def text(path: Path) -> str:
    """Return the Markdown of a page."""
    if path.suffix == ".md":
        return path.read_text()
    title = f"# `{path.relative_to(REPO).as_posix()}`\n\n"
    if path.is_dir():
        names = sorted(each.name for each in path.iterdir() if is_listed(each))
        linked = path.is_relative_to(REPO / "examples")
        return title + "\n".join(f"- [{name}]({name})" if linked else f"- `{name}`" for name in names)
    language = path.suffix[1:] if path.suffix in LANGUAGES else "text"
    return f"{title}````{language}\n{path.read_text()}\n````\n"


def targets(path: Path) -> set[Path]:
    """Return what a page links to in the repository."""
    if path.suffix != ".md" and not path.is_dir():
        return set()
    folder = path if path.is_dir() else path.parent
    found = {(folder / link).resolve() for link in LINK.findall(text(path))}
    return {source(each) for each in found if each.exists() and each.is_relative_to(REPO)}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add a page for each file and folder that a page links to, and for what these link to."""
    queue = [Path(str(page.abs_src_path)) for page in files.documentation_pages()]
    seen = set(queue)
    while queue:
        for path in targets(queue.pop()) - seen:
            seen.add(path)
            if path.is_relative_to(DOCS):
                continue
            queue.append(path)
            files.append(File.generated(config, uri(path), content=text(path)))
            folders[uri(path)] = path if path.is_dir() else path.parent
    return files


def on_page_markdown(markdown: str, page: Page, **_: object) -> str:
    """Let the links of a page lead to pages of the site."""
    here = page.file.src_uri
    folder = folders.get(here) or Path(str(page.file.abs_src_path)).parent

    def moved(link: re.Match[str]) -> str:
        target = (folder / link[0]).resolve()
        known = target.exists() and target.is_relative_to(REPO)
        return posixpath.relpath(uri(target), posixpath.dirname(here) or ".") if known else link[0]

    return LINK.sub(moved, markdown)
