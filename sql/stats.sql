-- what has been done with models is counted, and what runs now is seen by whom it concerns
\pset null '-'
CREATE TABLE mail AS
	SELECT i % 2 AS label, CASE i % 2 WHEN 0 THEN 'free prize ' ELSE 'see you ' END || i AS body
	FROM generate_series(1, 60) i;
SELECT version FROM ai_train('stats', 'SELECT label, body FROM mail', 'label');
SELECT ai_stats_reset();
CREATE FUNCTION counts() RETURNS TABLE (model text, version int, function text, calls bigint, rows bigint,
		distinct_inputs bigint, errors bigint, has_time boolean, builds bigint, hits bigint)
	LANGUAGE sql AS $$
	SELECT model, version, function, calls, rows, distinct_inputs, errors, model_time > 0, cache_builds,
		cache_hits
	FROM ai_stats $$;

-- a model is opened, and run
SELECT count(*) FROM ai_evaluate('stats', 'SELECT label, body FROM mail', 'label');
SELECT count(*) FROM ai_confusion('stats', 'SELECT label, body FROM mail LIMIT 7', 'label');
SELECT * FROM counts();
SELECT DISTINCT since BETWEEN now() - interval '1 hour' AND clock_timestamp() FROM ai_stats;

-- of equal inputs in a batch one is computed, and NULLs are none
SELECT ai_stats_reset();
SELECT count(ai_classify(body, 'stats')), count(ai_score(CASE WHEN label = 1 THEN 'see you' END, '1', 'stats'))
FROM mail;
SELECT function, calls, rows, distinct_inputs, batches > 0 AS has_batches, errors, model_time > 0 AS has_time
FROM ai_stats WHERE function IS NOT NULL;
SELECT ai_stats_reset();
SET aiaas.batch = off;
SELECT count(ai_classify(body, 'stats')), count(ai_score(CASE WHEN label = 1 THEN 'see you' END, '1', 'stats'))
FROM mail;
RESET aiaas.batch;
SELECT function, calls, rows, distinct_inputs, batches, errors, model_time > 0 AS has_time
FROM ai_stats WHERE function IS NOT NULL;

-- a row that fails is an error of its function, a row before it is not
SELECT ai_stats_reset();
SELECT ai_score(body, CASE label WHEN 0 THEN 'none' ELSE '0' END, 'stats') IS NOT NULL FROM mail LIMIT 1;
SELECT count(ai_score(body, CASE body WHEN 'see you 7' THEN 'none' ELSE '0' END, 'stats')) FROM mail;
SELECT ai_classify(body || 1 / (label - label), 'stats') FROM mail;
SELECT function, errors FROM ai_stats WHERE function IS NOT NULL;
SELECT ai_stats_reset();

-- what is counted stays when the transaction rolls back, and errors are counted then
BEGIN;
SELECT count(*) FROM ai_evaluate('stats', 'SELECT label, body FROM mail LIMIT 1', 'label');
SELECT calls, rows FROM ai_stats WHERE function = 'ai_evaluate';
ROLLBACK;
SELECT * FROM ai_evaluate('stats', 'SELECT label, body || (1 / (label - label)) AS body FROM mail', 'label');
SELECT calls, rows, errors FROM ai_stats WHERE function = 'ai_evaluate';

-- an error that a block catches is counted once, and is no error of what the block is called by
CREATE FUNCTION caught(body text) RETURNS text LANGUAGE plpgsql STABLE AS $$
	BEGIN
		IF body ~ '7' THEN
			PERFORM * FROM ai_confusion('stats', 'SELECT 1/0 AS label, ''x'' AS body', 'label');
		END IF;
		RETURN body;
	EXCEPTION WHEN division_by_zero THEN
		RETURN body;
	END $$;
SELECT count(*) FROM ai_evaluate('stats', 'SELECT label, caught(body) AS body FROM mail', 'label');
SELECT function, calls, rows, errors FROM ai_stats WHERE function IS NOT NULL;

-- a model that another may use shows to him, one that is dropped to nobody
CREATE ROLE regress_stats_user;
SELECT version FROM ai_train('stats_secret', 'SELECT label, body FROM mail', 'label');
SELECT count(*) FROM ai_evaluate('stats_secret', 'SELECT label, body FROM mail', 'label');
SELECT ai_grant('stats', 'regress_stats_user', 'use');
SET ROLE regress_stats_user;
SELECT DISTINCT model FROM ai_stats;
SELECT ai_stats_reset();
SELECT ai_stats_reset('stats');
SELECT ai_stats_reset('stats_secret');
RESET ROLE;
SELECT DISTINCT model FROM ai_stats ORDER BY model;
SELECT ai_drop('stats_secret');
SELECT DISTINCT model FROM ai_stats;

