-- `experiments` empty experiments with two tags each.
INSERT INTO experiments (experiment_id, name, artifact_location, lifecycle_stage, creation_time, last_update_time)
SELECT 2000 + number, %(seed)s || '-empty-' || number, 'mlflow-artifacts:/' || 2000 + number, 'active',
       1690000000000 + number, 1690000000000 + number
FROM generate_series(1, %(experiments)s) number;

INSERT INTO experiment_tags (experiment_id, key, value)
SELECT 2000 + number, 'k' || key, 'v' || key
FROM generate_series(1, %(experiments)s) number, generate_series(1, 2) key;
