"""Validation finds what the API server would refuse or drop."""

import jsonschema
import pytest

from render.chart import NEWEST, Json
from render.kubernetes_schemas import validate

SERVICE: Json = {"apiVersion": "v1", "kind": "Service", "spec": {"ports": [{"port": 80}]}}


def test_a_right_object_is_taken() -> None:
    validate(SERVICE, NEWEST)
    for port in (None, 80, "http"):
        validate({**SERVICE, "spec": {"ports": [{"port": 80, "targetPort": port}]}}, NEWEST)
    validate(SERVICE, "v1.34.1-gke.100")


@pytest.mark.parametrize(
    "spec",
    [
        {"prots": []},
        {"ports": [{"port": "80"}]},
        {"ports": [{}]},
        {"ports": [{"port": 80, "targetPort": []}]},
    ],
)
def test_a_wrong_object_is_refused(spec: Json) -> None:
    with pytest.raises(jsonschema.ValidationError):
        validate({**SERVICE, "spec": spec}, NEWEST)


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(FileNotFoundError):
        validate({**SERVICE, "kind": "Servcie"}, NEWEST)
