-- embeddings, similarity and labels given with the call, by tiny encoders with random weights
\set SHOW_CONTEXT never
\lo_import test/data/encoders/embedder.tar
\set object :LASTOID
SELECT model, version FROM ai_import('tiny', :object);
SELECT model, version FROM ai_import('tiny_int8', :object, weights => 'int8');
SELECT lo_unlink(:object);
\lo_import test/data/encoders/classifier.tar
\set object :LASTOID
SELECT model, version, task, labels FROM ai_import('inference', :object);
SELECT lo_unlink(:object);
\lo_import test/data/encoders/static.tar
\set object :LASTOID
SELECT model, version, task FROM ai_import('words', :object);
SELECT lo_unlink(:object);
CREATE TABLE notes (id int PRIMARY KEY, body text, topic text);
INSERT INTO notes VALUES
	(1, 'the cat sat on the mat', 'animals'), (2, 'a dog runs and eats', 'animals'),
	(3, 'the market price falls today', 'money'), (4, 'win a free prize', 'money'),
	(5, NULL, 'none'), (6, '', 'none'), (7, 'the cat sat on the mat', 'animals'),
	(8, repeat('people look at the water ', 20), 'long');

--
-- ai_embed: what comes out does not depend on how it was called
--
SET aiaas.default_embedder = 'tiny';
SELECT array_length(ai_embed('the cat'), 1) AS numbers,
	(SELECT round(sum(x * x)::numeric, 4) FROM unnest(ai_embed('the cat')) x) AS squares;
SELECT ai_embed(NULL) IS NULL AS no_text, ai_embed('the cat', NULL) IS NULL AS no_model, ai_embed(''::text) IS NULL AS empty;
CREATE TABLE embedded AS SELECT id, ai_embed(body) AS v FROM notes;
SELECT n.id, e.v = ai_embed(n.body) AS same_alone, e.v = ai_embed(n.body, 'tiny@1') AS same_by_version
FROM notes n JOIN embedded e USING (id) ORDER BY id;
SET aiaas.batch = off;
SELECT bool_and(e.v = x.v) AS same_without_batches FROM (SELECT id, ai_embed(body) AS v FROM notes) x JOIN embedded e USING (id);
RESET aiaas.batch;
SELECT a.v = b.v AS same_for_same_text FROM embedded a, embedded b WHERE a.id = 1 AND b.id = 7;
SELECT ai_embed('the cat'::varchar) = ai_embed('the cat') AS of_varchar, ai_embed('"the cat"'::jsonb) = ai_embed('the cat') AS of_json,
	ai_embed(r) = ai_embed('the cat') AS of_row FROM (SELECT 1 AS id, 'the cat' AS text) r;
SELECT ai_embed(r) FROM (SELECT 'the cat' AS body) r;
SELECT ai_embed(12);
SELECT ai_embed('the cat', 'nowhere');
SELECT ai_embed_pinned('the cat', ai_pin('tiny')) = ai_embed('the cat') AS by_pin;
CREATE TABLE generated (body text, v real[] GENERATED ALWAYS AS (ai_embed_pinned(body, 'no such pin')) STORED);
INSERT INTO generated VALUES ('the cat');
DROP TABLE generated;

-- longer than the model reads
SELECT ai_embed(body, truncate => false) IS NOT NULL AS fits FROM notes WHERE id = 1;
SELECT ai_embed(body, truncate => false) FROM notes WHERE id = 8;
SELECT ai_embed(body, 'tiny', truncate => false) FROM notes ORDER BY id;
SELECT id, ai_embed(body, 'tiny', truncate => id <> 8) IS NOT NULL FROM notes WHERE id IN (1, 8) ORDER BY id;
SELECT function, rows, batches > 0 AS batched, tokens > 0 AS tokens, truncated, errors FROM ai_stats
WHERE model = 'tiny' AND function = 'ai_embed';
SELECT ai_stats_reset();

