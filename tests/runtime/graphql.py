"""Queries of GraphQL by which an account asks for what another one keeps."""

from typing import Any

from runtime.belongings import MARK, Keeper


def check(anna: Keeper, bert: Keeper) -> None:
    """Ask for bert's things beside anna's own, and by filters that name her own: only bert finds them."""
    found = {"bert": 0, "anna": 0}
    for query in queries(anna.ids):
        for keeper in (anna, bert):
            body = {"query": query, "operationName": None, "variables": {}}
            text = keeper.send("POST", "/graphql", json=body).text
            assert keeper is bert or MARK not in text, (query, text)
            found["bert"] += keeper is bert and MARK in text
            found["anna"] += keeper is anna and "annas" in text
    assert found["bert"] and found["anna"], found


def queries(ids: dict[str, Any]) -> list[str]:
    """For runs, data sets and versions of models."""
    experiments = ", ".join(f'"{ids[f"{name}-experiment-id"]}"' for name in ("annas", "berts"))
    runs = ", ".join(f"'{ids[f'{name}-run']}'" for name in ("annas", "berts"))
    filters = ["source_path != \\\"name='annas-model'\\\"", f"run_id IN ({runs})", "name = 'annas-model'"]
    versions = "modelVersions {name description source tags {key value}}"
    given = f"(input: {{experimentIds: [{experiments}]}})"
    return [
        f"{{mlflowSearchRuns{given} {{runs {{info {{runName}} data {{params {{value}}}}}}}}}}",
        f"mutation {{mlflowSearchDatasets{given} {{datasetSummaries {{name}}}}}}",
        f"{{mlflowSearchDatasets{given} {{datasetSummaries {{name}}}}}}",
        *(f'{{mlflowSearchModelVersions(input: {{filter: "{each}"}}) {{{versions}}}}}' for each in filters),
    ]
