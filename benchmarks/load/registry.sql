-- `models` registered models with `versions` versions each, every version with 5 tags.
INSERT INTO registered_models (name, creation_time, last_updated_time, description)
SELECT 'model-' || model, 1700000000000 + model, 1700000000000 + model, 'A model of the benchmark'
FROM generate_series(1, %(models)s) model;

INSERT INTO registered_model_tags (name, key, value)
SELECT 'model-' || model, 'k' || key, 'v' || key
FROM generate_series(1, %(models)s) model, generate_series(1, 3) key;

INSERT INTO model_versions (name, version, creation_time, last_updated_time, description, user_id, current_stage, source,
                            run_id, status)
SELECT 'model-' || model, version, 1700000000000 + version, 1700000000000 + version, '', 'benchmark', 'None',
       'mlflow-artifacts:/1001/model', md5(%(seed)s || '-small-1'), 'READY'
FROM generate_series(1, %(models)s) model, generate_series(1, %(versions)s) version;

INSERT INTO model_version_tags (name, version, key, value)
SELECT 'model-' || model, version, tag.key, tag.value
FROM generate_series(1, %(models)s) model, generate_series(1, %(versions)s) version, LATERAL (VALUES
  ('team', 't' || mod(model + version, 100)), ('a', '1'), ('b', '2'), ('c', '3'), ('d', '4')
) tag (key, value);
