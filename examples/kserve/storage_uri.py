"""Print where the files of a registered model lie in the artifact store: the storageUri for KServe.

    python examples/kserve/storage_uri.py models:/iris-classifier@champion s3://mlflow/artifacts

The second word is the server's artifact store: artifactStore.s3.bucket and .path of the chart.
"""

import os
import sys

import mlflow
from mlflow.store.artifact.models_artifact_repo import ModelsArtifactRepository

mlflow.set_tracking_uri(os.environ.get("MLFLOW_TRACKING_URI", "http://mlflow.ml.svc.cluster.local"))

model, store = sys.argv[1:]
address = ModelsArtifactRepository.get_underlying_uri(model)
# The server hides the store behind its own scheme; KServe reads the bucket directly.
print(address.replace("mlflow-artifacts:", store, 1))
