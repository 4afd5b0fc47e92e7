-- A fraction in [0, 1) that follows from the numbers of the run and of the key.
CREATE OR REPLACE FUNCTION pg_temp.fraction(run bigint, key bigint) RETURNS double precision LANGUAGE sql IMMUTABLE AS
$$ SELECT mod((run * 16 + key) * 2654435761, 4294967296)::double precision / 4294967296 $$;
