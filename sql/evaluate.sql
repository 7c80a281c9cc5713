-- How good a model is on the rows of a query.

CREATE SCHEMA evaluate;
SET search_path = evaluate, public;

CREATE TABLE messages AS
	SELECT i AS id,
		CASE WHEN i % 3 = 0 THEN 'spam' ELSE 'ham' END AS label,
		CASE WHEN i % 3 = 0
			THEN 'win a free prize now, call ' || (i * 7919 % 1000)
			ELSE 'see you at lunch, I am at ' || (i * 7919 % 1000) END AS body
	FROM generate_series(1, 300) i;
SELECT version FROM ai_train('mail', 'SELECT body, label FROM messages');

-- every metric, each between its bounds; on rows that it knows the model is right
SELECT metric,
	CASE WHEN metric IN ('log_loss', 'calibration_error') THEN value BETWEEN 0 AND 0.5
		WHEN metric = 'rows' THEN value = 300 ELSE value = 1 END AS good
	FROM ai_evaluate('mail', 'SELECT body, label FROM messages', 'label');

-- one label wrong in every tenth row: the metrics can be worked out by hand
CREATE TABLE noisy AS SELECT body, CASE WHEN id % 10 = 0
	THEN CASE label WHEN 'ham' THEN 'spam' ELSE 'ham' END ELSE label END AS label FROM messages;
SELECT * FROM ai_confusion('mail', 'SELECT body, label FROM noisy');
SELECT metric, round(value::numeric, 6) AS value FROM ai_evaluate('mail', 'SELECT body, label FROM noisy')
	WHERE metric NOT IN ('log_loss', 'roc_auc', 'calibration_error');
WITH c AS (SELECT sum(rows) FILTER (WHERE actual = predicted) AS right, sum(rows) AS n
	FROM ai_confusion('mail', 'SELECT body, label FROM noisy'))
SELECT round(c.right / c.n, 6) = round(value::numeric, 6) AS same
	FROM c, ai_evaluate('mail', 'SELECT body, label FROM noisy') WHERE metric = 'accuracy';

-- labels that the model does not know are always wrong, and shown by their names
SELECT * FROM ai_confusion('mail', $$SELECT body, CASE WHEN id <= 30 THEN 'eggs' ELSE label END AS label
	FROM messages$$);
SELECT metric, round(value::numeric, 6) AS value FROM ai_evaluate('mail',
	$$SELECT body, CASE WHEN id <= 30 THEN 'eggs' ELSE label END AS label FROM messages$$)
	WHERE metric IN ('rows', 'accuracy', 'f1_macro');
SELECT * FROM ai_confusion('mail', $$SELECT body, 'eggs' AS label FROM messages WHERE label = 'ham'$$);
SELECT * FROM ai_confusion('mail', 'SELECT body, body || n AS label FROM messages, generate_series(1, 10) n');

-- a version, the default model, rows with nulls
SELECT count(*) FROM ai_evaluate('mail@1', 'SELECT body, label FROM messages');
\set VERBOSITY terse
SELECT value FROM ai_evaluate(NULL, 'SELECT body, label FROM messages') WHERE metric = 'rows';
\set VERBOSITY default
SET aiaas.default_classifier = 'mail';
SELECT value FROM ai_evaluate(NULL, 'SELECT nullif(body, ''''), CASE WHEN id > 10 THEN label END AS label FROM messages')
	WHERE metric = 'rows';
RESET aiaas.default_classifier;

-- one label only: what is not defined is null
SELECT metric, value FROM ai_evaluate('mail', $$SELECT body, label FROM messages WHERE label = 'ham'$$)
	WHERE metric IN ('rows', 'accuracy', 'roc_auc');

-- the query is held to the same rules as that of ai_train
SELECT * FROM ai_evaluate('mail', 'SELECT * FROM messages');
SELECT * FROM ai_evaluate('mail', 'SELECT body, label FROM messages', 'kind');
SELECT * FROM ai_evaluate('mail', 'DELETE FROM messages');
SELECT * FROM ai_evaluate('mail', 'SELECT body, label FROM messages WHERE false');
SELECT * FROM ai_confusion('mail', 'SELECT body, label FROM messages WHERE 1 / (id - 50) > -1');
SELECT * FROM ai_confusion('mail', NULL);
SELECT * FROM ai_evaluate('nothing', 'SELECT body, label FROM messages');

-- rows that do not fit into memory
SET aiaas.max_train_memory = '1MB';
SELECT * FROM ai_evaluate('mail', 'SELECT body, label FROM messages, generate_series(1, 300)');
RESET aiaas.max_train_memory;

-- evaluating needs no right to write
BEGIN READ ONLY;
SELECT value FROM ai_evaluate('mail', 'SELECT body, label FROM messages') WHERE metric = 'accuracy';
COMMIT;

SELECT ai_drop('mail');
SET client_min_messages = warning;
DROP SCHEMA evaluate CASCADE;