-- who administers a model may forget what was counted for it
SELECT ai_grant('stats', 'regress_stats_user', 'admin');
SET ROLE regress_stats_user;
SELECT ai_stats_reset('stats@1');
SELECT ai_stats_reset('stats@2');
SELECT ai_stats_reset(NULL);
RESET ROLE;
SELECT count(*) FROM ai_stats;
SELECT count(*) FROM ai_confusion('stats', 'SELECT label, body FROM mail', 'label');
SELECT model, version, function, calls FROM ai_stats WHERE function IS NOT NULL;
SELECT ai_stats_reset('stats');
SELECT count(*) FROM ai_stats;
GRANT EXECUTE ON FUNCTION ai_stats_reset() TO regress_stats_user;
SET ROLE regress_stats_user;
SELECT ai_stats_reset();
RESET ROLE;

-- a training sees itself; what is called inside of it is not shown
SELECT count(*) FROM ai_activity;
CREATE FUNCTION watch(label int, context text) RETURNS int LANGUAGE plpgsql STABLE AS $$
	DECLARE
		it record;
	BEGIN
		FOR it IN SELECT * FROM ai_activity LOOP
			RAISE NOTICE '% % % version %, %: rows %, bytes %, epoch %, loss %, by %', context, it.function,
				it.model, it.version, it.phase, it.rows, it.bytes, it.epoch, it.loss, it.role = session_user;
			IF it.pid <> pg_backend_pid() OR it.leader_pid IS NOT NULL OR it.database <> current_database() OR
				it.elapsed < '0' OR it.started > clock_timestamp() OR it.share NOT BETWEEN 0 AND 1 THEN
				RAISE WARNING '%', it;
			END IF;
		END LOOP;
		RETURN label;
	END $$;
SELECT version FROM ai_train('watched', $$
	SELECT CASE body WHEN 'free prize 4' THEN watch(label, 'inside') ELSE label END AS label, body FROM mail
	WHERE body <> 'see you 5' OR 0 < (SELECT count(*) FROM ai_evaluate('stats', 'SELECT watch(label, ''nested'') AS label, body FROM mail LIMIT 1', 'label')) $$,
	'label');
SELECT count(*) FROM ai_evaluate('stats', 'SELECT watch(label, ''evaluating'') AS label, body FROM mail LIMIT 2', 'label');
SELECT count(*) FROM ai_activity;

-- an error ends it, also the one that a block catches
SELECT * FROM ai_evaluate('stats', 'SELECT label, body || (1 / (label - label)) AS body FROM mail', 'label');
SELECT count(*) FROM ai_activity;
DO $$
	BEGIN
		BEGIN
			PERFORM * FROM ai_evaluate('stats', 'SELECT 1/0 AS label, ''x'' AS body', 'label');
		EXCEPTION WHEN division_by_zero THEN
			RAISE NOTICE 'running now: %', (SELECT count(*) FROM ai_activity);
		END;
	END $$;

-- others do not see it; who reads all statistics does
CREATE FUNCTION watch_as(label int, who text) RETURNS int LANGUAGE plpgsql STABLE AS $$
	BEGIN
		EXECUTE format('SET LOCAL ROLE %I', who);
		RAISE NOTICE '% sees %', who,
			(SELECT string_agg(concat_ws(' ', function, model), ', ') FROM ai_activity);
		RETURN label;
	END $$;
ALTER FUNCTION watch_as VOLATILE;
SELECT count(*) FROM ai_evaluate('stats', 'SELECT watch_as(1, ''regress_stats_user'') AS label, body FROM mail LIMIT 1', 'label');
GRANT pg_read_all_stats TO regress_stats_user;
SELECT count(*) FROM ai_evaluate('stats', 'SELECT watch_as(1, ''regress_stats_user'') AS label, body FROM mail LIMIT 1', 'label');
REVOKE pg_read_all_stats FROM regress_stats_user;

REVOKE EXECUTE ON FUNCTION ai_stats_reset() FROM regress_stats_user;
SELECT ai_revoke('stats', 'regress_stats_user', 'use');
DROP ROLE regress_stats_user;
DROP FUNCTION counts, caught, watch, watch_as;
SELECT ai_drop('stats');
SELECT ai_drop('watched');
DROP TABLE mail;
