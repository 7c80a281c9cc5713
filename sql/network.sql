-- Training networks: what is learnt from, what is stored, and every way in which that fails.

CREATE SCHEMA network;
SET search_path = network, public;
-- each epoch is a NOTICE with its time
SET client_min_messages = warning;

CREATE TABLE points AS
	SELECT i AS id, sin(i)::real AS x, cos(i * 1.7)::real AS y, i % 3 = 0 AS third,
		CASE WHEN sin(i) + cos(i * 1.7) > 0 THEN 'up' ELSE 'down' END AS label,
		sin(i) * 2 - cos(i * 1.7) + 0.5 AS height
	FROM generate_series(1, 300) i;

-- a result without what differs from run to run, or from processor to processor
CREATE FUNCTION train(model text, query text, options jsonb DEFAULT '{}', target text DEFAULT NULL)
	RETURNS TABLE (version int, train_rows bigint, validation_rows bigint, metric text,
		good boolean, deployed boolean)
	LANGUAGE sql AS $$
		SELECT t.version, t.train_rows, t.validation_rows, t.metric,
			t.train_score > 0.7 AND t.validation_score > 0.7, t.deployed
		FROM ai_train(model, query, target, options =>
			'{"layers": [{"dense": 8, "activation": "relu"}, {"dense": 2}], "epochs": 4,
				"learning_rate": 0.05}'::jsonb || options) t $$;
CREATE FUNCTION hash(model text) RETURNS text LANGUAGE sql AS $$ SELECT ai_describe(model)->>'hash' $$;

-- a network is defined, trained, measured and stored by one call, and deployed
SELECT * FROM train('side', 'SELECT x, y, label FROM points');
SELECT algorithm, task, labels, metric FROM ai_models WHERE name = 'side';
SELECT ai_classify(ARRAY[0.9, 0.8]::real[], 'side') AS up, ai_classify(ARRAY[-0.9, -0.1]::real[], 'side') AS down;

-- what is known of it
SELECT ai_summary('side');
SELECT epoch, loss < 0.7 AS loss, score > 0.5 AS score, validation_loss < 0.7 AS validation_loss,
	validation_score > 0.5 AS validation_score, learning_rate, duration > '0' AS took_time
	FROM ai_history('side');
SELECT jsonb_pretty((d->'features') - 'work') AS features, d->'labels' AS labels,
	(d->'lineage') - '{server_version,user}'::text[] AS lineage FROM ai_describe('side') d;
SELECT key FROM jsonb_object_keys(ai_describe('side')->'metrics') key ORDER BY key;

-- its options give the same model again, in whatever order rows come
SELECT version, deployed FROM ai_train('again', 'SELECT x, y, label FROM points ORDER BY id % 7, -id',
	options => ai_describe('side')->'options');
SELECT hash('again') = hash('side') AS same;
SELECT version FROM train('again', 'SELECT x, y, label FROM points', '{"seed": 2}');
SELECT hash('again@2') = hash('side') AS same;

--
-- Inputs
--

-- numbers of any types, alone or together
SELECT input, train.* FROM unnest(ARRAY['ARRAY[x, y]', 'ARRAY[x, y]::float8[] AS v', 'ARRAY[x, y]::numeric(9,3)[] AS v',
	'ARRAY[x * 100, y * 100]::int[] AS v', 'ARRAY[[x], [y]] AS v', 'x::float8, third, y::numeric', 'ARRAY[x, y] AS v, third, id']) input,
	train('inputs', format('SELECT %s, label FROM points', input), '{"deploy": "always", "layers": ["normalize", {"dense": 2}]}');
SELECT ai_describe('inputs')->'features'->'columns';

-- bytes are pixels, in the shape that "input" says
CREATE VIEW images AS SELECT label, decode(repeat(lpad(to_hex((x * 127 + 128)::int), 2, '0'), 8)
	|| repeat(lpad(to_hex((y * 127 + 128)::int), 2, '0'), 8), 'hex') AS image FROM points;
SELECT * FROM train('images', 'SELECT image, label FROM images',
	'{"input": [4, 4, 1], "layers": [{"conv2d": 4, "kernel_size": 3}, "flatten", {"dense": 2}]}');
SELECT ai_summary('images');
SELECT train('images', 'SELECT image, label FROM images', '{"input": [4, 5, 1]}');

