"""Options that the commands share."""

from typing import Annotated

import typer

Namespace = Annotated[str, typer.Option(envvar="MLFLOW_NAMESPACE", help="Namespace of the release.")]
ReleaseName = Annotated[str, typer.Option(help="Name of the release's Deployment.")]
Context = Annotated[str | None, typer.Option(help="Kubeconfig context; default: the current one.")]
Artifacts = Annotated[
    list[str] | None,
    typer.Option(
        help="Folder or address (s3://bucket/path) of the source's artifacts, if it is outside of the "
        "source's own folder or not where the source says; repeatable."
    ),
]
