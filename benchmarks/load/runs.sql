-- An experiment with `runs` runs: 10 metrics, 10 params and 3 tags each, and `points` values of each metric.
INSERT INTO experiments (experiment_id, name, artifact_location, lifecycle_stage, creation_time, last_update_time)
VALUES (%(experiment)s, %(seed)s || '-' || %(name)s, 'mlflow-artifacts:/' || %(experiment)s, 'active', 1700000000000, 1700000000000);

INSERT INTO runs (run_uuid, name, source_type, source_name, entry_point_name, user_id, status, start_time, end_time,
                  source_version, lifecycle_stage, artifact_uri, experiment_id)
SELECT md5(%(seed)s || '-' || %(name)s || '-' || run), 'run-' || mod(run, 100), 'UNKNOWN', '', '', 'benchmark', 'FINISHED',
       1700000000000 + run * 1000, 1700000000500 + run * 1000, '', 'active',
       'mlflow-artifacts:/' || %(experiment)s || '/' || md5(%(seed)s || '-' || %(name)s || '-' || run) || '/artifacts',
       %(experiment)s
FROM generate_series(1, %(runs)s) run;

INSERT INTO params (key, value, run_uuid)
SELECT 'p' || key, 'v' || floor(pg_temp.fraction(run, key) * 50)::int, md5(%(seed)s || '-' || %(name)s || '-' || run)
FROM generate_series(0, 9) key, generate_series(1, %(runs)s) run;

INSERT INTO latest_metrics (key, value, timestamp, step, is_nan, run_uuid)
SELECT 'm' || key, pg_temp.fraction(run, key), 1700000000000 + run * 1000, greatest(%(points)s - 1, 0), false,
       md5(%(seed)s || '-' || %(name)s || '-' || run)
FROM generate_series(0, 9) key, generate_series(1, %(runs)s) run;

INSERT INTO metrics (key, value, timestamp, step, is_nan, run_uuid)
SELECT 'm' || key, pg_temp.fraction(run, key), 1700000000000 + run * 1000, point - 1, false,
       md5(%(seed)s || '-' || %(name)s || '-' || run)
FROM generate_series(0, 9) key, generate_series(1, %(runs)s) run, generate_series(1, %(points)s) point;

INSERT INTO tags (key, value, run_uuid)
SELECT tag.key, tag.value, md5(%(seed)s || '-' || %(name)s || '-' || run)
FROM generate_series(1, %(runs)s) run, LATERAL (VALUES
  ('mlflow.runName', 'run-' || mod(run, 100)),
  ('mlflow.user', 'benchmark'),
  ('team', 't' || floor(pg_temp.fraction(run, 11) * 100)::int)
) tag (key, value);