-- other kinds of models and answers
SELECT ai_classify('the cat', 'tiny');
SELECT ai_predict('the cat', 'tiny');
SELECT ai_score('the cat', 'x', 'tiny');
SELECT ai_transform('the cat', 'tiny') = ai_embed('the cat') AS all_numbers;
SELECT ai_transform('the cat', 'tiny', 'dense');
SELECT ai_embed('the cat', 'inference');
SELECT * FROM ai_explain('the cat', 'tiny');
SELECT * FROM ai_summary('tiny');
SELECT * FROM ai_evaluate('tiny', 'SELECT body, topic FROM notes', 'topic');

-- a classifier with a head
SELECT ai_classify('the cat sat', 'inference'), (ai_scores('the cat sat', 'inference') -> 'entailment')::float8 =
	ai_score('the cat sat', 'entailment', 'inference') AS same_score;
SELECT metric, value FROM ai_evaluate('inference', $$SELECT body, 'neutral' AS label FROM notes WHERE body <> ''$$, 'label')
WHERE metric IN ('rows', 'accuracy');
SELECT ai_score('the cat', 'dog', 'inference');

--
-- ai_similarity
--
SELECT ai_similarity('the cat', 'the cat')::numeric(8, 6) AS same, ai_similarity('the cat', NULL) IS NULL AS null_text,
	abs(ai_similarity('the cat', 'a dog') - ai_similarity(ai_embed('the cat'), ai_embed('a dog'))) < 1e-12 AS texts_as_vectors,
	ai_similarity('the cat', 'a dog') = ai_similarity(ai_embed('the cat'), 'a dog') AS vector_and_text,
	ai_similarity('the cat', 'a dog', 'words') = ai_similarity(ai_embed('the cat', 'words'), 'a dog', 'words') AS by_model;
SELECT ai_similarity('{1,0}'::real[], '{0,2}'::real[]) AS apart, ai_similarity('{1,1}'::real[], '{3,3}'::real[])::numeric(8, 6) AS together,
	ai_similarity('{1,1}'::real[], '{-1,-1}'::real[])::numeric(8, 6) AS opposite, ai_similarity('{0,0}'::real[], '{1,1}'::real[]) AS nowhere,
	ai_similarity('{}'::real[], '{}'::real[]) AS empty;
SELECT ai_similarity('{1,2}'::real[], '{1,2,3}'::real[]);
SELECT ai_similarity('{1,NULL}'::real[], '{1,2}'::real[]);
SELECT ai_similarity('{1,NaN}'::real[], '{1,2}'::real[]);
SELECT ai_similarity('{1,2}'::real[], 'the cat');
SELECT ai_similarity('the cat', 'a dog', 'inference');
SELECT id FROM embedded WHERE v IS NOT NULL ORDER BY ai_similarity(v, 'the cat sat on a mat') DESC, id LIMIT 2;
SELECT bool_and(a.s = b.s) AS same_without_batches
FROM (SELECT id, ai_similarity(body, 'the market') AS s FROM notes) a
	JOIN LATERAL (SELECT ai_similarity(a.id::text || n.body, a.id::text || n.body) AS x, ai_similarity(n.body, 'the market') AS s
		FROM notes n WHERE n.id = a.id OFFSET 0) b ON true;

-- a row that cannot be compared is told when its turn comes
INSERT INTO embedded VALUES (9, '{1,2}');
SELECT id, ai_similarity(v, 'the cat') IS NOT NULL FROM embedded WHERE v IS NOT NULL ORDER BY id;
SELECT count(*) FROM (SELECT ai_similarity(v, 'the cat') FROM embedded WHERE v IS NOT NULL ORDER BY id LIMIT 3) x;
DELETE FROM embedded WHERE id = 9;

