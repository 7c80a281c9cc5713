-- Applying networks: numbers, pixels and words in, labels and numbers out, one by one as in batches.

CREATE SCHEMA network_apply;
SET search_path = network_apply, public;
SET max_parallel_workers_per_gather = 0;

CREATE TABLE points AS
	SELECT i AS id, (i % 7) / 7.0::real AS a, i % 2 AS b, i % 3 = 0 AS c,
		CASE WHEN (i % 7) * 2 + i % 2 > 6 THEN 'high' ELSE 'low' END AS label,
		((i % 7) / 7.0 + i % 2)::float8 AS value
	FROM generate_series(1, 200) i;

CREATE TABLE sequences AS
	SELECT id, ARRAY[[a, b], [b, a], [a, a]]::real[] AS v,
		ARRAY[(a > 0.5)::int, b, (a > 0.5)::int] AS steps,
		ARRAY(SELECT l FROM unnest(ARRAY['odd', 'third', 'low']) l
			WHERE l = 'odd' AND b = 1 OR l = 'third' AND c OR l = 'low' AND a < 0.5) AS labels,
		ARRAY[a, b]::float8[] AS numbers
	FROM points;

-- bright above or bright below
CREATE TABLE images AS
	SELECT i AS id, i % 2 = 0 AS label, decode(string_agg(lpad(to_hex(
			CASE WHEN (j < 18) = (i % 2 = 0) THEN 160 + (i * j) % 96 ELSE (i + j) % 64 END), 2, '0'),
			'' ORDER BY j), 'hex') AS image
	FROM generate_series(1, 150) i, generate_series(0, 35) j
	GROUP BY i;

CREATE TABLE messages AS
	SELECT i AS id, CASE WHEN i % 3 = 0 THEN 'spam' ELSE 'ham' END AS label,
		CASE WHEN i % 3 = 0 THEN 'Win a FREE prize now ' || i % 4
			ELSE 'see you at lunch, ' || i % 5 END AS body
	FROM generate_series(1, 200) i;

SET client_min_messages = warning;
SELECT version, task FROM ai_train('class', 'SELECT a, b, c, label FROM points', 'label', 'network',
	'{"layers": [{"dense": 8, "activation": "tanh"}, {"dense": 2}], "epochs": 40, "learning_rate": 0.05}'),
	LATERAL (SELECT task FROM ai_versions WHERE ai_versions.model = 'class') v;
SELECT version FROM ai_train('value', 'SELECT a, b, c, value FROM points', 'value', 'network',
	'{"layers": [{"dense": 8, "activation": "tanh", "name": "inner"}, {"dense": 1}], "epochs": 60,
	"learning_rate": 0.05}');
SELECT version FROM ai_train('values', 'SELECT v, numbers FROM sequences', 'numbers', 'network',
	'{"layers": [{"flatten": true}, {"dense": 2}], "epochs": 60, "learning_rate": 0.05}');
SELECT version FROM ai_train('labels', 'SELECT v, labels FROM sequences', 'labels', 'network',
	'{"layers": [{"flatten": true}, {"dense": 8, "activation": "relu"}, {"dense": 3}], "epochs": 20,
	"learning_rate": 0.05}');
SELECT version FROM ai_train('steps', 'SELECT v, steps FROM sequences', 'steps', 'network',
	'{"input": [3, 2], "layers": [{"lstm": 6, "return_sequences": true}, {"dense": 2}], "epochs": 20,
	"learning_rate": 0.05}');
SELECT version FROM ai_train('image', 'SELECT image, label FROM images', 'label', 'network',
	'{"input": [6, 6, 1], "layers": [{"conv2d": 4, "kernel_size": 3, "activation": "relu"},
	{"max_pool": 2}, {"flatten": true}, {"dense": 2}], "epochs": 20, "learning_rate": 0.05}');
SELECT version FROM ai_train('words', 'SELECT body, label FROM messages', 'label', 'network',
	'{"layers": [{"embedding": 8}, {"lstm": 6}, {"dense": 2}], "epochs": 10, "learning_rate": 0.05}');
SELECT version FROM ai_train('text', 'SELECT body, label FROM messages');
RESET client_min_messages;

--
-- What they answer
--
SELECT avg((ai_classify(p, 'class') = label)::int) > 0.95 AS class,
	max(abs(ai_predict(p, 'value') - value)) < 0.3 AS value
	FROM points p;
SELECT avg((ai_classify(v, 'steps') = steps::text)::int) > 0.9 AS steps,
	max(abs((ai_transform(v, 'values'))[2] - numbers[2])) < 0.3 AS values
	FROM sequences;
