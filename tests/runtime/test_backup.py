"""Backup and restore on a real PostgreSQL and a real S3: all of it comes back, or nothing changes."""

import hashlib
import json
import re
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from psycopg2 import sql

from runtime.backups import NOISE, Pod
from runtime.conftest import ODD
from runtime.network import wait_until
from runtime.postgres import Postgres
from runtime.postgres_clients import client_path
from runtime.s3 import BUCKET, S3
from runtime.server import FILES
from runtime.tasks import Env, Store, holding

WAITING_DROP = "SELECT 1 FROM pg_stat_activity WHERE state = 'active' AND query LIKE %s"


@pytest.fixture
def pod(postgres: Postgres, s3: S3, ready_database: Callable[[], Env], home: Path) -> Pod:
    """Jobs of an MLflow with some runs and a model."""
    store = Store(postgres, s3, {**ready_database(), **s3.environment("odd")})
    store.query("INSERT INTO experiments VALUES (0, 'Default', 'mlflow-artifacts:/0', 'active')")
    store.runs(200, ended=5, artifacts=False)
    store.query("INSERT INTO registered_models (name, workspace) VALUES ('champion', 'default')")
    return Pod(store, home)


def test_into_an_empty_database(pod: Pod) -> None:
    before = pod.content()
    log = pod.backup()
    dump, facts, sha256 = pod.objects()[0], pod.objects()[2], pod.objects()[1]
    digest = hashlib.sha256(pod.get(dump)).hexdigest()
    assert pod.get(sha256) == f"{digest}  {dump}\n".encode() and digest in log
    assert facts == dump.replace(".dump", ".json")
    assert pod.store.task("backup")["report"]["size_bytes"] == len(pod.get(dump))
    for (table,) in pod.store.query("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"):
        pod.as_owner(f"DROP TABLE {table} CASCADE")
    assert "restored" in pod.restore()
    assert pod.content() == before
    assert pod.store.task("restore")["succeeded"] and pod.store.task("backup")["succeeded"]


