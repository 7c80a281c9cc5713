-- classifiers that learn from embeddings: by a tiny embedder with random weights, so of little use
\set SHOW_CONTEXT never
\lo_import test/data/encoders/embedder.tar
\set object :LASTOID
SELECT model, version FROM ai_import('tiny', :object);
SELECT model, version, deployed FROM ai_import('tiny', :object, weights => 'int8');
SELECT lo_unlink(:object);
\lo_import test/data/encoders/classifier.tar
\set object :LASTOID
SELECT model, version FROM ai_import('inference', :object);
SELECT lo_unlink(:object);
CREATE TABLE notes (id int PRIMARY KEY, text text, topic text);
INSERT INTO notes
	SELECT i, CASE i % 2 WHEN 0 THEN 'the ' || (ARRAY['cat', 'dog', 'mat'])[1 + i / 2 % 3] || ' sat on the mat ' || i
		ELSE 'the market ' || (ARRAY['price', 'prize', 'free'])[1 + i / 2 % 3] || ' falls today ' || i END,
		CASE i % 2 WHEN 0 THEN 'animals' ELSE 'money' END
	FROM generate_series(1, 60) i;
INSERT INTO notes VALUES (61, NULL, 'animals'), (62, '', 'money'), (63, '', 'money');
CREATE TABLE long_notes AS SELECT id, repeat(text || ' ', 40) AS text, topic FROM notes WHERE id <= 6;

--
-- Training: with n-grams, without them, and whichever is better
--
SELECT model, version, train_rows, validation_rows, train_score > 0.9 AS has_learnt, deployed
FROM ai_train('both', 'SELECT text, topic FROM notes', 'topic', options => '{"embedder": "tiny", "ngrams": true}');
SELECT model, version, train_score > 0.5 AS has_learnt
FROM ai_train('alone', 'SELECT text, topic FROM notes', 'topic', options => '{"embedder": "tiny@1", "ngrams": false}');
SELECT model, version, train_score > 0.5 AS has_learnt
FROM ai_train('no_ngrams', 'SELECT text, topic FROM notes', 'topic',
	options => '{"embedder": "tiny@2", "word_ngrams": 0, "char_ngrams": false}');
SELECT model, version, train_score > 0.9 AS has_learnt
FROM ai_train('chosen', 'SELECT text, topic FROM notes', 'topic', options => '{"embedder": "tiny", "validation": 0}');
SELECT m AS model, ai_describe(m) -> 'options' ->> 'embedder' AS embedder, ai_describe(m) -> 'options' -> 'ngrams' AS ngrams,
	ai_describe(m) -> 'embedder' ->> 'name' AS name, ai_describe(m) -> 'embedder' -> 'version' AS version,
	ai_describe(m) -> 'embedder' ->> 'hash' = ai_describe('tiny@' || (ai_describe(m) -> 'embedder' ->> 'version')) ->> 'hash' AS same,
	(ai_describe(m) -> 'features' -> 'count')::int > 0 AS has_ngrams,
	ai_describe(m) -> 'features' -> 'embedder' ->> 'precision' AS precision
FROM unnest('{both,alone,no_ngrams}'::text[]) m;
SELECT ai_describe('chosen') -> 'options' ? 'ngrams' AS is_said;
-- the same rows and options give the same bytes, in any order and on any number of threads
SET aiaas.threads = 1;
SELECT version FROM ai_train('both', 'SELECT text, topic FROM notes ORDER BY id DESC', 'topic',
	options => '{"embedder": "tiny@1", "ngrams": true, "deploy": "never"}');
RESET aiaas.threads;
SELECT ai_describe('both@1') -> 'hash' = ai_describe('both@2') -> 'hash' AS same;
SELECT ai_drop('both@2');
-- "auto" is aiaas.default_embedder, if it helps
SELECT version FROM ai_train('auto', 'SELECT text, topic FROM notes', 'topic', options => '{"embedder": "auto"}');
SET aiaas.default_embedder = 'tiny';
SELECT version FROM ai_train('auto', 'SELECT text, topic FROM notes', 'topic', options => '{"embedder": "auto"}');
SELECT (ai_describe('auto') -> 'options' ->> 'embedder') IN ('tiny@1', 'false') AS embedder,
	(ai_describe('auto') -> 'options' ->> 'embedder' = 'tiny@1') = (ai_describe('auto') ? 'embedder') AS same;
SELECT version FROM ai_train('auto', 'SELECT text || i AS text, topic FROM notes, generate_series(1, 40) i', 'topic',
	options => '{"embedder": "auto", "deploy": "always"}');
SELECT ai_describe('auto') -> 'options' ->> 'embedder' AS of_many_rows, ai_describe('auto') ? 'embedder' AS needs;
RESET aiaas.default_embedder;
SELECT ai_drop('auto');