SELECT avg((ai_classify(image, 'image') = label::text)::int) > 0.95 AS image FROM images;
SELECT avg((ai_classify(body, 'words') = label)::int) > 0.95 AS words FROM messages;

-- one label
SELECT ai_classify(p, 'class'), ai_score(p, 'high', 'class') > 0.5 AS is_high,
	round((SELECT sum(value::float8) FROM jsonb_each_text(ai_scores(p, 'class')))::numeric, 5) AS sum,
	ai_score(p, 'low', 'class') = (ai_scores(p, 'class')->>'low')::float8 AS same,
	(ai_transform(p, 'class'))[1] = ai_score(p, 'high', 'class')::real AS transformed
	FROM points p WHERE id <= 3 ORDER BY id;

-- any number of labels, with their names in an array
SELECT labels, ai_classify(v, 'labels')::text[] <@ ARRAY['odd', 'third', 'low'] AS known,
	ARRAY(SELECT key FROM jsonb_each_text(ai_scores(v, 'labels')) WHERE value::float8 >= 0.5 ORDER BY 1)
		= ai_classify(v, 'labels')::text[] AS likely,
	ai_score(v, 'odd', 'labels') = (ai_scores(v, 'labels')->>'odd')::float8 AS same
	FROM sequences WHERE id <= 3 ORDER BY id;

-- a label for each step
SELECT ai_classify(v, 'steps')::int[] = steps AS steps, jsonb_array_length(ai_scores(v, 'steps')) AS n,
	(SELECT array_agg(k) FROM jsonb_object_keys(ai_scores(v, 'steps')->0) k) AS keys,
	array_dims(ai_transform(v, 'steps')) AS dims
	FROM sequences WHERE id <= 3 ORDER BY id;

-- what comes out of a layer, in its shape
SELECT array_dims(ai_transform(image, 'image')) AS answer, array_dims(ai_transform(image, 'image', 'conv2d')) AS conv2d,
	array_dims(ai_transform(image, 'image', 'max_pool')) AS max_pool,
	array_dims(ai_transform(image, 'image', 'flatten')) AS flatten
	FROM images WHERE id = 1;
SELECT (SELECT array_agg(x ORDER BY n) FROM unnest(ai_transform(image, 'image', 'max_pool')) WITH ORDINALITY u(x, n))
	= ai_transform(image, 'image', 'flatten') AS same
	FROM images WHERE id = 1;
SELECT array_length(ai_transform('see you', 'words', 'lstm'), 1) AS lstm;

-- pinned
SELECT bool_and(ai_classify_pinned(p, pin) = ai_classify(p, 'class')
	AND ai_scores_pinned(p, pin) = ai_scores(p, 'class')
	AND ai_score_pinned(p, 'low', pin) = ai_score(p, 'low', 'class')) AS same
	FROM points p, ai_pin('class') pin;

--
-- Input of any type that holds numbers
--
CREATE DOMAIN number AS real CHECK (value < 100);
CREATE DOMAIN numbers AS number[];
SELECT count(DISTINCT prediction) AS predictions, count(prediction) AS n FROM (VALUES
	(ai_predict('{1, 0, 1}'::real[], 'value')),
	(ai_predict('{1, 0, 1}'::float8[], 'value')),
	(ai_predict('{1, 0, 1}'::numeric[], 'value')),
	(ai_predict('{1, 0, 1}'::smallint[], 'value')),
	(ai_predict('{1, 0, 1}'::integer[], 'value')),
	(ai_predict('{1, 0, 1}'::bigint[], 'value')),
	(ai_predict('{t, f, t}'::boolean[], 'value')),
	(ai_predict('{1, 0, 1}'::number[], 'value')),
	(ai_predict('{1, 0, 1}'::numbers, 'value')),
	(ai_predict('{{1, 0, 1}}'::real[], 'value')),
	(ai_predict('[5:7]={1, 0, 1}'::integer[], 'value')),
	(ai_predict(ROW(7, 1, 0, true, 'low', 0)::points, 'value'))) t (prediction);
SELECT ai_predict(q, 'value') = ai_predict(ARRAY[0.5, 2, 1], 'value') AS same
	FROM (SELECT true AS c, 2::numeric AS b, 'x' AS d, 0.5::number AS a) q;
SELECT ai_predict(q, 'value') = ai_predict(ARRAY[0.5, 2, 1], 'value') AS same
	FROM (SELECT ARRAY[0.5] AS a, ARRAY[2]::bigint[] AS b, 1 AS c) q;