def test_the_programs_open_the_database_as_python_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever a variable came from: the values, `mlflow.env`, `mlflow.envFrom`. They get no others."""
    monkeypatch.syspath_prepend(FILES)
    from mlflow_kubernetes.tasks.backup.exchange import libpq_settings

    given = {"PGPASSWORD": f"{ODD}\n`id`", "PGOPTIONS": "-c search_path=a", "PGSSLKEY": ""}
    text = libpq_settings({**given, "AWS_SECRET_ACCESS_KEY": "no", "MLFLOW_AUTH_ADMIN_PASSWORD": "no"})
    command = ["/bin/sh", "-c", 'eval "$(cat)"; env -0']
    done = subprocess.run(command, input=text, env={}, capture_output=True, text=True, check=True)
    found = dict(entry.split("=", 1) for entry in done.stdout.split("\0") if entry)
    assert {name: found[name] for name in given} == given
    assert "no" not in found.values()


def test_into_a_database_in_a_wrong_state(pod: Pod) -> None:
    """Newer tables, lost rows, other rows: nothing of it is left."""
    pod.backup()
    before = pod.content()
    pod.as_owner(
        "DROP TABLE metrics CASCADE; DELETE FROM params; UPDATE alembic_version SET version_num = 'feedface';"
        "CREATE TABLE newer (run_uuid varchar(32) REFERENCES runs); CREATE VIEW seen AS SELECT * FROM newer;"
        "CREATE TYPE kind AS ENUM ('a'); CREATE SCHEMA more; CREATE TABLE more.things (kind kind)"
    )
    pod.restore()
    assert pod.content() == before


def test_a_damaged_dump_is_not_restored(pod: Pod) -> None:
    pod.backup()
    pod.store.query("DELETE FROM params")
    before, (dump, *_) = pod.content(), pod.objects()
    body = bytearray(pod.get(dump))
    body[len(body) // 2] ^= 1
    pod.put(dump, bytes(body))
    assert "is damaged: its SHA-256 differs" in pod.restore(code=1)
    assert pod.content() == before


@pytest.mark.parametrize("wrong", ["fewer rows", "cut off"])
def test_whatever_goes_wrong_nothing_changes(pod: Pod, wrong: str) -> None:
    """The dump is not the one that was counted, or it ends early."""
    pod.backup()
    dump, sha256, facts = pod.objects()
    pod.store.query("DELETE FROM params")
    if wrong == "fewer rows":
        pod.put(facts, pod.get(facts).replace(b'"public.runs": 200', b'"public.runs": 201'))
    else:
        body = pod.get(dump)[:-2000]
        digest = hashlib.sha256(body).hexdigest()
        pod.put(facts, pod.get(facts).replace(pod.get(sha256).split()[0], digest.encode()))
        pod.put(dump, body)
    before = pod.content()
    log = pod.restore(code=1)
    assert "PostgreSQL's program failed (1); the log of container postgres says why." in log
    words = {"fewer rows": "public.runs does not have 201 rows", "cut off": "end of file"}
    assert words[wrong] in pod.said
    assert pod.content() == before and pod.store.task("restore")["failed"]


OWNED = "CREATE TABLE owned (a int);"
# Keys of "rows" that a backup would not write, and those that hold marks of SQL inside their quotes.
NO_TABLES = [
    f"public.runs) <> 200 THEN END IF; {OWNED} IF (SELECT 1",
    f"public.runs) <> 200 THEN END IF; END $check$; COMMIT; {OWNED} DO $check$ BEGIN IF (SELECT 1",
    f"public.runs; {OWNED} --",
    f"public.runs\n;\n{OWNED}",
    "public.runs\n\\! touch owned\n",
    "public.runs\n",
    "public.runs WHERE pg_sleep(1) IS NULL",
    "(SELECT 1) x",
    "runs",
    "public.Runs",
    "public..runs",
    'public."runs',
    'public."ru"ns"',
    'public.""',
    'public."runs\x00"',
    'public."\ud800"',
    "",
]
STRANGE_TABLES = [
    f'public."x$check$; COMMIT; {OWNED} DO $check$ BEGIN PERFORM 1"',
    f'public."x\'; COMMIT; {OWNED} --"',
    f'public."x""; COMMIT; {OWNED} --"',
    'public."x\n\\! touch {home}/owned\n"',
    "public.\"x\\' || :'x' %\"",
]
FACTS = {
    "mlflow": "3.17.0",
    "revision": None,
    "server": "18.1 (Debian 18.1-1.pgdg13+2)",
    "rows": {"public.runs": 200, 'public."día"': 0},
    "name": "20260101T000000Z",
    "size": 1,
    "sha256": "0" * 64,
}


def test_table_names_of_the_facts_add_no_statements(pod: Pod, home: Path) -> None:
    """Write access to the backups can name a missing table, and do no more."""
    pod.backup()
    _, _, facts = pod.objects()
    found = json.loads(pod.get(facts))
    pod.store.query("DELETE FROM params")
    before = pod.content()
    for table in [*NO_TABLES[:2], *STRANGE_TABLES]:
        rows = {**found["rows"], table.replace("{home}", str(home)): 0}
        pod.put(facts, json.dumps({**found, "rows": rows}).encode())
        log = pod.restore(code=1)
        assert ("was not written by a backup" in log) is (table in NO_TABLES)
        assert pod.content() == before and not (home / "owned").exists()


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> Callable[[object], object]:
    """Read the facts of a backup, given as an object or as bytes."""
    monkeypatch.syspath_prepend(FILES)
    from mlflow_kubernetes.tasks.backup.facts import parse_facts

    def read(facts: object) -> object:
        text = facts if isinstance(facts, bytes) else json.dumps(facts).encode()
        return parse_facts("20260101T000000Z", text)

    return read


def test_facts_are_read_as_they_were_written(parsed: Callable[[object], object]) -> None:
    assert parsed({**FACTS, "more": 1}) == {**FACTS, "revision": ""}
    assert parsed({**FACTS, "name": "../other"}) == parsed(FACTS)


@pytest.mark.parametrize(
    "wrong",
    [
        *({"rows": {table: 1}} for table in NO_TABLES),
        *({"rows": {"public.runs": count}} for count in ("200) THEN", True, -1, 1.5, 10**30, None)),
        *({"rows": rows} for rows in (["public.runs"], "public.runs", None)),
        *({"sha256": text} for text in (["x"], "0" * 64 + "\n", "0" * 63, 0)),
        *({"size": size} for size in ("1", -1, None)),
        *({"server": text} for text in ("18\u001b[2J", "18\n", "x" * 1000, None)),
        *(b"", b"x", b"[]", b"\xff", b"[" * 100_000),
    ],
)
def test_facts_that_no_backup_writes_are_refused(parsed: Callable[[object], object], wrong: object) -> None:
    from mlflow_kubernetes.tasks.task import TaskError

    facts = {**FACTS, **wrong} if isinstance(wrong, dict) else wrong
    with pytest.raises(TaskError, match=r"json was not written by a backup; take another backup\."):
        parsed(facts)


def test_a_dump_runs_no_programs(pod: Pod, home: Path) -> None:
    """A command of psql among a dump's statements would run in the container of PostgreSQL's programs."""
    text = "x" * 200
    pod.as_owner(f"CREATE VIEW strange AS SELECT '{text}'::text AS a")
    pod.backup()
    dump, sha256, facts = pod.objects()
    command = f"';\n\\! touch {home}/owned\nSELECT '"
    body = pod.get(dump).replace(text.encode(), command.ljust(len(text), "y").encode())
    digest = hashlib.sha256(body).hexdigest().encode()
    pod.put(facts, pod.get(facts).replace(pod.get(sha256).split()[0], digest))
    pod.put(dump, body)
    before = pod.content()
    assert "PostgreSQL's program failed (1)" in pod.restore(code=1)
    assert "backslash commands are restricted" in pod.said
    assert pod.content() == before and not (home / "owned").exists()


def test_a_pg_restore_that_lets_a_dump_run_programs_is_refused(pod: Pod) -> None:
    """PostgreSQL 16.2, of a newer major version than the server's, but from before CVE-2025-8714."""
    pod.backup()
    before = pod.content()
    pod.restore(code=1, PATH=client_path("older"))
    assert "(PostgreSQL) 16.2 lets a dump run programs; set backup.image to 13.22, 14.19" in pod.said
    assert pod.content() == before


