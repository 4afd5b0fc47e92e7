"""Shapes of a database in which MLflow's role does not own everything: a drill ends as a restore does."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from psycopg2 import sql

from runtime.backups import Pod
from runtime.postgres import Postgres
from runtime.s3 import S3
from runtime.tasks import Env, Store

BY_ROLE = 'ROLE "{role}" IN DATABASE "{database}"'
NOTES = 'CREATE SCHEMA mlflow_kubernetes AUTHORIZATION "{role}"'
MOVE = """
    DO $$ DECLARE routine regprocedure; BEGIN
        FOR routine IN SELECT oid FROM pg_proc WHERE pronamespace = 'public'::regnamespace LOOP
            EXECUTE format('ALTER ROUTINE %s SET SCHEMA {schema}', routine);
        END LOOP;
    END $$;
    DO $$ DECLARE name text; BEGIN
        FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
            EXECUTE format('ALTER TABLE public.%I SET SCHEMA {schema}', name);
        END LOOP;
    END $$"""


def own_schema(schema: str, path_of: str = BY_ROLE) -> tuple[str, ...]:
    """MLflow's tables in a schema of administrators."""
    return (
        f"CREATE SCHEMA {schema}",
        f'GRANT USAGE, CREATE ON SCHEMA {schema} TO "{{role}}"',
        MOVE.replace("{schema}", schema),
        f"ALTER {path_of} SET search_path = {schema}",
    )


RESTORED = {
    "a schema of administrators, by the role": own_schema("ml"),
    "a schema of administrators, by the database": own_schema("ml", 'DATABASE "{database}"'),
    "a schema with a quoted name": own_schema('"My Schema"'),
    "a schema of the role with the grants of others": (
        'CREATE SCHEMA ml AUTHORIZATION "{role}"',
        "GRANT USAGE ON SCHEMA ml TO pg_monitor",
        MOVE.replace("{schema}", "ml"),
        f"ALTER {BY_ROLE} SET search_path = ml",
    ),
    "no right to create schemas": (
        *own_schema("ml"),
        NOTES,
        'ALTER DATABASE "{database}" OWNER TO postgres',
    ),
    "an owned schema without the right to create it again": (
        'CREATE SCHEMA ml AUTHORIZATION "{role}"',
        MOVE.replace("{schema}", "ml"),
        f"ALTER {BY_ROLE} SET search_path = ml",
        NOTES,
        'ALTER DATABASE "{database}" OWNER TO postgres',
    ),
    "a public schema of administrators": (
        "ALTER SCHEMA public OWNER TO postgres",
        'GRANT USAGE, CREATE ON SCHEMA public TO "{role}"',
    ),
    "an extension of administrators": ("CREATE EXTENSION pageinspect", "CREATE EXTENSION pg_stat_statements"),
    "a trusted extension in a schema of its own": (
        "CREATE SCHEMA extensions",
        'GRANT USAGE ON SCHEMA extensions TO "{role}"',
        "CREATE EXTENSION pg_trgm SCHEMA extensions",
    ),
    "a function and a type of administrators": (
        "CREATE FUNCTION public.now_in(zone text, at timestamptz) RETURNS text RETURN zone",
        "CREATE TYPE public.mood AS ENUM ('good')",
        "CREATE SCHEMA bi",
        'GRANT USAGE ON SCHEMA bi TO "{role}"',
        "CREATE VIEW bi.one AS SELECT 1 AS one",
        "CREATE SEQUENCE bi.numbers",
        'GRANT SELECT ON ALL SEQUENCES IN SCHEMA bi TO "{role}"',
    ),
    "an event trigger and a publication": (
        "CREATE FUNCTION public.watch() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN END $$",
        "CREATE EVENT TRIGGER watch ON ddl_command_end EXECUTE FUNCTION public.watch()",
        "CREATE PUBLICATION everything FOR ALL TABLES",
        "CREATE PUBLICATION runs FOR TABLE public.runs",
    ),
    "default privileges": (
        'ALTER DEFAULT PRIVILEGES FOR ROLE "{role}" IN SCHEMA public GRANT SELECT ON TABLES TO pg_monitor',
        "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO pg_monitor",
    ),
}
REFUSED = {
    "a schema without the right to create tables": (
        (*own_schema("ml"), 'REVOKE CREATE ON SCHEMA ml FROM "{role}"'),
        "may not create tables and functions in schema ml; run GRANT USAGE, CREATE ON SCHEMA ml TO {role}.",
    ),
    "a function in a schema without the right to create it": (
        (
            *own_schema("ml"),
            "CREATE FUNCTION public.ours() RETURNS int RETURN 1",
            'ALTER FUNCTION public.ours() OWNER TO "{role}"',
            NOTES,
            'ALTER DATABASE "{database}" OWNER TO postgres',
        ),
        "may not create tables and functions in schema public;",
    ),
    "a table of another role": (
        ("ALTER TABLE params OWNER TO postgres", 'GRANT SELECT ON params TO "{role}"'),
        "table public.params belongs to role postgres, so a restore as role {role} cannot replace it; "
        "run ALTER TABLE public.params OWNER TO {role}, or move it to another database.",
    ),
    "a view of another role": (
        ("CREATE SCHEMA bi", "CREATE VIEW bi.names AS SELECT name FROM public.runs"),
        "bi.names of role postgres depends on tables of role {role}, so a restore would drop it too; "
        "drop it yourself, and create it again after a restore.",
    ),
}


