"""Questions to a pod, which the chart's program `query` answers (files/mlflow_kubernetes/query)."""

PROGRAM = ("python", "/opt/mlflow-kubernetes/mlflow_kubernetes", "query")
PREFIX = "answer "


def command(question: str, *arguments: str) -> list[str]:
    """Return the command to run in a container that has the program."""
    return [*PROGRAM, question, *arguments]


def answer(printed: str) -> str:
    """Return the answer, which is JSON, from what the program printed; all of that if there is none."""
    found = [line.removeprefix(PREFIX) for line in printed.splitlines() if line.startswith(PREFIX)]
    return found[-1] if found else printed
