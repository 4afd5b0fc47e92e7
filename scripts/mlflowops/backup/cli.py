"""`mlflowops backup`: makes and lists backups, and checks that artifacts are versioned."""

import typer

from mlflowops import console
from mlflowops.errors import OpsError
from mlflowops.options import Context, Namespace, ReleaseName
from mlflowops.output import Output, OutputOption

app = typer.Typer(help="Backups of the database, and the versions of artifacts.", no_args_is_help=True)


@app.command()
def now(namespace: Namespace = "ml", release: ReleaseName = "mlflow", context: Context = None) -> None:
    """Create a backup now, for example before an upgrade."""
    from mlflowops import kube
    from mlflowops.backup import cronjobs

    with kube.api_errors(f"backup of {release} in namespace {namespace!r}"):
        cronjobs.connect(namespace, release, context).run("backup")


@app.command("list")
def list_(
    namespace: Namespace = "ml",
    release: ReleaseName = "mlflow",
    context: Context = None,
    output: OutputOption = Output.table,
) -> None:
    """List the backups, newest first. Runs a Job, which has the credentials of the object store."""
    from mlflowops import kube
    from mlflowops.backup import cronjobs
    from mlflowops.backup.listing import list_backups

    with kube.api_errors(f"backups of {release} in namespace {namespace!r}"):
        found = list_backups(cronjobs.connect(namespace, release, context))
    if output is Output.json:
        console.as_json(found)
        return
    rows = [
        [
            each["name"],
            f"{each['size'] / 1e6:.1f} MB",
            str(sum(each["rows"].values())),
            each["mlflow"],
            each["sha256"][:12],
        ]
        for each in found
    ]
    console.table(["backup", "size", "rows", "MLflow", "SHA-256"], rows)


@app.command()
def versioning(namespace: Namespace = "ml", release: ReleaseName = "mlflow", context: Context = None) -> None:
    """Check that the bucket of the artifacts has versioning: backups of the database contain no artifacts.

    Exit code 1 if not, with the command that enables it.
    """
    from mlflowops import kube
    from mlflowops.backup.versioning import read_versioning

    with kube.api_errors(f"artifacts of {release} in namespace {namespace!r}"):
        found = read_versioning(kube.Reader(kube.connect(context), namespace), release)
    bucket = found["bucket"]
    if not bucket:
        raise OpsError(
            "artifacts", "are not in S3", "see docs/backup.md for volumes and other stores", exit_code=1
        )
    if found["status"] != "Enabled":
        turn_on = (
            f"turn it on: `aws s3api put-bucket-versioning --bucket {bucket} "
            "--versioning-configuration Status=Enabled`, with a lifecycle rule for old versions"
        )
        raise OpsError(f"bucket {bucket}", "keeps no versions: what is deleted is gone", turn_on, exit_code=1)
    console.out.print(f"bucket {bucket}: versioning is on", highlight=False)