-- what cannot be
SELECT * FROM ai_train('wrong', 'SELECT text, topic FROM notes', 'topic', options => '{"embedder": "nobody"}');
SELECT * FROM ai_train('wrong', 'SELECT text, topic FROM notes', 'topic', options => '{"embedder": "tiny@9"}');
SELECT * FROM ai_train('wrong', 'SELECT text, topic FROM notes', 'topic', options => '{"embedder": "inference"}');
SELECT * FROM ai_train('wrong', 'SELECT text, topic FROM notes', 'topic', options => '{"embedder": "both"}');
SELECT * FROM ai_train('wrong', 'SELECT text, topic FROM notes', 'topic', options => '{"embedder": 7}');
SELECT * FROM ai_train('wrong', 'SELECT text, topic FROM notes', 'topic', options => '{"embedder": ""}');
SELECT * FROM ai_train('wrong', 'SELECT text, topic FROM notes', 'topic', options => '{"embedder": "tiny", "ngrams": "some"}');
SELECT * FROM ai_train('wrong', 'SELECT text, topic FROM notes', 'topic', options => '{"ngrams": false}');
SELECT * FROM ai_train('wrong', 'SELECT text, topic FROM notes', 'topic', options => '{"embedder": false, "ngrams": false}');
SELECT * FROM ai_train('wrong', 'SELECT text, topic FROM notes', 'topic', options => '{"embedder": "tiny", "l2": -1}');
SELECT * FROM ai_train('wrong', 'SELECT text, topic FROM notes WHERE topic = ''money''', 'topic', options => '{"embedder": "tiny"}');
SELECT * FROM ai_train('wrong', 'SELECT text, topic FROM notes WHERE false', 'topic', options => '{"embedder": "tiny"}');

--
-- Applying: alone, in batches and by every verb
--
SELECT ai_classify('the cat sat on the mat', 'both') AS animals, ai_classify('the market price falls', 'both') AS money,
	ai_classify(NULL, 'both') IS NULL AS none, ai_classify(''::text, 'alone') IS NOT NULL AS empty;
CREATE TABLE answers AS SELECT id, m, ai_classify(text, m) AS label, ai_score(text, 'money', m) AS score
	FROM notes, unnest('{both,alone,no_ngrams,chosen}'::text[]) m;
SELECT m, round(avg((a.label = n.topic)::int), 1) > 0.5 AS is_better_than_chance FROM answers a JOIN notes n USING (id)
GROUP BY m ORDER BY m COLLATE "C";
SET aiaas.batch = off;
SELECT bool_and(a.label IS NOT DISTINCT FROM ai_classify(text, m)) AS same_labels,
	bool_and(a.score IS NOT DISTINCT FROM ai_score(text, 'money', m)) AS same_scores,
	bool_and(a.score IS NOT DISTINCT FROM (ai_scores(text, m) ->> 'money')::float8) AS same_of_all