@pytest.fixture
def pod(postgres: Postgres, s3: S3, ready_database: Callable[[], Env], home: Path) -> Iterator[Pod]:
    """Jobs of an MLflow with some runs, and an empty scratch database."""
    store = Store(postgres, s3, {**ready_database(), **s3.environment("odd")})
    store.query("INSERT INTO experiments VALUES (0, 'Default', 'mlflow-artifacts:/0', 'active')")
    store.runs(20, ended=5, artifacts=False)
    names = [sql.Identifier(name) for name in (scratch(store.env), store.env["PGUSER"])]
    postgres.query(sql.SQL("CREATE DATABASE {} OWNER {}").format(*names))
    yield Pod(store, home)
    postgres.query(sql.SQL("DROP DATABASE {}").format(names[0]))


def scratch(env: Env) -> str:
    return f"{env['PGDATABASE']}_drill"


def shape(pod: Pod, statements: tuple[str, ...]) -> None:
    for statement in statements:
        pod.store.query(filled(pod, statement))


def filled(pod: Pod, text: str) -> str:
    return text.replace("{role}", pod.env["PGUSER"]).replace("{database}", pod.env["PGDATABASE"])


def grants(pod: Pod) -> list[object]:
    """Rights of other roles, and whose objects are whose."""
    return pod.store.query(
        "SELECT nspname, nspowner::regrole::text, nspacl::text, NULL FROM pg_namespace UNION ALL "
        "SELECT relname, relowner::regrole::text, nspname, relkind::text FROM pg_class "
        "JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname !~ '^(pg_|information_schema)' UNION ALL "
        "SELECT extname, extowner::regrole::text, extnamespace::regnamespace::text, NULL FROM pg_extension "
        "ORDER BY 1, 2, 3, 4"
    )


@pytest.mark.parametrize("name", RESTORED)
def test_a_drill_and_a_restore_succeed(pod: Pod, name: str) -> None:
    shape(pod, RESTORED[name])
    pod.backup()
    for _ in range(2):
        assert "as counted" in pod.restore(f"--scratch={scratch(pod.env)}")
    before, rights = pod.content(), grants(pod)
    ((schema,),) = pod.store.query(
        "SELECT relnamespace::regnamespace::text FROM pg_class WHERE relname = 'params'"
    )
    pod.as_owner(
        f"SET search_path = {schema};"
        "DELETE FROM latest_metrics; DROP TABLE params; CREATE TABLE newer (a int)"
    )
    assert "as counted" in pod.restore()
    assert pod.content() == before and grants(pod) == rights


@pytest.mark.parametrize("name", REFUSED)
def test_a_drill_and_a_restore_are_refused(pod: Pod, name: str) -> None:
    statements, words = REFUSED[name]
    shape(pod, statements)
    pod.backup()
    before = pod.content()
    for arguments in ([f"--scratch={scratch(pod.env)}"], []):
        log = pod.restore(*arguments, code=1)
        assert filled(pod, words) in log and "restoring into" not in log
    assert pod.content() == before