def test_an_unreadable_backup_hides_no_other(pod: Pod, monkeypatch: pytest.MonkeyPatch) -> None:
    pod.put("20260101T000000Z.json")
    pod.backup()
    monkeypatch.syspath_prepend(FILES)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, pod.env[name])
    from mlflow_kubernetes.tasks.backup.catalog import Backups

    newest, unreadable = Backups(pod.env, pod.place).list_all()
    assert newest["rows"]["public.runs"] == 200
    assert (unreadable["name"], unreadable["mlflow"]) == ("20260101T000000Z", "unreadable")


def test_facts_without_end_are_not_read(pod: Pod) -> None:
    pod.backup()
    pod.put(pod.objects()[2], b" " * (2 << 20))
    assert "is too large for the facts of a backup; take another backup." in pod.restore(code=1)


def test_facts_name_no_other_dump(pod: Pod) -> None:
    pod.backup()
    _, _, facts = pod.objects()
    pod.put("other.dump")
    pod.put(facts, json.dumps({**json.loads(pod.get(facts)), "name": "other"}).encode())
    assert f"restored {facts.partition('.')[0]}" in pod.restore()


def test_tables_of_any_name_are_counted(pod: Pod) -> None:
    names = ['"We ird $check$ \'%s\' \\ ""x"" :y"', '"día"', '"select"', '"a.b"']
    pod.as_owner("".join(f"CREATE TABLE {name} (a int); INSERT INTO {name} VALUES (1);" for name in names))
    pod.backup()
    before = pod.content()
    pod.as_owner("".join(f"DELETE FROM {name};" for name in names))
    assert "as counted" in pod.restore()
    assert pod.content() == before


