"""The command line and the output of the chart's program `query` (files/mlflow_kubernetes/query)."""

PROGRAM = ("python", "/opt/mlflow-kubernetes/mlflow_kubernetes", "query")
PREFIX = "answer "


def command(question: str, *arguments: str) -> list[str]:
    """Return the command to run in a container that has the program."""
    return [*PROGRAM, question, *arguments]


def answer(printed: str) -> str:
    """Return the answer, which is JSON, from the output of the program; all output if there is none."""
    found = [line.removeprefix(PREFIX) for line in printed.splitlines() if line.startswith(PREFIX)]
    return found[-1] if found else printed
