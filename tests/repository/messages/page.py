"""The page docs/messages.md."""

from mlflowops.paths import REPO

from repository.messages import programs, templates
from repository.messages.message import Message

PAGE = REPO / "docs/messages.md"
CHART = REPO / "charts/mlflow"
HEAD = """# Messages

Every sentence that ends an installation, a pod or a command: what is wrong, and what to do. Words in
*italics* stand for what changes. Generated from the sources by `python -m repository.messages`, in `tests/`.
"""
VALUES = """
## Values

`helm`, `helmfile` and Argo CD print `mlflow: <key>: <what is wrong>; <what to set instead>.` and change
nothing in the cluster. All wrong values are named at once.

"""
PODS = """
## Pods

The last line of a container that ended: `mlflow: <program>: <what is wrong>; <what to do>.`
`kubectl logs -n ml <pod> -c <container> --previous` shows it. An error of another program, such as
PostgreSQL or the object store, is printed in the lines before it.

"""
COMMAND = """
## mlflowops

`mlflowops: <what>: <what is wrong>; <what to do>.`, with exit code 2 for wrong input or something that is
missing, and 1 for a check that failed.

"""


def table(first: str, messages: list[Message]) -> str:
    """A row for each message."""
    rows = [f"| {first} | what is wrong | what to do |", "|---|---|---|"]
    return "\n".join([*rows, *(message.row() for message in messages)]) + "\n"


def page() -> str:
    """All of it."""
    return "".join(
        [
            HEAD,
            VALUES,
            table("key", templates.of_chart(CHART)),
            PODS,
            table("program", programs.of_pods(CHART / "files/mlflow_kubernetes")),
            COMMAND,
            table("about", programs.of_command(REPO / "scripts/mlflowops")),
        ]
    )