def test_what_is_not_named_like_a_backup_is_none(pod: Pod) -> None:
    """A name in the future would always be the latest."""
    for name in ("99991231T235959Z", "2026111T000000Z", "20260101T000000Z.x"):
        pod.put(f"{name}.json")
        pod.put(f"{name}.dump")
    assert "there is none" in pod.restore(code=1)
    pod.backup()
    assert pod.store.task("backup")["report"]["stored"] == 1
    assert "restored" in pod.restore()


def test_a_running_server_is_in_the_way(pod: Pod, monkeypatch: pytest.MonkeyPatch) -> None:
    pod.backup()
    before = pod.content()
    import psycopg2

    where = {key: pod.env[f"PG{key.upper()}"] for key in ("host", "port", "user", "password", "database")}
    connection = psycopg2.connect(**where, application_name="mlflow")
    closing = threading.Timer(8, connection.close)
    closing.start()
    began = time.monotonic()
    assert "restored" in pod.restore()
    assert time.monotonic() - began > 5, "it waited"
    assert pod.content() == before


@pytest.mark.parametrize(
    ("env", "words"),
    [
        ({"AWS_SECRET_ACCESS_KEY": "wrong"}, "SignatureDoesNotMatch"),
        ({"MLFLOW_S3_ENDPOINT_URL": "http://127.0.0.1:9"}, "Could not connect to the endpoint"),
    ],
    ids=["key", "address"],
)
def test_a_store_that_refuses(pod: Pod, env: Env, words: str) -> None:
    log = pod.backup(code=1, AWS_MAX_ATTEMPTS="1", **env)
    assert words in log and env.get("AWS_SECRET_ACCESS_KEY", "\0") not in log
    assert pod.store.task("backup")["failed"] and not pod.objects()


def test_a_table_that_may_not_be_read(pod: Pod) -> None:
    pod.store.query("CREATE TABLE theirs (a int)")
    assert "permission denied for table theirs" in pod.backup(code=1)
    assert not pod.objects()


def test_several_parts(pod: Pod) -> None:
    """A dump that no part of a multipart upload holds alone."""
    pod.as_owner(NOISE)
    log = pod.backup()
    dump, *_ = pod.objects()
    assert pod.store.task("backup")["report"]["size_bytes"] > 32 * 1024 * 1024
    assert hashlib.sha256(pod.get(dump)).hexdigest() in log
    pod.as_owner("TRUNCATE noise")
    pod.restore()
    assert pod.store.query("SELECT count(*) FROM noise") == [(1_200_000,)]


def test_a_dump_that_is_cut_off_is_no_backup(pod: Pod) -> None:
    """pg_dump loses its connection after some parts were uploaded."""
    pod.as_owner(NOISE)
    stop = threading.Event()

    def cut() -> None:
        while not stop.wait(0.05):
            if pod.uploads():
                pod.store.postgres.query(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'COPY %noise%'"
                )

    cutter = threading.Thread(target=cut)
    cutter.start()
    log = pod.backup(code=1)
    stop.set()
    cutter.join()
    assert "PostgreSQL's program failed (1)" in log
    assert re.search(r'contents of table "noise" failed: PQget(CopyData|Result)\(\) failed', pod.said)
    assert not pod.objects() and not pod.uploads()


