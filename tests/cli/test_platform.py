"""The platform's definitions and its hook; tests/e2e/test_platform.py has the rest."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml
from mlflowops.errors import OpsError
from testbed.tools.manifests import GoManifests

from cli.cli import Cli
from testbed import platform_parts, tools

KINDS = {
    "gateway-api-crds": {
        "BackendTLSPolicy",
        "GRPCRoute",
        "Gateway",
        "GatewayClass",
        "HTTPRoute",
        "ListenerSet",
        "ReferenceGrant",
        "TLSRoute",
    },
    "cert-manager-crds": {"Certificate", "CertificateRequest", "ClusterIssuer", "Issuer"},
    "external-secrets-crds": {"ClusterSecretStore", "ExternalSecret", "GeneratorState", "SecretStore"},
    "prometheus-operator-crds": {"PodMonitor", "Probe", "Prometheus", "PrometheusRule", "ServiceMonitor"},
}


def manifests(name: str) -> GoManifests:
    found = tools.tool(name)
    assert isinstance(found, GoManifests)
    return found


@pytest.mark.parametrize("name", KINDS)
def test_what_is_defined(name: str) -> None:
    text = tools.ensure(name).read_text()
    assert "{{" not in text
    definitions = [each for each in yaml.load_all(text, yaml.CSafeLoader) if each]
    assert {each["kind"] for each in definitions} == {"CustomResourceDefinition"}
    assert {each["spec"]["names"]["kind"] for each in definitions} == KINDS[name]
    assert len(definitions) == len(KINDS[name]) == len(manifests(name).files)


def test_every_part_has_its_definitions() -> None:
    assert set(platform_parts.PARTS.values()) == KINDS.keys()


@pytest.mark.parametrize("program", ["cert-manager", "external-secrets", "prometheus-operator"])
def test_definitions_are_of_the_version_that_runs(program: str) -> None:
    assert manifests(f"{program}-crds").version == tools.tool(program).version


def test_the_gateway_api_is_the_one_that_traefik_is_built_with() -> None:
    built = subprocess.run(
        ["go", "version", "-m", tools.ensure("traefik")], check=True, text=True, capture_output=True
    )
    (version,) = re.findall(r"sigs\.k8s\.io/gateway-api\tv(\S+)", built.stdout)
    assert manifests("gateway-api-crds").version == version


def copy_of(name: str, **other: object) -> GoManifests:
    return GoManifests(**{**vars(manifests(name)), **other})  # type: ignore[arg-type]


def test_a_module_with_another_sum_is_refused(tmp_path: Path) -> None:
    forged = copy_of("gateway-api-crds", sum="h1:forged")
    with pytest.raises(OpsError, match=r"^mlflowops: gateway-api-crds .* not the one in tools.toml; .*\.$"):
        forged.make(tmp_path, tmp_path / "log")
    assert not list(tmp_path.iterdir())


def test_a_file_that_the_module_lacks_is_refused(tmp_path: Path) -> None:
    wrong = copy_of("gateway-api-crds", files=("config/crd/nothing.yaml",))
    with pytest.raises(
        OpsError, match=r"gateway-api has no file nothing\.yaml there; correct its `files`\.$"
    ):
        wrong.make(tmp_path, tmp_path / "log")
    assert not list(tmp_path.iterdir())


def test_an_unknown_part_is_refused(testbed: Cli) -> None:
    answer = testbed("platform", "prepare", "nginx")
    assert answer.code == 2
    assert answer.err == (
        "testbed: platform nginx: there is no such part; "
        "choose from traefik, cert-manager, external-secrets, monitoring."
    )


@pytest.mark.parametrize("command", ["diff", "template", "lint", "destroy"])
def test_a_command_that_makes_nothing_asks_no_cluster(
    testbed: Cli, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setenv("KUBECONFIG", "/nowhere")
    answer = testbed("platform", "prepare", "traefik", "--command", command)
    assert (answer.code, answer.out, answer.err) == (0, "", "")


def test_apply_needs_a_cluster(testbed: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", "/nowhere")
    answer = testbed("platform", "prepare", "traefik", "--command", "apply")
    assert answer.code == 2
    assert answer.err.startswith("testbed: kubeconfig: ")