-- pgvector's types, as they are stored: dimensions, two bytes, numbers
SET client_min_messages = warning;
CREATE TYPE vector;
CREATE FUNCTION vector_in(cstring) RETURNS vector AS 'byteain' LANGUAGE internal IMMUTABLE STRICT;
CREATE FUNCTION vector_out(vector) RETURNS cstring AS 'byteaout' LANGUAGE internal IMMUTABLE STRICT;
CREATE TYPE vector (INPUT = vector_in, OUTPUT = vector_out, LIKE = bytea);
CREATE TYPE halfvec;
CREATE FUNCTION halfvec_in(cstring) RETURNS halfvec AS 'byteain' LANGUAGE internal IMMUTABLE STRICT;
CREATE FUNCTION halfvec_out(halfvec) RETURNS cstring AS 'byteaout' LANGUAGE internal IMMUTABLE STRICT;
CREATE TYPE halfvec (INPUT = halfvec_in, OUTPUT = halfvec_out, LIKE = bytea);
RESET client_min_messages;
-- not anybody's type of that name
SELECT ai_predict('\x030000000000803f000000c000008040'::vector, 'value');
ALTER EXTENSION aiaas ADD TYPE vector;
ALTER EXTENSION aiaas ADD TYPE halfvec;
SELECT ai_predict('\x030000000000803f000000c00000003f'::vector, 'value') = ai_predict('{1, -2, 0.5}'::real[], 'value') AS vector,
	ai_predict('\x03000000003c00c00038'::halfvec, 'value') = ai_predict('{1, -2, 0.5}'::real[], 'value') AS halfvec,
	ai_predict('\x0300000001000082ff7b'::halfvec, 'value') = ai_predict(ARRAY[2 ^ -24, -2 ^ -15, -65504 * -1], 'value') AS small;
SELECT ai_predict('\x020000000000803f000000c0'::vector, 'value');
SELECT ai_predict('\x0300'::vector, 'value');
SELECT ai_predict('\x03000000007c00c00038'::halfvec, 'value');
ALTER EXTENSION aiaas DROP TYPE vector;
ALTER EXTENSION aiaas DROP TYPE halfvec;
DROP TYPE vector, halfvec CASCADE;

-- compressed and out of line
CREATE TABLE stored (v real[], e real[], n numeric[]);
ALTER TABLE stored ALTER v SET STORAGE main, ALTER e SET STORAGE external;
INSERT INTO stored SELECT x, x, x FROM (SELECT array_agg(0.5 * (i % 2)) AS x FROM generate_series(1, 3000) i) t;
SELECT ai_predict(v, 'value') FROM stored;
SELECT ai_predict(e, 'value') FROM stored;
SELECT ai_predict(n[1:3], 'value') = ai_predict(v[1:3], 'value') AS same FROM stored;

-- NULL in, NULL out
SELECT ai_predict(NULL::real[], 'value') IS NULL AS a, ai_classify(NULL::bytea, 'image') IS NULL AS b,
	ai_transform('{1}'::real[], NULL) IS NULL AS c, ai_transform('{1}'::real[], 'value', NULL) IS NULL AS d;
SELECT a, ai_predict(q, 'value') IS NULL AS is_null
	FROM (VALUES (1, 2, true), (NULL, 1, true), (1, 2, NULL)) q (a, b, c) ORDER BY a, c;

--
-- What does not fit
--
SELECT ai_predict(ARRAY[1, 2], 'value');
SELECT ai_predict(ARRAY[1, 2, 3, 4]::real[], 'value');
SELECT ai_predict('{}'::real[], 'value');
SELECT ai_predict(ARRAY[1, NULL, 3], 'value');
SELECT ai_predict(q, 'value') FROM (SELECT ARRAY[1] AS a, ARRAY[NULL]::int[] AS b, 3 AS c) q;
SELECT ai_predict(ARRAY[1, 'NaN', 3]::real[], 'value');
SELECT ai_predict(ARRAY[1, 2, 1e39]::float8[], 'value');
SELECT ai_predict(ARRAY[1, 2, 1e1000]::numeric[], 'value');
SELECT ai_predict(3, 'value');
SELECT ai_predict('1, 2, 3', 'value');
SELECT ai_predict('\x010203'::bytea, 'value');
SELECT ai_predict(now(), 'value');
SELECT ai_predict(ARRAY['a'], 'value');
SELECT ai_predict(q, 'value') FROM (SELECT 1 AS a, 'x'::text AS b, 2 AS c) q;
SELECT ai_predict(q, 'value') FROM (SELECT 1 AS a, 2 AS b) q;
SELECT ai_classify('\x00'::bytea, 'image');
SELECT ai_classify(ARRAY[1, 2], 'image');
SELECT ai_classify(q, 'image') FROM (SELECT 'abc'::text AS image) q;
SELECT ai_classify(42, 'words');
SELECT ai_classify(q, 'words') FROM (SELECT 42 AS body) q;

