-- `traces` traces with 4 tags and 4 metadata entries each.
INSERT INTO trace_info (request_id, experiment_id, timestamp_ms, execution_time_ms, status, request_preview,
                        response_preview)
SELECT 'tr-' || md5(%(seed)s || '-trace-' || trace), %(experiment)s, 1700000000000 + trace * 1000, 250, 'OK',
       repeat('question ', 10), repeat('answer ', 10)
FROM generate_series(1, %(traces)s) trace;

INSERT INTO trace_tags (request_id, key, value)
SELECT 'tr-' || md5(%(seed)s || '-trace-' || trace), tag.key, tag.value
FROM generate_series(1, %(traces)s) trace, LATERAL (VALUES
  ('mlflow.traceName', 'agent'), ('mlflow.artifactLocation', 'mlflow-artifacts:/1001/traces/' || trace),
  ('team', 't' || mod(trace, 100)), ('stage', 'test')
) tag (key, value);

INSERT INTO trace_request_metadata (request_id, key, value)
SELECT 'tr-' || md5(%(seed)s || '-trace-' || trace), entry.key, entry.value
FROM generate_series(1, %(traces)s) trace, LATERAL (VALUES
  ('mlflow.trace_schema.version', '3'), ('mlflow.user', 'benchmark'), ('mlflow.trace.session', 's' || mod(trace, 500)),
  ('mlflow.traceInputs', '{"question": "why"}')
) entry (key, value);
