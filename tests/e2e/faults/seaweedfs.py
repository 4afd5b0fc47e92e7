"""The object store of the suite, when it takes no more bytes."""

import contextlib
from collections.abc import Iterator

from e2e.kube import Kube

POD = "seaweedfs-0"
BUCKET = "mlflow"
ENFORCE = "s3.bucket.quota.enforce -apply"
# More than the quota of 1 MiB, as objects of the bucket.
FILL = f"""head -c 3000000 /dev/urandom > /tmp/filler
weed filer.copy -collection={BUCKET} /tmp/filler http://127.0.0.1:8888/buckets/{BUCKET}/ 2>&1
rm /tmp/filler"""


@contextlib.contextmanager
def full(kube: Kube, namespace: str) -> Iterator[None]:
    """The bucket has a quota, which is reached."""

    def weed(*commands: str) -> None:
        text = "\n".join(commands)
        print(kube.exec(namespace, POD, ["sh", "-c", f"echo '{text}' | weed shell 2>&1"]))

    print(kube.exec(namespace, POD, ["sh", "-c", FILL]))
    weed(f"s3.bucket.quota -name={BUCKET} -op=set -sizeMB=1", ENFORCE)
    try:
        yield
    finally:
        weed(f"s3.bucket.quota -name={BUCKET} -op=remove", ENFORCE)
