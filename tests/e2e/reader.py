"""An account with exactly the rights of examples/health/reader.yaml."""

from pathlib import Path

import yaml

from e2e.up import run


def as_reader(namespace: str, kubeconfig: Path, folder: Path) -> Path:
    """A kubeconfig of the ServiceAccount, made as the file's first lines say."""
    run(f"kubectl apply -n {namespace} -f examples/health/reader.yaml", kubeconfig)
    token = run(f"kubectl create token mlflow-health -n {namespace}", kubeconfig).stdout.strip()
    config = yaml.safe_load(run("kubectl config view --raw --flatten", kubeconfig).stdout)
    config["users"][0]["user"] = {"token": token}
    (folder / "reader").write_text(yaml.safe_dump(config))
    return folder / "reader"