-- texts are words, which an embedding knows
CREATE VIEW texts AS SELECT label, CASE label WHEN 'up' THEN 'win a free prize now ' ELSE 'see you at lunch ' END || id % 50 AS body FROM points;
SELECT * FROM train('texts', 'SELECT body, label FROM texts', '{"layers": [{"embedding": 4}, {"lstm": 4}, {"dense": 2}]}');
SELECT d->'metrics'->'words' AS words, d->'metrics'->'steps' AS steps, d->'features'->'shape' AS shape,
	d->'features'->'layers'->0 AS layer FROM ai_describe('texts') d;
SELECT ai_classify('a free prize', 'texts'), ai_classify('lunch with you', 'texts');
SELECT train('texts', 'SELECT body, label FROM texts');

-- 'auto' is a network where there are layers, and else learns from texts
SELECT algorithm FROM ai_train('auto', 'SELECT body, label FROM texts');
SELECT algorithm FROM ai_train('auto', 'SELECT body, label FROM texts',
	options => '{"layers": [{"embedding": 2}, "flatten", {"dense": 2}], "epochs": 1, "deploy": "never"}');
SELECT ai_train('auto', 'SELECT body, label FROM texts', algorithm => 'network');
SELECT ai_train('auto', 'SELECT body, label FROM texts', algorithm => 'text', options => '{"layers": []}');
SELECT ai_train('auto', 'SELECT x, label FROM points');
SELECT ai_train('auto', 'SELECT x, label FROM points', algorithm => 'neural');

--
-- Targets
--
SELECT target, train.metric
	FROM unnest(ARRAY['label', 'label::char(8)', 'third', 'id % 2', '(id % 2)::numeric', 'height', 'height::real', 'ARRAY[height, -height]']) target,
	train('targets', format('SELECT x, y, %s AS target FROM points', target), '{"deploy": "always"}' ||
		CASE WHEN target LIKE 'height%' THEN '{"layers": [{"dense": 1}]}' WHEN target LIKE '%numeric'
			THEN '{"loss": "sparse_categorical_crossentropy"}' ELSE '{}' END::jsonb);
-- a loss of values makes numbers of integers
SELECT metric FROM train('targets', 'SELECT x, y, id % 2 AS target FROM points', '{"loss": "mse", "layers": [{"dense": 1}], "deploy": "never"}');
SELECT d->'version' AS version, d->'task' AS task, d->'labels' AS labels, d->'lineage'->'target_type' AS type
	FROM generate_series(1, 9) i, ai_describe('targets@' || i) d;

-- two classes may have one output
SELECT * FROM train('one', 'SELECT x, y, label FROM points', '{"layers": [{"dense": 8, "activation": "relu"}, {"dense": 1}]}');
SELECT actual, predicted, rows > 100 AS many FROM ai_confusion('one', 'SELECT x, y, label FROM points');

-- a label for each step, some of which have none
CREATE VIEW steps AS SELECT id, ARRAY[x, y, x - y, x + y] AS v, ARRAY[(x > 0)::int, (y > 0)::int, (x > y)::int,
	CASE WHEN id % 5 > 0 THEN (x + y > 0)::int END] AS target FROM points;
SELECT * FROM train('steps', 'SELECT v, target FROM steps', '{"input": [4, 1]}');
SELECT metric, round(value::numeric, 1) AS value FROM ai_evaluate('steps', 'SELECT v, target FROM steps')
	WHERE metric IN ('rows', 'steps', 'accuracy', 'f1_macro');
SELECT actual, sum(rows) FROM ai_confusion('steps', 'SELECT v, target FROM steps') GROUP BY actual ORDER BY actual;

-- any number of labels
CREATE VIEW sets AS SELECT id, x, y, array_remove(ARRAY[CASE WHEN x > 0 THEN 'right' END, CASE WHEN y > 0 THEN 'high' END,
	CASE WHEN x > y THEN 'flat' END], NULL) AS target FROM points;
SELECT * FROM train('sets', 'SELECT x, y, target FROM sets', '{"layers": [{"dense": 16, "activation": "relu"}, {"dense": 3}]}');
SELECT metric, round(value::numeric, 1) AS value FROM ai_evaluate('sets', 'SELECT x, y, target FROM sets');
SELECT metric, round(value::numeric, 1) AS value FROM ai_evaluate('sets', $$SELECT x, y, ARRAY['new'] AS target FROM sets$$)
	WHERE metric IN ('rows', 'subset_accuracy', 'recall_macro');
SELECT * FROM ai_confusion('sets', 'SELECT x, y, target FROM sets');

-- several values
SELECT * FROM train('values', 'SELECT x, y, ARRAY[height, x] AS target FROM points', '{"epochs": 20}');
SELECT metric, round(value::numeric, 1) AS value FROM ai_evaluate('values', 'SELECT x, y, ARRAY[height, x] AS target FROM points');
SELECT * FROM ai_confusion('values', 'SELECT x, y, ARRAY[height, x] AS target FROM points');

