"""A CI job of its own process, for the race in test_promotion_race.py.

python race.py MODEL VERSION... : wait for a line on stdin, promote each version, print one report per line
"""

import json
import sys

from mlflow import MlflowClient
from mlflowops.promote import run
from mlflowops.promotion.policy import Policy


def main(address: str, model: str, versions: list[str]) -> None:
    """Promote each version if it is better than the champion of that moment."""
    client = MlflowClient(address, registry_uri=address)
    print("ready", flush=True)
    sys.stdin.readline()
    for version in versions:
        report = run(client, model, version, Policy(improve={"score": 0.5}), wait=300, dry_run=False)
        print(json.dumps(report), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