def test_old_backups_go(pod: Pod) -> None:
    """The newest stay, however old; beyond them those of the last days; remains of failed ones go."""

    now = datetime.now(timezone.utc)
    at = {days: (now - timedelta(days=days)).strftime("%Y%m%dT%H%M%SZ") for days in (40, 31, 29, 2, 1)}
    for days in (40, 31, 29, 1):
        for part in (".dump", ".dump.sha256", ".json"):
            pod.put(at[days] + part)
    pod.put(f"{at[2]}.dump")
    pod.put("notes.txt")
    pod.put("20260101.json")
    log = pod.backup()
    names = {name.partition(".")[0] for name in pod.objects()} - {"notes", "20260101"}
    assert {at[29], at[1]} < names and len(names) == 3
    assert {"notes.txt", "20260101.json"} <= set(pod.objects())
    assert f"removed {at[40]}" in log and pod.store.task("backup")["report"]["stored"] == 3


def test_a_backup_by_its_name(pod: Pod) -> None:
    assert "there is none" in pod.restore(code=1)
    pod.backup()
    first = pod.objects()[0].partition(".")[0]
    content = pod.content()
    pod.store.query("DELETE FROM params")
    time.sleep(1)
    pod.backup()
    assert f"there are {pod.objects()[3].partition('.')[0]}, {first}" in pod.restore("--backup=x", code=1)
    pod.restore(f"--backup={first}")
    assert pod.content() == content


@pytest.fixture
def scratch(pod: Pod) -> Iterator[str]:
    """Name of a database; removed at the end if it is there."""
    name = f"{pod.env['PGDATABASE']}_drill"
    yield name
    pod.store.postgres.query(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))


def exists(pod: Pod, name: str) -> bool:
    return bool(pod.store.postgres.query("SELECT 1 FROM pg_database WHERE datname = %s", values=[name]))


def test_drill_in_a_database_of_its_own(pod: Pod, scratch: str) -> None:
    role = sql.Identifier(pod.env["PGUSER"])
    pod.backup()
    before = pod.content()
    log = pod.restore(f"--scratch={scratch}", code=1)
    assert f"may not create database {scratch}; make it, owned by that role, or let it" in log
    pod.store.postgres.query(sql.SQL("ALTER ROLE {} CREATEDB").format(role))
    log = pod.restore(f"--scratch={scratch}")
    assert f"restoring into database {scratch}" in log and "as counted" in log
    assert not exists(pod, scratch) and pod.content() == before
    assert pod.store.task("drill")["report"]["rows"] > 200


def test_drill_waits_for_sessions_that_it_may_not_end(pod: Pod, scratch: str) -> None:
    """As an autovacuum worker, here the superuser is in the scratch database when the drill drops it."""
    postgres = pod.store.postgres
    postgres.query(sql.SQL("ALTER ROLE {} CREATEDB").format(sql.Identifier(pod.env["PGUSER"])))
    pod.backup()

    def dropping() -> bool:
        return bool(postgres.query(WAITING_DROP, values=[f"DROP%{scratch}%"]))

    def stay() -> None:
        wait_until("the scratch database", lambda: exists(pod, scratch))
        with closing(postgres.connect(scratch)):
            wait_until("a DROP that waits", dropping)

    with ThreadPoolExecutor(1) as pool:
        stayed = pool.submit(stay)
        assert "as counted" in pod.restore(f"--scratch={scratch}")
        stayed.result()
    assert not exists(pod, scratch)


def test_drill_in_a_database_that_is_given(pod: Pod, scratch: str) -> None:
    """Emptied again; one with other tables is refused."""
    names = (sql.Identifier(scratch), sql.Identifier(pod.env["PGUSER"]))
    pod.store.postgres.query(sql.SQL("CREATE DATABASE {} OWNER {}").format(*names))
    pod.backup()
    for _ in range(2):
        pod.restore(f"--scratch={scratch}")
        assert not pod.store.postgres.query("SELECT 1 FROM pg_tables WHERE schemaname = 'public'", scratch)
    pod.store.postgres.query("DROP SCHEMA mlflow_kubernetes_scratch; CREATE TABLE theirs (a int)", scratch)
    pod.store.postgres.query(sql.SQL("ALTER TABLE theirs OWNER TO {}").format(names[1]), scratch)
    assert "has tables that no drill created" in pod.restore(f"--scratch={scratch}", code=1)
    assert pod.store.postgres.query("SELECT count(*) FROM theirs", scratch) == [(0,)]