--
-- Columns that do not fit
--
SELECT train('bad', 'SELECT label FROM points');
SELECT train('bad', 'SELECT x, now(), label FROM points');
SELECT train('bad', $$SELECT x, 'a'::text AS "Text", label FROM points$$);
SELECT train('bad', 'SELECT x, image, p.label FROM points p, images LIMIT 2');
SELECT train('bad', 'SELECT x, now() AS target FROM points');
SELECT train('bad', 'SELECT x, ARRAY[now()] AS target FROM points');
SELECT train('bad', 'SELECT x, y FROM points');
SELECT train('bad', 'SELECT x, y, label FROM points', target => 'side');
SELECT ai_evaluate('images', 'SELECT x, label FROM points');
SELECT ai_evaluate('values', 'SELECT x, y, label FROM points');
SELECT ai_evaluate('values', 'SELECT x, y, height AS target FROM points');
SELECT ai_evaluate('sets', 'SELECT x, y, label FROM points');
SELECT ai_evaluate('steps', 'SELECT v, ARRAY[1, 0, 1, 0, 1] AS target FROM steps');
SELECT ai_evaluate('side', 'SELECT x, label FROM points');

--
-- Rows that do not fit
--
SELECT train('bad', 'SELECT x, nullif(id, 17) AS id, label FROM points');
SELECT train('bad', 'SELECT x, CASE WHEN id <> 17 THEN label END AS label FROM points');
SELECT train('bad', 'SELECT ARRAY[x, nullif(id, 17)] AS v, label FROM points');
SELECT train('bad', $$SELECT CASE id WHEN 17 THEN 'NaN' ELSE x END AS x, y, label FROM points$$);
SELECT train('bad', 'SELECT CASE id WHEN 17 THEN 1e39 ELSE id END AS x, label FROM points');
SELECT train('bad', 'SELECT CASE id WHEN 17 THEN ARRAY[x] ELSE ARRAY[x, y] END AS v, label FROM points');
SELECT train('bad', $$SELECT CASE id WHEN 17 THEN '{}' ELSE ARRAY[x, y] END AS v, label FROM points$$);
SELECT train('bad', $$SELECT CASE id WHEN 17 THEN '\x' ELSE image END AS image, label FROM images, generate_series(17, 18) id LIMIT 9$$, '{"input": [16]}');
SELECT train('bad', 'SELECT x, y, CASE id WHEN 17 THEN ARRAY[x] ELSE ARRAY[x, y] END AS target FROM points');
SELECT train('bad', 'SELECT v, target[:CASE id WHEN 17 THEN 3 ELSE 4 END] AS target FROM steps', '{"input": [4, 1]}');
SELECT train('bad', 'SELECT x, y, array_append(target, CASE WHEN id <> 17 THEN ''x'' END) AS target FROM sets');
SELECT train('bad', 'SELECT x, id / 7.0 AS target FROM points', '{"loss": "categorical_crossentropy"}');
SELECT train('bad', 'SELECT ARRAY[id % 5] AS v, label FROM points', '{"layers": [{"embedding": 4, "input_dim": 4}, "flatten", {"dense": 2}]}');

-- or are left out and counted
SELECT * FROM train('skip', $$SELECT CASE id WHEN 17 THEN ARRAY[x] ELSE ARRAY[x, y] END AS v, CASE WHEN id > 5 THEN label END AS label
	FROM points$$, '{"on_bad_row": "skip"}');
SELECT d->'lineage'->'rows' AS rows, d->'lineage'->'skipped_rows' AS skipped, d->'options'->'on_bad_row' AS option FROM ai_describe('skip') d;
SELECT train('bad', 'SELECT x, NULL::text AS label FROM points', '{"on_bad_row": "skip"}');

-- ai_evaluate leaves nulls out, and nothing else
SELECT value FROM ai_evaluate('side', 'SELECT nullif(x, -1) AS x, y, CASE WHEN id > 5 THEN label END AS label FROM points') WHERE metric = 'rows';
SELECT ai_evaluate('side', $$SELECT CASE id WHEN 17 THEN 'Infinity' ELSE x END AS x, y, label FROM points$$);

-- rows that cannot be learnt from
SELECT train('bad', 'SELECT x, label FROM points WHERE false');
SELECT train('bad', 'SELECT x, ''same''::text AS label FROM points');
SELECT train('bad', 'SELECT x, y, id AS label FROM points');

