-- Why a text has its label, and what a model goes by.

CREATE SCHEMA explain;
SET search_path = explain, public;

CREATE TABLE messages AS
	SELECT i AS id,
		CASE WHEN i % 3 = 0 THEN 'spam' ELSE 'ham' END AS label,
		CASE WHEN i % 3 = 0
			THEN 'win a free prize now, call ' || (i * 7919 % 1000)
			ELSE 'see you at lunch, I am at ' || (i * 7919 % 1000) END AS body
	FROM generate_series(1, 300) i;
SELECT version FROM ai_train('mail', 'SELECT body, label FROM messages');

-- words as they stand in the text, the strongest first
SELECT feature FROM ai_explain('A FREE Prize at lunch', 'mail', 'spam') WHERE kind = 'word' AND contribution > 0
	AND feature NOT LIKE '% %' ORDER BY feature COLLATE "C";
SELECT feature FROM ai_explain('A FREE Prize at lunch', 'mail', 'spam') WHERE kind = 'word' AND contribution < 0
	AND feature NOT LIKE '% %' ORDER BY feature COLLATE "C";
SELECT bool_and(is_smaller) FROM (SELECT abs(contribution) <= lag(abs(contribution)) OVER ()
	AS is_smaller FROM ai_explain('A free prize at lunch', 'mail') WHERE kind <> 'intercept') q;

-- contributions sum to the score: with two labels, the log-odds
SELECT body, abs(sum(contribution)
		- ln(ai_score(body, ai_classify(body, 'mail'), 'mail') / (1 - ai_score(body, ai_classify(body, 'mail'), 'mail'))))
		< 1e-6 AS sums_to_score
	FROM unnest(ARRAY['A free prize at lunch', 'see you', 'x', '']) body, ai_explain(body, 'mail')
	GROUP BY body ORDER BY body COLLATE "C";

-- of one label against the other the signs turn
SELECT sum(s.contribution) > 0 AS speaks_for_spam,
	abs(sum(s.contribution) + (SELECT sum(contribution) FROM ai_explain('free prize', 'mail', 'ham'))) < 1e-9 AS opposite
	FROM ai_explain('free prize', 'mail', 'spam') s;
SELECT * FROM ai_explain('free prize', 'mail', 'eggs');

-- what stands twice counts twice
SELECT count FROM ai_explain('free prize, free', 'mail') WHERE kind = 'word' AND feature = 'free';

-- the default model, rows, other types, nulls
\set VERBOSITY terse
SELECT count(*) > 0 AS some FROM ai_explain('free prize');
\set VERBOSITY default
SET aiaas.default_classifier = 'mail';
SELECT count(*) > 0 AS some FROM ai_explain('free prize');
SELECT m.id, count(*) > 0 AS some FROM messages m, ai_explain(m, 'mail') WHERE m.id < 3 GROUP BY m.id ORDER BY m.id;
SELECT count(*) > 0 AS some FROM ai_explain('"free prize"'::jsonb);
SELECT count(*) FROM ai_explain(NULL::text);
SELECT count(*) FROM (SELECT NULL::text AS body) q, ai_explain(q);
SELECT count(*) FROM ai_explain(1);

-- several labels
SELECT version FROM ai_train('thirds', 'SELECT body || repeat('' word'' || id % 3, 3) AS body, id % 3 AS label FROM messages');
SELECT ai_classify('word1', 'thirds'), (SELECT sum(contribution) FROM ai_explain('word1', 'thirds', '1')) >
	(SELECT sum(contribution) FROM ai_explain('word1', 'thirds', '2')) AS higher;

-- what the model goes by
SELECT label, count(*) > 0 AS some, min(rows) > 0 AS occurs, bool_and(weight > 0) AS speaks_for_it
	FROM ai_importance('mail') GROUP BY label ORDER BY label;
SELECT label FROM ai_importance('mail') WHERE feature = 'prize' AND kind = 'word';
SELECT label FROM ai_importance('mail') WHERE feature = 'lunch' AND kind = 'word';
SELECT DISTINCT label FROM ai_importance('thirds') ORDER BY label;
SELECT * FROM ai_importance('nothing');

RESET aiaas.default_classifier;
SELECT ai_drop(name) FROM ai_models;
SET client_min_messages = warning;
DROP SCHEMA explain CASCADE;