FROM answers a JOIN notes n USING (id);
RESET aiaas.batch;
CREATE FUNCTION batch_of(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE line text;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (ANALYZE, COSTS off, TIMING off, SUMMARY off) ' || query LOOP
		CONTINUE WHEN line !~ 'Model:|Batched Rows|Distinct|Tokens|Truncated';
		RETURN NEXT trim(line);
	END LOOP;
END $$;
SELECT batch_of('SELECT ai_classify(text, ''both'') FROM notes');
SELECT batch_of('SELECT ai_classify(text, ''alone'') FROM long_notes');
CREATE FUNCTION cost_of(model text) RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE plan json;
BEGIN
	EXECUTE format('EXPLAIN (FORMAT json) SELECT ai_classify(text, %L) FROM notes', model) INTO plan;
	RETURN plan -> 0 -> 'Plan' -> 'Total Cost';
END $$;
SELECT version FROM ai_train('words', 'SELECT text, topic FROM notes', 'topic');
SELECT cost_of('both') > cost_of('words') AS embedding_costs;
SELECT function, rows > 0 AS has_rows, tokens > 0 AS has_tokens, truncated FROM ai_stats WHERE model = 'alone' AND function = 'ai_classify';
SELECT ai_classify(r, 'both') FROM notes r WHERE id = 2;

-- what n-grams and the embedding contribute is the score
SELECT feature, kind, count, round(value::numeric, 4) AS value FROM ai_explain('the cat', 'both') WHERE kind = 'embedding';
SELECT kind, count(*) > 0 AS has FROM ai_explain('the cat', 'alone') GROUP BY kind ORDER BY kind COLLATE "C";
SELECT m, abs((SELECT sum(contribution) FROM ai_explain(text, m, 'money')) - ln(s / (1 - s))) < 1e-4 * (1 + abs(ln(s / (1 - s)))) AS is_score
FROM notes, unnest('{both,alone}'::text[]) m, LATERAL ai_score(text, 'money', m) s WHERE id = 8;
SELECT count(*) FROM ai_importance('alone');
SELECT count(*) > 0 AS has FROM ai_importance('both');
SELECT metric, value > 0.5 AS good FROM ai_evaluate('both', 'SELECT text, topic FROM notes', 'topic') WHERE metric IN ('accuracy', 'f1_macro')
ORDER BY metric COLLATE "C";
SELECT rows, tokens > rows AS has_tokens FROM ai_stats WHERE model = 'both' AND function = 'ai_evaluate';
SELECT sum(rows) AS rows FROM ai_confusion('alone', 'SELECT text, topic FROM notes', 'topic');
SELECT ai_pin('both') AS pin \gset
CREATE TABLE kept (text text, topic text GENERATED ALWAYS AS (ai_classify_pinned(text, :'pin')) STORED);
INSERT INTO kept VALUES ('the cat sat on the mat') RETURNING topic;
DROP TABLE kept;
-- a version that learns from embeddings is compared with the deployed one on the same rows
SELECT version, deployed FROM ai_train('words', 'SELECT text, topic FROM notes', 'topic',
	options => '{"embedder": "tiny", "validation": 0.3, "deploy": "always"}');
SELECT version FROM ai_train('words', 'SELECT text, topic FROM notes', 'topic', options => '{"validation": 0.3, "deploy": "better"}')
WHERE version = 3;
SELECT ai_drop('words');

--
-- What a classifier needs stays
--
SELECT ai_drop('tiny@2');
SELECT ai_drop('tiny');
-- other versions of the embedder change nothing
SELECT ai_deploy('tiny', 2);
SELECT bool_and(a.score IS NOT DISTINCT FROM ai_score(text, 'money', m)) AS same FROM answers a JOIN notes n USING (id);
SELECT ai_rename('tiny', 'small');
SELECT ai_describe('alone') -> 'embedder' ->> 'name' AS name, ai_describe('alone') -> 'embedder' -> 'version' AS version;
-- the same content by another name would do
SELECT ai_drop('no_ngrams');
SELECT string_agg(data, '' ORDER BY seq) AS bytes FROM ai_export('small@1') \gset
SELECT model, version FROM ai_import('copy', :'bytes'::bytea);
SELECT ai_drop('small');
SELECT ai_describe('alone') -> 'embedder' ->> 'name' AS name;
SELECT bool_and(a.score IS NOT DISTINCT FROM ai_score(text, 'money', m)) AS same FROM answers a JOIN notes n USING (id)
WHERE m <> 'no_ngrams';
SELECT model, stored FROM ai_check() WHERE model IN ('alone', 'both') ORDER BY model COLLATE "C";

BEGIN;
DELETE FROM aiaas.content WHERE hash = (SELECT needs FROM aiaas.version WHERE needs IS NOT NULL LIMIT 1);
SELECT regexp_replace(stored, '[0-9a-f]{8}', '...') AS stored FROM ai_check('alone');
ROLLBACK;

-- an exported classifier is imported where its embedder is
CREATE TABLE exported AS SELECT string_agg(data, '' ORDER BY seq) AS bytes FROM ai_export('both');
SELECT model, version FROM ai_import('both_again', (SELECT bytes FROM exported));
SELECT ai_describe('both_again') -> 'hash' = ai_describe('both') -> 'hash' AS same, ai_describe('both_again') -> 'embedder' ->> 'name' AS embedder;
SELECT ai_classify('the cat sat on the mat', 'both_again');

--
-- Rights: those on the embedder are asked for when it is learnt from, and when a classifier is imported
--
CREATE ROLE regress_learner;
GRANT SELECT ON notes TO regress_learner;
GRANT EXECUTE ON FUNCTION ai_import(text, bytea, boolean, text) TO regress_learner;
GRANT SELECT ON exported TO regress_learner;
GRANT EXECUTE ON FUNCTION ai_train(text, text, text, text, jsonb) TO regress_learner;
SELECT ai_grant('both', 'regress_learner', 'read');
SET ROLE regress_learner;
SELECT ai_classify('the cat sat on the mat', 'both');
SELECT ai_describe('both') -> 'embedder' ->> 'name' AS name;
SELECT * FROM ai_train('mine', 'SELECT text, topic FROM notes', 'topic', options => '{"embedder": "copy"}');
\set VERBOSITY terse
SELECT * FROM ai_import('mine', (SELECT bytes FROM exported));
\set VERBOSITY default
RESET ROLE;
SELECT ai_grant('copy', 'regress_learner', 'use');
SET ROLE regress_learner;
SELECT model, version FROM ai_import('mine', (SELECT bytes FROM exported));
RESET ROLE;
-- who may drop the embedder is told of models that he may not see, without their names
SELECT ai_grant('copy', 'regress_learner', 'admin');
SELECT ai_revoke('both', 'regress_learner', 'use');
SET ROLE regress_learner;
SELECT ai_drop('copy');
RESET ROLE;
SELECT ai_drop(m) FROM unnest('{both,both_again,alone,chosen,mine}'::text[]) m;
SELECT ai_drop('copy');
\set VERBOSITY terse
SELECT * FROM ai_import('both', (SELECT bytes FROM exported));
\set VERBOSITY default
SELECT ai_drop('inference');
REVOKE EXECUTE ON FUNCTION ai_import(text, bytea, boolean, text), ai_train(text, text, text, text, jsonb) FROM regress_learner;
DROP TABLE notes, long_notes, answers, exported;
DROP FUNCTION batch_of(text);
DROP FUNCTION cost_of(text);
DROP ROLE regress_learner;
SELECT count(*) FROM aiaas.content;