--
-- Options
--
SELECT train('bad', 'SELECT x, label FROM points', '{"epoch": 3}');
SELECT train('bad', 'SELECT x, label FROM points', '{"on_bad_row": "ignore"}');
SELECT train('bad', 'SELECT x, label FROM points', '{"deploy": "maybe"}');
SELECT train('bad', 'SELECT x, label FROM points', '{"base": 1}');
SELECT train('bad', 'SELECT x, label FROM points', '{"base": "nothing"}');
SELECT train('bad', 'SELECT x, label FROM points', '{"base": "auto"}');
SELECT train('bad', 'SELECT x, label FROM points', '{"max_time": 0}');
SELECT train('bad', 'SELECT x, label FROM points', '{"validation": 0.6}');
SELECT train('bad', 'SELECT x, label FROM points', '{"layers": [{"dens": 1}]}');
SELECT train('bad', 'SELECT x, label FROM points', '{"layers": [{"dense": 0}]}');
SELECT train('bad', 'SELECT x, label FROM points', '{"layers": [{"dense": 3}]}');
SELECT ai_train('bad', 'SELECT x, label FROM points', algorithm => 'network', options => '[]');
SELECT train_rows FROM train('null', 'SELECT x, label FROM points', '{"epochs": null, "deploy": null, "validation": null}');
SET aiaas.max_train_time = 10;
SELECT train('bad', 'SELECT x, label FROM points', '{"max_time": "11 s"}');
RESET aiaas.max_train_time;

-- Keras's own document, as JSON or as the string that model.to_json() returns
SELECT name, good FROM (VALUES ('json', '{"class_name": "Sequential", "config": {"layers": [
		{"class_name": "Dense", "config": {"name": "hidden", "units": 8, "activation": "relu"}},
		{"class_name": "Dense", "config": {"name": "head", "units": 2, "activation": "softmax"}}]}}'::jsonb)) k (name, document),
	LATERAL (VALUES (document), (to_jsonb(document::text))) l (layers),
	train(name, 'SELECT x, y, label FROM points', jsonb_build_object('layers', layers));
SELECT hash('json@1') = hash('json@2') AS same;
SELECT train('bad', 'SELECT x, y, label FROM points', '{"layers": "dense"}');

--
-- Validation by a query
--
SELECT * FROM train('held', 'SELECT x, y, label FROM points WHERE id <= 200',
	'{"validation": "SELECT label, y, x FROM points WHERE id > 200"}');
SELECT d->'options'->'validation' AS option, d->'lineage'->'validation_query' AS query FROM ai_describe('held') d;
-- the deployed version is measured on the same rows
SELECT version, deployed FROM train('held', 'SELECT x, y, label FROM points WHERE id <= 200',
	'{"learning_rate": 0, "validation": "SELECT label, y, x FROM points WHERE id > 200"}');
SELECT train('bad', 'SELECT x, y, label FROM points', '{"validation": "SELECT x, label FROM points"}');
SELECT train('bad', 'SELECT x, y, label FROM points', '{"validation": "SELECT x, x AS z, label FROM points"}');
SELECT train('bad', 'SELECT x, y, label FROM points', '{"validation": "SELECT x, id AS y, label FROM points"}');
SELECT train('bad', 'SELECT x, y, label FROM points', '{"validation": "SELECT x, nullif(y, y) AS y, label FROM points"}');
SELECT train('bad', 'SELECT x, y, label FROM points', '{"validation": "SELECT x, y, label FROM points WHERE false"}');
SELECT train('bad', 'SELECT x, y, label FROM points', '{"validation": "DELETE FROM points"}');
SELECT train('bad', 'SELECT x, y, label FROM points', '{"validation": "SELECT x, y, label FROM points WHERE id / 0 = 1"}');

--
-- Which version is deployed
--
SELECT version, deployed FROM train('side', 'SELECT x, y, label FROM points', '{"learning_rate": 0}');
SELECT version, deployed FROM train('side', 'SELECT x, y, label FROM points', '{"learning_rate": 0, "deploy": "always"}');
SELECT version, deployed FROM train('side', 'SELECT x, y, label FROM points', '{"epochs": 20}');
SELECT version, deployed FROM train('side', 'SELECT x, y, height FROM points', '{"layers": [{"dense": 1}], "epochs": 20}', 'height');
SELECT version, deployed FROM ai_versions WHERE model = 'side';
-- a text classifier and a network of texts are measured on the same rows: whichever has learnt the opposite gives way
CREATE VIEW opposite AS SELECT body, CASE label WHEN 'up' THEN 'down' ELSE 'up' END AS label FROM texts;
SELECT version, algorithm, deployed FROM ai_train('kinds', 'SELECT body, label FROM opposite');
SELECT version, good, deployed FROM train('kinds', 'SELECT body, label FROM texts', '{"layers": [{"embedding": 4}, {"lstm": 4}, {"dense": 2}]}');
SELECT version, good, deployed FROM train('kinds', 'SELECT body, label FROM opposite', '{"layers": [{"embedding": 4}, {"lstm": 4}, {"dense": 2}], "deploy": "always"}');
SELECT version, algorithm, deployed FROM ai_train('kinds', 'SELECT body, label FROM texts');
SELECT version, deployed FROM train('kinds', 'SELECT body, label FROM texts', '{"layers": [{"embedding": 4}, {"lstm": 4}, {"dense": 2}], "learning_rate": 0}');