--
-- ai_rerank
--
SELECT "position", document, score = ai_similarity('the cat', document) AS by_similarity
FROM ai_rerank('the cat', ARRAY['a dog runs', NULL, 'the cat', 'the market']);
SELECT count(*) FROM ai_rerank('the cat', '{}');
SELECT * FROM ai_rerank('the cat', ARRAY['a dog'], 'inference');
SELECT count(*) FROM ai_rerank(NULL, ARRAY['a dog']);

--
-- Labels that come with the call
--
SELECT ai_classify('the cat sat', ARRAY['the cat sat', 'the market']), ai_classify('the cat', ARRAY['one']);
SELECT key, value::float8 = max(value::float8) OVER () AS best, sum(value::float8) OVER ()::numeric(6, 4) FROM jsonb_each(ai_scores('the cat sat', ARRAY['the market', 'the cat sat'])) ORDER BY key;
SELECT key, sum(value::float8) OVER ()::numeric(6, 4) FROM jsonb_each(ai_scores('the cat sat', ARRAY['animals', 'money'], 'inference')) ORDER BY key;
SELECT (ai_scores('the cat sat', ARRAY['animals'], 'inference') ->> 'animals')::float8 BETWEEN 0.0001 AND 0.9999 AS of_one_label;
SELECT count(*) FILTER (WHERE a = b) AS same, count(*)
FROM (SELECT ai_classify(body, ARRAY['animals', 'money'], 'inference') AS a,
	(SELECT key FROM jsonb_each(ai_scores(body, ARRAY['animals', 'money'], 'inference')) ORDER BY value::float8 DESC, key LIMIT 1) AS b
	FROM notes WHERE body IS NOT NULL) x;
SELECT id, ai_classify(body, ARRAY[topic, 'other']) IN (topic, 'other') AS own_labels FROM notes WHERE body IS NOT NULL ORDER BY id;
SELECT ai_classify('the cat', ARRAY[]::text[]);
SELECT ai_classify('the cat', ARRAY['a', 'b', 'a']);
SELECT ai_classify('the cat', ARRAY['a', NULL]);
SELECT ai_classify('the cat', NULL::text[]) IS NULL AS no_labels;
SET aiaas.default_zero_shot = 'inference';
SELECT ai_scores('the cat', ARRAY['animals', 'money']) = ai_scores('the cat', ARRAY['animals', 'money'], 'inference') AS by_setting;
RESET aiaas.default_zero_shot;

--
-- In plans
--
EXPLAIN (COSTS OFF) SELECT ai_embed(body) FROM notes;
EXPLAIN (COSTS OFF) SELECT id FROM embedded ORDER BY ai_similarity(v, 'the cat') DESC LIMIT 2;
EXPLAIN (COSTS OFF) SELECT ai_classify(body, ARRAY['animals', 'money'], 'inference') FROM notes;

-- nobody is named
RESET aiaas.default_embedder;
SELECT ai_embed('the cat');
SELECT ai_classify('the cat', ARRAY['a', 'b']);

--
-- Rights
--
CREATE ROLE regress_embed_user;
GRANT SELECT ON notes TO regress_embed_user;
SET ROLE regress_embed_user;
SELECT ai_embed('the cat', 'tiny');
SELECT ai_similarity('the cat', 'a dog', 'tiny');
SELECT * FROM ai_rerank('the cat', ARRAY['a dog'], 'tiny');
SELECT ai_classify('the cat', ARRAY['a', 'b'], 'tiny');
RESET ROLE;
SELECT ai_grant('tiny', 'regress_embed_user', 'use');
SET ROLE regress_embed_user;
SELECT ai_embed('the cat', 'tiny') IS NOT NULL AS may_use;
RESET ROLE;
DROP OWNED BY regress_embed_user;
SELECT ai_revoke('tiny', 'regress_embed_user', 'use');
DROP ROLE regress_embed_user;

DROP TABLE notes, embedded;
SELECT ai_drop('tiny'), ai_drop('tiny_int8'), ai_drop('inference'), ai_drop('words');