-- asked for what it does not give
SELECT ai_classify(ARRAY[1, 2, 3], 'value');
SELECT ai_scores(ARRAY[1, 2, 3], 'values');
SELECT ai_score(ARRAY[1, 2, 3], 'low', 'value');
SELECT ai_score(v, '0', 'steps') FROM sequences LIMIT 1;
SELECT ai_predict(v, 'values') FROM sequences LIMIT 1;
SELECT ai_predict(v, 'steps') FROM sequences LIMIT 1;
SELECT ai_predict(p, 'class') FROM points p LIMIT 1;
SELECT ai_predict('a free prize', 'text');
SELECT ai_transform('a free prize', 'text');
SELECT ai_transform('a free prize', 'text', 'dense');
SELECT ai_transform(ARRAY[1, 2, 3], 'value', 'outer');
SELECT ai_score(p, 'medium', 'class') FROM points p LIMIT 1;
SELECT ai_importance('class');
SET aiaas.max_input_bytes = 30;
SELECT ai_predict(ARRAY[1, 2, 3]::float8[], 'value');
SELECT ai_predict(p, 'value') IS NOT NULL AS scalars FROM points p LIMIT 1;
SELECT ai_classify('see you at lunch, see you at lunch', 'words');
RESET aiaas.max_input_bytes;

--
-- In batches
--
CREATE FUNCTION batches(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	line text;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) ' || query LOOP
		IF line ~ 'Batch|Model|Distinct' THEN
			RETURN NEXT regexp_replace(line, ' \(actual.*', '');
		END IF;
	END LOOP;
END $$;
SELECT batches($$SELECT count(ai_classify(image, 'image')), count(ai_transform(image, 'image', 'conv2d')) FROM images$$);
SELECT batches($$SELECT count(ai_predict(p, 'value')) FROM (SELECT a, b, c FROM points) p$$);
DROP FUNCTION batches;

-- every bit of every answer is that of the row by itself
CREATE FUNCTION answers() RETURNS text
	BEGIN ATOMIC
		SELECT md5(string_agg(a, '|'))
		FROM (
			SELECT string_agg(concat_ws(',', ai_classify(p, 'class'), ai_scores(p, 'class'), ai_score(p, 'low', 'class'),
				ai_predict(p, 'value'), ai_transform(p, 'value', 'inner')), ';' ORDER BY id) FROM points p
			UNION ALL
			SELECT string_agg(concat_ws(',', ai_classify(v, 'labels'), ai_scores(v, 'labels'), ai_classify(v, 'steps'),
				ai_scores(v, 'steps'), ai_transform(v, 'values'), ai_transform(v, 'steps', 'lstm')), ';' ORDER BY id)
				FROM sequences
			UNION ALL
			SELECT string_agg(concat_ws(',', ai_scores(image, 'image'), ai_transform(image, 'image', 'conv2d')), ';' ORDER BY id)
				FROM images
			UNION ALL
			SELECT string_agg(ai_scores(body, 'words')::text, ';' ORDER BY id) FROM messages) t (a);
	END;
SET aiaas.batch = off;
SELECT answers() AS alone \gset
SET aiaas.batch = on;
SELECT answers() = :'alone' AS same;
SET aiaas.threads = 1;
SELECT answers() = :'alone' AS same;
SET aiaas.threads = 4;
SELECT answers() = :'alone' AS same;
SET aiaas.max_batch_memory = 64;
SELECT answers() = :'alone' AS same;
RESET aiaas.max_batch_memory;
RESET aiaas.threads;

-- an error belongs to its row
CREATE TABLE bad AS SELECT id, CASE WHEN id = 50 THEN ARRAY[1, 2] WHEN id = 70 THEN ARRAY[1, NULL, 2] ELSE ARRAY[id % 3, 1, 2] END AS v,
	CASE WHEN id = 30 THEN 'no layer' WHEN id % 2 = 0 THEN 'inner' ELSE 'dense' END AS layer,
	CASE WHEN id = 40 THEN 'text' WHEN id % 2 = 0 THEN 'value' ELSE 'other' END AS model
	FROM generate_series(1, 100) id;
