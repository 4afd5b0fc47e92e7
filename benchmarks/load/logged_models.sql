-- `logged_models` logged models with 5 metrics, 5 params and 3 tags each.
INSERT INTO logged_models (model_id, experiment_id, name, artifact_location, creation_timestamp_ms,
                           last_updated_timestamp_ms, status, lifecycle_stage, model_type, source_run_id)
SELECT 'm-' || md5(%(seed)s || '-model-' || model), %(experiment)s, 'model-' || model, 'mlflow-artifacts:/1001/models',
       1700000000000 + model, 1700000000000 + model, 2, 'active', 'sklearn', md5(%(seed)s || '-small-1')
FROM generate_series(1, %(logged_models)s) model;

INSERT INTO logged_model_metrics (model_id, metric_name, metric_timestamp_ms, metric_step, metric_value, experiment_id,
                                  run_id)
SELECT 'm-' || md5(%(seed)s || '-model-' || model), 'm' || key, 1700000000000, 0, pg_temp.fraction(model, key),
       %(experiment)s, md5(%(seed)s || '-small-1')
FROM generate_series(1, %(logged_models)s) model, generate_series(0, 4) key;

INSERT INTO logged_model_params (model_id, experiment_id, param_key, param_value)
SELECT 'm-' || md5(%(seed)s || '-model-' || model), %(experiment)s, 'p' || key, 'v' || key
FROM generate_series(1, %(logged_models)s) model, generate_series(0, 4) key;

INSERT INTO logged_model_tags (model_id, experiment_id, tag_key, tag_value)
SELECT 'm-' || md5(%(seed)s || '-model-' || model), %(experiment)s, 't' || key, 'v' || key
FROM generate_series(1, %(logged_models)s) model, generate_series(0, 2) key;
