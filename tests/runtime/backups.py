"""The two containers of a backup or a restore, as processes, and what they leave in a bucket."""

import os
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from runtime.s3 import BUCKET
from runtime.server import FILES
from runtime.tasks import Env, Store, run_task

OURS = "NOT IN ('pg_catalog', 'information_schema', 'mlflow_kubernetes', 'pg_toast')"
STRUCTURE = (
    f"""SELECT table_schema, table_name, column_name, data_type, column_default, is_nullable
        FROM information_schema.columns WHERE table_schema {OURS} ORDER BY 1, 2, 3""",
    f"SELECT schemaname, indexname, indexdef FROM pg_indexes WHERE schemaname {OURS} ORDER BY 1, 2",
    f"""SELECT nspname, conname, contype::text FROM pg_constraint JOIN pg_namespace n ON n.oid = connamespace
        WHERE nspname {OURS} ORDER BY 1, 2""",
    "SELECT tgname, tgrelid::regclass::text FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1, 2",
)
KEEP = ["--keep=2", "--keep-days=30", "--seconds=600"]

# More than one piece of an upload, and nothing that could be made smaller.
NOISE = """
    CREATE TABLE noise AS
    SELECT gen_random_uuid()::text || gen_random_uuid() AS a FROM generate_series(1, 1200000)"""


class Pod:
    """The two containers of a Job and their shared folder."""

    def __init__(self, store: Store, home: Path) -> None:
        self.store = store
        self.home = home
        self.env: Env = {**store.env, "PGAPPNAME": "mlflow"}
        self.env["PATH"] = f"{store.postgres.bin}:{os.environ['PATH']}"
        self.place = f"s3://{BUCKET}/backups/{store.env['PGDATABASE']}-{uuid.uuid4().hex[:8]}"
        self.said = ""

    @contextmanager
    def staying(self) -> Iterator[Path]:
        """PostgreSQL's programs as they stay in a server pod, and the folder in which they wait."""
        exchange = self.home / uuid.uuid4().hex
        exchange.mkdir()
        command = ["sh", str(FILES / "postgres.sh"), str(exchange), "stay"]
        with subprocess.Popen(command, env=self.programs()) as programs:
            try:
                yield exchange
                assert programs.poll() is None, "Kubernetes would start it again, later each time"
            finally:
                programs.terminate()

    def programs(self, **env: str) -> Env:
        """Environment of PostgreSQL's programs: how to open the database they get from Python."""
        return {"PATH": env.get("PATH", self.env["PATH"]), "HOME": str(self.home)}

    def run(self, program: str, *arguments: str, code: int = 0, **env: str) -> str:
        """Both to their ends; the log of Python. What PostgreSQL's programs said is in `said`."""
        exchange = self.home / uuid.uuid4().hex
        exchange.mkdir()
        command = ["sh", str(FILES / "postgres.sh"), str(exchange)]
        with subprocess.Popen(
            command, env=self.programs(**env), stderr=subprocess.PIPE, text=True
        ) as programs:
            try:
                words = [f"--exchange={exchange}", *arguments]
                log = run_task(program, self.home, {**self.env, **env}, *words, code=code)
            finally:
                self.said = programs.communicate(timeout=60)[1]
                print(self.said)
        return log

    def backup(self, *, code: int = 0, **env: str) -> str:
        return self.run("backup", f"--destination={self.place}", *KEEP, code=code, **env)

    def restore(self, *more: str, code: int = 0, **env: str) -> str:
        return self.run("restore", f"--source={self.place}", "--seconds=600", *more, code=code, **env)

    def objects(self) -> list[str]:
        """Names of the objects, without the folder."""
        folder = self.place.removeprefix(f"s3://{BUCKET}/") + "/"
        return sorted(key.removeprefix(folder) for key in self.store.objects(folder))

    def put(self, name: str, body: bytes = b"x") -> None:
        key = f"{self.place.removeprefix(f's3://{BUCKET}/')}/{name}"
        self.store.s3.client().put_object(Bucket=BUCKET, Key=key, Body=body)

    def get(self, name: str) -> bytes:
        key = f"{self.place.removeprefix(f's3://{BUCKET}/')}/{name}"
        body: bytes = self.store.s3.client().get_object(Bucket=BUCKET, Key=key)["Body"].read()
        return body

    def as_owner(self, statements: str) -> None:
        self.store.query(f'SET ROLE "{self.env["PGUSER"]}"; {statements}')

    def uploads(self) -> list[Any]:
        """Multipart uploads that were not completed."""
        answer = self.store.s3.client().list_multipart_uploads(Bucket=BUCKET)
        found: list[Any] = answer.get("Uploads", [])
        return found

    def content(self) -> str:
        """All rows, and what they are kept in; not the text of CHECKs, which PostgreSQL rewrites."""
        command = [self.store.postgres.bin / "pg_dump", "--data-only", "--exclude-schema=mlflow_kubernetes*"]
        superuser = {"PGUSER": "postgres", "PGPASSWORD": "postgres"}
        env = {**os.environ, **self.env, **superuser}
        done = subprocess.run(command, env=env, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        rows = [line for line in done.stdout.splitlines() if not line.startswith(("--", "\\"))]
        return "\n".join([*rows, *(str(self.store.query(query)) for query in STRUCTURE)])