--
-- From what another model has learnt
--
SELECT version, good FROM train('warm', 'SELECT x, y, label FROM points', '{"base": "side", "learning_rate": 0}');
SELECT ai_describe('warm')->'lineage'->'base' AS base, ai_describe('warm')->'options'->'base' AS option;
SELECT train('bad', 'SELECT x, y, third, label FROM points', '{"base": "side"}');
SELECT train('bad', 'SELECT x, y, label FROM points', '{"base": "side", "layers": [{"dense": 3, "name": "other"}, {"dense": 2, "name": "head"}]}');

--
-- What memory does not hold goes to a file, and gives the same model
--
CREATE TABLE wide AS SELECT array_fill(0.5::real, ARRAY[99]) || (i % 1000)::real AS v, i % 2 AS label FROM generate_series(1, 40000) i;
SET aiaas.max_train_memory = '16MB';
SELECT train_rows + validation_rows AS rows FROM train('file', 'SELECT v, label FROM wide', '{"layers": [{"dense": 2}], "epochs": 1}');
SET temp_file_limit = '1MB';
\set VERBOSITY sqlstate
SELECT train('bad', 'SELECT v, label FROM wide', '{"layers": [{"dense": 2}], "epochs": 1}');
SELECT train('bad', 'SELECT v, label FROM wide', '{"layers": [{"dense": 2}], "epochs": 1, "on_bad_row": "skip"}');
\set VERBOSITY default
RESET temp_file_limit;
RESET aiaas.max_train_memory;
SELECT train_rows + validation_rows AS rows FROM train('memory', 'SELECT v, label FROM wide ORDER BY label', '{"layers": [{"dense": 2}], "epochs": 1}');
SELECT hash('file') = hash('memory') AS same, (ai_describe('file')->'metrics'->>'spilled_bytes')::int > 0 AS spilled,
	ai_describe('memory')->'metrics'->'spilled_bytes' AS memory;

--
-- Models without epochs and layers
--
SELECT * FROM ai_history('auto');
SELECT ai_summary('auto');
SELECT ai_summary('nothing');
SELECT ai_summary(NULL) IS NULL AS is_null;

--
-- Rights
--
CREATE ROLE regress_aiaas_learner;
GRANT USAGE, CREATE ON SCHEMA network TO regress_aiaas_learner;
GRANT SELECT ON points TO regress_aiaas_learner;
GRANT EXECUTE ON FUNCTION ai_train(text, text, text, text, jsonb) TO regress_aiaas_learner;
SELECT ai_grant('side', 'regress_aiaas_learner', 'use');
SET ROLE regress_aiaas_learner;
SELECT ai_summary('side');
SELECT * FROM ai_history('side');
SELECT value FROM ai_evaluate('side@1', 'SELECT x, y, label FROM points') WHERE metric = 'rows';
SELECT train('mine', 'SELECT x, y, label FROM points', '{"base": "side@1"}');
SELECT train('side', 'SELECT x, y, label FROM points');
SELECT train('mine', 'SELECT v, label FROM wide');
SELECT train('mine', 'SELECT x, y, label FROM points', '{"validation": "SELECT 1::real AS x, 1::real AS y, label::text FROM wide"}');
RESET ROLE;
SELECT ai_grant('side', 'regress_aiaas_learner', 'read');
SET ROLE regress_aiaas_learner;
SELECT count(*) FROM ai_history('side');
SELECT version FROM train('mine', 'SELECT x, y, label FROM points', '{"base": "side@1"}');
SELECT ai_drop('mine');
RESET ROLE;

-- a failed run leaves nothing behind
SELECT count(*) FROM ai_models WHERE name = 'bad';
SELECT count(ai_drop(name)) > 10 AS dropped FROM ai_models;
DROP OWNED BY regress_aiaas_learner;
DROP ROLE regress_aiaas_learner;
DROP SCHEMA network CASCADE;
