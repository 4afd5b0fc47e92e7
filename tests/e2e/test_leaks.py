"""No Secret is in any log. Tests' own namespaces are looked into as they end (conftest.py); here the rest."""

import secrets
from urllib.parse import quote

from e2e.kube import Kube
from e2e.leaks import look


def test_no_log_of_what_make_up_deploys_holds_a_secret(kube: Kube) -> None:
    for namespace in ("ml", "kube-system"):
        assert not look(kube, namespace).found


def test_the_look_knows_the_logs_and_the_secrets(kube: Kube) -> None:
    seen = look(kube, "ml")
    assert {"server/mlflow", "server/schema", "exporter/exporter"} <= seen.logs
    assert {"mlflow-postgres-secret/password", "mlflow-s3-secret/AWS_SECRET_ACCESS_KEY"} <= seen.secrets
    assert len(seen.secrets) >= 5


def test_a_leak_would_be_found(kube: Kube) -> None:
    """Unchanged, as it stands in a URL, and one that the Secret had before."""
    namespace, plain, url, old = "leaks", *(f"a word/{secrets.token_hex(8)}" for _ in range(3))
    kube.create_namespace(namespace)
    try:
        kube.secret(namespace, "told", {"old": old})
        kube.secret(namespace, "told", {"old": "another word", "plain": plain, "url": url})
        kube.run(namespace, "talker", ["echo", plain, quote(url, safe=""), old])
        assert look(kube, namespace).found == {
            f"talker/client: told/{key}" for key in ("old", "plain", "url")
        }
    finally:
        kube.delete_namespace(namespace)
