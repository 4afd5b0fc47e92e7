"""Passes the registry settings of this machine to a build as secrets, which are not part of a layer."""

import configparser
import os
from pathlib import Path

from mlflowops import shell
from mlflowops.errors import OpsError

PIP_FILES = ("/etc/pip.conf", "~/.pip/pip.conf", "~/.config/pip/pip.conf")
PIP_KEYS = ("index-url", "extra-index-url", "trusted-host", "proxy", "timeout", "retries")
APT_SECTIONS = ("Acquire::http", "Acquire::https", "Acquire::Check-Valid-Until", "Acquire::Check-Date")
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
CA_BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")


def secrets(folder: Path) -> list[str]:
    """Arguments for `docker build` and `buildah bud`; the files behind them are written to `folder`."""
    pip = folder / "pip.conf"
    pip.touch(mode=0o600)  # an index address may hold a password
    with pip.open("w") as sink:
        _pip().write(sink)
    known = {"pip_conf": pip, "ca_bundle": Path(os.environ.get("SSL_CERT_FILE") or CA_BUNDLE)}
    return [f"--secret=id={name},src={path}" for name, path in known.items() if path.exists()]


def _pip() -> configparser.RawConfigParser:
    """What pip would use here, from its files and its environment, without paths of this machine."""
    found = configparser.RawConfigParser()
    files = [*PIP_FILES, *filter(None, [os.environ.get("PIP_CONFIG_FILE")])]
    found.read([Path(name).expanduser() for name in files])
    wanted = configparser.RawConfigParser()
    wanted["global"] = {key: found["global"][key] for key in PIP_KEYS if found.has_option("global", key)}
    for key in PIP_KEYS:
        variable = f"PIP_{key.replace('-', '_').upper()}"
        if os.environ.get(variable):
            wanted["global"][key] = os.environ[variable]
    return wanted


def apt_options() -> list[str]:
    """Arguments for mmdebstrap: proxy, certificates and timeouts of this machine's apt."""
    dump = shell.run(["apt-config", "dump", "--no-empty", *APT_SECTIONS]).stdout
    return [f"--aptopt={line}" for line in dump.splitlines()]


def debian_sources(suite: str) -> str:
    """apt's sources for a Debian suite, from the mirrors of this machine, which may have another suite."""
    lines = _sources()
    if not lines:
        shell.run(["apt-get", "update"])
        lines = _sources()
    if not lines:
        raise OpsError(
            "images",
            "apt on this machine has no source for Debian",
            "run on Debian 12 or newer or start a container engine",
        )
    own = {line for line in lines if _suite(line) == suite}
    return "\n".join(sorted(own or {_with_suite(line, suite) for line in lines})) + "\n"


def _sources() -> list[str]:
    form = f"deb [signed-by={KEYRING}] $(REPO_URI) $(RELEASE) $(COMPONENT)"
    return shell.run(
        ["apt-get", "indextargets", "--format", form, "Created-By: Packages", "Origin: Debian"]
    ).stdout.splitlines()


def _suite(line: str) -> str:
    return line.split()[3].split("-", maxsplit=1)[0]


def _with_suite(line: str, suite: str) -> str:
    words = line.split()
    _, dash, pocket = words[3].partition("-")
    return " ".join([*words[:3], f"{suite}{dash}{pocket}", *words[4:]])
