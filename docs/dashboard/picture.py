"""Draws the dashboard as a PNG, filled from a Prometheus, with Grafana's own panels: `make picture`."""

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import chromium
import requests
from mlflowops import console

from testbed import paths

HERE = Path(__file__).parent
DASHBOARD = paths.REPO / "charts/mlflow/monitoring/dashboard.json"
PICTURE = paths.REPO / "docs/images/dashboard.png"
WIDTH, MARGIN = 1600, 16
BEFORE = "2026-11-20"  # the newest day of which a package that Grafana's need may be
RATE = "2m"  # four times the chart's serviceMonitor.interval, as Grafana has it


def arguments() -> argparse.Namespace:
    """What to ask, and for when."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("prometheus", help="its address")
    parser.add_argument("--namespace", default="ml")
    parser.add_argument("--release", default="mlflow")
    parser.add_argument("--minutes", type=int, default=60, help="how far back")
    parser.add_argument("--output", type=Path, default=PICTURE)
    return parser.parse_args()


def ask(chosen: argparse.Namespace, query: str, **when: float) -> list[dict[str, Any]]:
    """What Prometheus answers to one query of the dashboard."""
    for word, value in {
        "$__rate_interval": RATE,
        "$namespace": chosen.namespace,
        "$job": chosen.release,
    }.items():
        query = query.replace(word, value)
    url = f"{chosen.prometheus}/api/v1/query_range"
    try:
        answer = requests.get(url, {"query": query, **when}, timeout=30).json()
    except requests.RequestException as error:
        raise SystemExit(f"picture: {url}: {error}; name a Prometheus that answers.") from error
    if answer["status"] != "success":
        raise SystemExit(f"picture: {query}: {answer['error']}; correct it in {DASHBOARD.name}.")
    series: list[dict[str, Any]] = answer["data"]["result"]
    return series


def drawing(chosen: argparse.Namespace) -> dict[str, Any]:
    """All that page.tsx has to know: answers by panel and query."""
    dashboard = json.loads(DASHBOARD.read_text())
    step = max(15, chosen.minutes * 60 // 500)
    end = time.time() // step * step
    start = end - chosen.minutes * 60
    queries = [(panel, target) for panel in dashboard["panels"] for target in panel.get("targets", [])]
    return {
        "dashboard": dashboard,
        "answers": {
            f"{panel['id']}{target['refId']}": ask(chosen, target["expr"], start=start, end=end, step=step)
            for panel, target in queries
        },
        "chosen": f"Namespace {chosen.namespace} · Release {chosen.release} · Last {chosen.minutes} minutes",
        **{"start": start, "end": end, "step": step, "width": WIDTH, "margin": MARGIN},
    }


def packages() -> Path:
    """Grafana's libraries and esbuild, in the cache; none of their scripts run."""
    wanted = (HERE / "package.json").read_text()
    folder = paths.cache("dashboard", hashlib.sha256(f"{wanted}{BEFORE}".encode()).hexdigest()[:10])
    if not (folder / "node_modules/.package-lock.json").exists():  # npm writes it last
        if not (shutil.which("npm") and shutil.which("node")):
            raise SystemExit("picture: Node.js, which draws it, is not there; install nodejs and npm.")
        (folder / "package.json").write_text(wanted)
        options = ["--ignore-scripts", f"--before={BEFORE}", "--no-audit", "--no-fund", "--no-package-lock"]
        with console.step("Grafana's panels from npm"):
            subprocess.run(["npm", "install", "--silent", *options], cwd=folder, check=True)
    return folder / "node_modules"


def page(folder: Path, drawn: dict[str, Any]) -> Path:
    """An HTML page that draws it."""
    modules = packages()
    options = ["--bundle", "--minify", "--jsx=automatic", "--log-level=error"]
    options += ["--loader:.woff2=dataurl", "--loader:.ttf=empty", f"--outfile={folder / 'page.js'}"]
    command = [modules / ".bin/esbuild", HERE / "page.tsx", *options]
    subprocess.run(command, env={**os.environ, "NODE_PATH": str(modules)}, check=True)
    (folder / "public").mkdir()
    (folder / "public/build").symlink_to(
        modules / "@grafana/ui/dist/public"
    )  # where its icons are looked for
    data = json.dumps(drawn).replace("<", "\\u003c")
    (folder / "page.html").write_text(
        "<!doctype html><meta charset=utf-8><link rel=stylesheet href=page.css>"
        f"<body><div id=page></div><script>const drawing = {data}</script><script src=page.js></script>"
    )
    return folder / "page.html"


def screenshot(html: Path) -> bytes:
    """Return all of the page as PNG, once its panels are there."""
    with chromium.browser(WIDTH + 2 * MARGIN, 1000) as driver:
        drawn = chromium.photograph(
            driver, html.as_uri(), lambda it: it.find_elements("tag name", "canvas"), "no graph is drawn"
        )
    return chromium.small(drawn)


def main() -> None:
    """Ask, draw, photograph."""
    chosen = arguments()
    drawn = drawing(chosen)
    with tempfile.TemporaryDirectory() as folder:
        chosen.output.write_bytes(screenshot(page(Path(folder), drawn)))
    empty = [query for query, series in drawn["answers"].items() if not series]
    print(f"{chosen.output}; queries without data, by panel: {', '.join(empty) or 'none'}")


if __name__ == "__main__":
    main()
