#!/usr/bin/env python3
"""`helm diff upgrade` as helmfile calls it: what would an upgrade change?

The new objects are those of `helm upgrade --dry-run=server`, the old ones those of the last revision. They
are compared as data, so order and comments are no change. Values of Secrets are never printed. A revision
that is not `deployed` counts as a change, because it has to be applied again. An unknown flag is an error:
silently ignoring one would show the wrong difference.

Exit codes are helm-diff's: 0, or 2 for "changes" with --detailed-exitcode; anything else is a failure.
"""

import argparse
import difflib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any, NoReturn

import yaml

CHANGES, FAILURE = 2, 1
COLORS = {"+": "\033[32m", "-": "\033[31m", "@": "\033[36m"}
Objects = dict[str, dict[str, Any]]


class Parser(argparse.ArgumentParser):
    """argparse ends with 2 on wrong arguments, which helmfile would take for "changes"."""

    def error(self, message: str) -> NoReturn:
        """Exit with FAILURE."""
        self.exit(FAILURE, f"diff: {message}\n")


def arguments() -> argparse.Namespace:
    """Return the options, those of helm-diff that helmfile uses."""
    parser = Parser(prog="helm diff", allow_abbrev=False)
    parser.add_argument("command", choices=["upgrade"])
    parser.add_argument("release")
    parser.add_argument("chart")
    parser.add_argument(
        "--allow-unreleased", action="store_true", help="a release that is not there is all new"
    )
    parser.add_argument("--detailed-exitcode", action="store_true", help="exit 2 if there are changes")
    parser.add_argument("--include-tests", action="store_true", help="compare test hooks too")
    parser.add_argument("--context", type=int, default=3, help="lines around a change")
    parser.add_argument("-f", "--values", action="append", default=[])
    parser.add_argument("--set", action="append", default=[])
    parser.add_argument("--reset-values", action="store_true")
    parser.add_argument("--reuse-values", action="store_true")
    parser.add_argument("--kube-version", help="not needed: the server itself renders")
    return parser.parse_args()


def helm(*words: str) -> subprocess.CompletedProcess[str]:
    """Helm sets HELM_BIN, and namespace and context by environment, for its plugins."""
    return subprocess.run([os.environ.get("HELM_BIN", "helm"), *words], capture_output=True, text=True)


def deployed(release: str) -> dict[str, Any] | None:
    """The last revision, None if there is no such release."""
    done = helm("status", release, "--output", "json")
    if done.returncode == 0:
        return json.loads(done.stdout)
    if "release: not found" in done.stderr:
        return None
    sys.exit(f"diff: {done.stderr.strip()}")


def wanted(options: argparse.Namespace) -> dict[str, Any]:
    """What an upgrade would make, as the API server accepts it."""
    words = ["upgrade", options.release, options.chart, "--dry-run=server", "--output", "json"]
    words += ["--install"] if options.allow_unreleased else []
    words += ["--reset-values"] if options.reset_values else []
    words += ["--reuse-values"] if options.reuse_values else []
    words += [word for file in options.values for word in ("--values", file)]
    words += [word for value in options.set for word in ("--set", value)]
    done = helm(*words)
    if done.returncode:
        sys.exit(f"diff: {done.stderr.strip()}")
    return json.loads(done.stdout)


def objects(release: dict[str, Any] | None, include_tests: bool) -> Objects:
    """All objects of a release, under the names that helm-diff prints."""
    if release is None:
        return {}
    hooks = [hook for hook in release.get("hooks") or [] if include_tests or "test" not in hook["events"]]
    texts = [release["manifest"], *(hook["manifest"] for hook in hooks)]
    found = [item for text in texts for item in yaml.safe_load_all(text) if item]
    return {title(item, release["namespace"]): item for item in found}


def title(item: dict[str, Any], namespace: str) -> str:
    """Return the name of an object as helm-diff prints it."""
    group = item["apiVersion"].rpartition("/")[0]
    namespace = item["metadata"].get("namespace", namespace)
    return f"{namespace}, {item['metadata']['name']}, {item['kind']}" + (f" ({group})" if group else "")


def masked(item: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """A Secret without its values; one that differs from `other`'s only says so."""
    if item.get("kind") != "Secret":
        return item
    shown = dict(item)
    for field in {"data", "stringData"} & item.keys():
        theirs = other.get(field) or {}
        shown[field] = {
            key: "(masked)" if key not in theirs or theirs[key] == value else "(masked, another value)"
            for key, value in (item[field] or {}).items()
        }
    return shown


def lines(item: dict[str, Any]) -> list[str]:
    """Return the lines of an object as YAML."""
    return yaml.dump(item, Dumper=Readable, sort_keys=False, width=1000).splitlines() if item else []


class Readable(yaml.SafeDumper):
    """Files inside of a ConfigMap line by line, not as one escaped string."""


Readable.add_representer(
    str,
    lambda dumper, text: dumper.represent_scalar(
        "tag:yaml.org,2002:str", text, style="|" if "\n" in text else None
    ),
)


def difference(old: Objects, new: Objects, context: int) -> Iterator[str]:
    """Lines to print, nothing if old and new are equal."""
    for name in sorted(old.keys() | new.keys()):
        before, after = old.get(name, {}), new.get(name, {})
        if before == after:
            continue
        yield f"{name} has {'changed' if before and after else 'been added' if after else 'been removed'}:"
        shown, shown_after = lines(masked(before, {})), lines(masked(after, before))
        yield from list(difflib.unified_diff(shown, shown_after, lineterm="", n=context))[2:]


def main() -> int:
    """Print the difference, and return the exit code."""
    options = arguments()
    last = deployed(options.release)
    old = objects(last, options.include_tests)
    new = objects(wanted(options), options.include_tests)
    found = list(difference(old, new, options.context))
    if last and last["info"]["status"] != "deployed":
        found.append(f"revision {last['version']} is {last['info']['status']}: it will be applied again")
    color = os.environ.get("HELM_DIFF_COLOR") == "true"
    for line in found:
        print(f"{COLORS[line[0]]}{line}\033[0m" if color and line[0] in COLORS else line)
    return CHANGES if found and options.detailed_exitcode else 0


if __name__ == "__main__":
    sys.exit(main())
