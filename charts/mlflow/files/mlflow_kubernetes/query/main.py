"""Answer one question of `mlflowops` about what the pod sees: a last line on stdout, `answer <JSON>`."""

import argparse
import importlib
import json
import sys

QUESTIONS = ("backups", "revision", "versioning", "volume")


def main() -> None:
    """Print the answer to the question that the first argument names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("question", choices=QUESTIONS)
    parser.add_argument("arguments", nargs="*", help="of the question")
    options = parser.parse_args()
    question = importlib.import_module(f"mlflow_kubernetes.query.{options.question}")
    # The prefix, since some versions of the Kubernetes client parse a log that is JSON alone.
    print("answer", json.dumps(question.answer(*options.arguments)), file=sys.__stdout__, flush=True)