SELECT count(p) FROM (SELECT ai_predict(v, 'value') p FROM bad LIMIT 49) t;
SELECT count(p) FROM (SELECT ai_predict(v, 'value') p FROM bad LIMIT 50) t;
SELECT count(p) FROM (SELECT ai_predict(v, 'value') p FROM bad WHERE id > 50 LIMIT 19) t;
SELECT count(p) FROM (SELECT ai_predict(v, 'value') p FROM bad WHERE id > 50 LIMIT 20) t;

-- layers and models of rows differ
SELECT array_length(ai_transform(v, 'value', layer), 1) AS n, count(*) FROM bad WHERE id < 30 GROUP BY 1 ORDER BY 1;
SELECT count(ai_transform(v, 'value', layer)) FROM bad WHERE id < 40;
SET client_min_messages = warning;
SELECT version FROM ai_train('other', 'SELECT a, b, c, 10 * value AS value FROM points', 'value', 'network',
	'{"layers": [{"dense": 1}], "epochs": 100, "learning_rate": 0.1}');
RESET client_min_messages;
SELECT avg(abs(ai_predict(p, model) - value * CASE model WHEN 'other' THEN 10 ELSE 1 END)) < 1 AS close
	FROM points p JOIN bad USING (id) WHERE id < 40;
SELECT count(ai_predict(p, model)) FROM points p JOIN bad USING (id);

--
-- Why: contributions, the baseline and the gap make the score
--
SELECT feature, kind, count, value::real, contribution <> 0 OR kind = 'gap' AS speaks FROM ai_explain((SELECT p FROM points p WHERE id = 7), 'value')
	ORDER BY kind, feature;
SELECT round(sum(contribution)::numeric, 3) = round(ai_predict(p, 'value')::numeric, 3) AS adds_up
	FROM points p, LATERAL ai_explain(p, 'value') WHERE id = 7 GROUP BY p;
SELECT bool_and(abs(gap) < 0.02 * (abs(score) + 1)) AS small FROM images,
	LATERAL (SELECT sum(contribution) AS score, max(contribution) FILTER (WHERE kind = 'gap') AS gap FROM ai_explain(image, 'image')) e
	WHERE id < 20;
SELECT feature, kind, value > 0 AS bright FROM ai_explain((SELECT image FROM images WHERE id = 1), 'image') ORDER BY abs(contribution) DESC, feature LIMIT 1;
SELECT array_agg(kind::text ORDER BY kind) AS kinds, count(feature) AS words FROM ai_explain((SELECT body FROM messages LIMIT 1), 'words') WHERE kind <> 'word';
WITH of_label AS (SELECT label, (SELECT sum(contribution) FROM ai_explain(body, 'words', label)) AS score
	FROM (SELECT body FROM messages LIMIT 1) m, (SELECT DISTINCT label FROM messages) l)
SELECT round(sum(score)::numeric, 4) AS opposite FROM of_label;
SELECT ai_explain(v, 'steps') FROM sequences LIMIT 1;
SELECT ai_explain(v, 'values') FROM sequences LIMIT 1;
SELECT ai_explain((SELECT p FROM points p LIMIT 1), 'class', 'neither');
SELECT count(*) FROM ai_explain(NULL::real[], 'value');

--
-- Looking after
--
SELECT name, task, labels FROM ai_models WHERE name IN ('class', 'value', 'labels', 'steps') ORDER BY 1;
SELECT DISTINCT stored, shared FROM ai_check();
SELECT model, batches < rows AS is_batched FROM ai_stats WHERE function = 'ai_predict' AND model = 'value';

-- moved to another name, they answer the same
SELECT i.model, i.version, i.algorithm, i.task, i.labels FROM unnest(ARRAY['class', 'value', 'steps', 'image', 'words']) name,
	LATERAL ai_import(name || '_moved', (SELECT string_agg(data, '' ORDER BY seq) FROM ai_export(name))) i;
SELECT bool_and(ai_scores(p, 'class') = ai_scores(p, 'class_moved') AND ai_predict(p, 'value') = ai_predict(p, 'value_moved')) AS same
	FROM points p;
SELECT bool_and(ai_scores(image, 'image') = ai_scores(image, 'image_moved')) AS same FROM images;
SELECT bool_and(ai_scores(body, 'words') = ai_scores(body, 'words_moved')) AS same FROM messages;

SELECT count(ai_drop(name)::text) AS dropped FROM ai_models WHERE algorithm = 'network' OR name = 'text';
DROP FUNCTION answers();