@pytest.mark.parametrize("dumped_by", ["server", "newer"])
def test_a_newer_client(pod: Pod, dumped_by: str) -> None:
    """PostgreSQL 17's programs, two major versions newer than the server, restore a dump of either."""
    newer = client_path("newer")
    pod.backup(**({"PATH": newer} if dumped_by == "newer" else {}))
    before = pod.content()
    pod.as_owner("DROP TABLE params")
    assert "as counted" in pod.restore(PATH=newer)
    assert pod.content() == before


def test_an_older_client(pod: Pod) -> None:
    """The server's programs read no dump of newer ones, and change nothing."""
    pod.backup(PATH=client_path("newer"))
    before = pod.content()
    pod.restore(code=1)
    assert "unsupported version" in pod.said
    assert pod.content() == before


def test_the_other_container_never_starts(pod: Pod, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong image is told after five minutes, not after the deadline."""
    monkeypatch.syspath_prepend(FILES)
    from mlflow_kubernetes.tasks.backup import exchange as folder
    from mlflow_kubernetes.tasks.task import TaskError

    monkeypatch.setattr(folder, "START", 0.2)
    with (
        pytest.raises(TaskError, match=r"backup\.image"),
        folder.Exchange(str(pod.home)) as exchange,
    ):
        exchange.dump("1")
    assert (pod.home / "end").exists()


def test_one_at_a_time(pod: Pod) -> None:
    with holding(pod.store, "backup"):
        assert "another run is in progress" in pod.backup()
    assert not pod.objects()


def test_a_database_that_is_away(pod: Pod) -> None:
    """Both containers end, although there was nothing to do for the second."""
    assert "mlflow: restore: connection to server at" in pod.restore(code=1, PGPORT="9")


def test_variables_of_mlflows_client_count_for_backups(pod: Pod) -> None:
    """What the server's uploads carry, a backup's carry too; a wrong signature is refused for both."""
    team = {"Metadata": {"team": "ml"}, "ContentType": "application/x-backup"}
    pod.backup(MLFLOW_S3_UPLOAD_EXTRA_ARGS=json.dumps(team))
    for name in pod.objects():
        key = f"{pod.place.removeprefix(f's3://{BUCKET}/')}/{name}"
        found = pod.store.s3.client().head_object(Bucket=BUCKET, Key=key)
        assert (found["Metadata"], found["ContentType"]) == (team["Metadata"], team["ContentType"])
    log = pod.backup(code=1, MLFLOW_EXPERIMENTAL_S3_SIGNATURE_VERSION="unsigned")
    assert "AccessDenied" in log


def test_no_variable_runs_as_a_command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither its value nor its name, which may be any key of a ConfigMap."""
    monkeypatch.syspath_prepend(FILES)
    from mlflow_kubernetes.tasks.backup.exchange import libpq_settings

    value = "a'b\n$(touch one) `touch two`; touch three"
    env = {"PGHOST": value, "PG;touch four;": "x", "PGA=$(touch five)": "x", "PG.OPTIONS": "x", "PATH": "/"}
    assert libpq_settings({"PGCONNECT_TIMEOUT": "10"}) == "export PGCONNECT_TIMEOUT=10\n"
    script = libpq_settings(env) + 'printf %s "$PGHOST"'
    done = subprocess.run(["sh", "-euc", script], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == value
    assert list(tmp_path.iterdir()) == []
