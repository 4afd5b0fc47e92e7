-- Runs with one metric of 1000 values, older than all others of the experiment.
INSERT INTO runs (run_uuid, name, source_type, source_name, entry_point_name, user_id, status, start_time,
                  source_version, lifecycle_stage, artifact_uri, experiment_id)
SELECT md5(%(seed)s || '-history-' || run), 'history-' || run, 'UNKNOWN', '', '', 'benchmark', 'RUNNING',
       1690000000000 + run * 1000, '', 'active', 'mlflow-artifacts:/' || %(experiment)s || '/history-' || run, %(experiment)s
FROM generate_series(1, %(histories)s) run;

INSERT INTO metrics (key, value, timestamp, step, is_nan, run_uuid)
SELECT 'loss', pg_temp.fraction(run, point), 1690000000000 + point * 1000, point, false, md5(%(seed)s || '-history-' || run)
FROM generate_series(1, %(histories)s) run, generate_series(0, 999) point;

INSERT INTO latest_metrics (key, value, timestamp, step, is_nan, run_uuid)
SELECT 'loss', pg_temp.fraction(run, 999), 1690000999000, 999, false, md5(%(seed)s || '-history-' || run)
FROM generate_series(1, %(histories)s) run;
