-- texts are shown as the models read them
\set SHOW_CONTEXT never
\lo_import test/data/encoders/embedder.tar
SELECT version, algorithm, task FROM ai_import('tokens', :LASTOID);
SELECT lo_unlink(:LASTOID);
SELECT * FROM ai_tokenize('The dog, unseen: été 日', 'tokens');
SET aiaas.default_embedder = 'tokens';
SELECT position, id, token FROM ai_tokenize('cats') WHERE start IS NOT NULL;

-- start and length give the text of a token
SELECT bool_and(substr(input, start, length) = lower(ltrim(token, '#'))) AS is_same, count(*) AS n
FROM (VALUES ('the cat sat on the mat')) v(input), ai_tokenize(input) WHERE start IS NOT NULL;
SELECT token, substr(input, start, length)
FROM (VALUES ('É é x')) v(input), ai_tokenize(input) WHERE start IS NOT NULL;

-- nothing, and NULL
SELECT token FROM ai_tokenize('');
SELECT * FROM ai_tokenize(NULL);
SELECT ai_count_tokens(''), ai_count_tokens(NULL), ai_count_tokens('the cat'),
	ai_count_tokens('the cat', 'tokens'), ai_count_tokens('the cat', NULL);
SELECT ai_count_tokens(repeat('cat ', 1000)) AS not_truncated;

-- and back
SELECT ai_detokenize(array_agg(id ORDER BY position)) FROM ai_tokenize('The cats, they sat.');
SELECT ai_detokenize('{}') = '' AS is_empty, ai_detokenize(NULL) IS NULL AS is_null;
SELECT ai_detokenize('{2,3}', 'tokens') = '' AS specials_say_nothing;
SELECT ai_detokenize('{5,-1}');
SELECT ai_detokenize('{5,1000000}', 'tokens');
SELECT ai_detokenize('{5,NULL}');

-- long texts are cut where sentences end
CREATE TABLE long_texts AS SELECT 'The cat sat on the mat. The dog sleeps!  Lunch is free today? '
	|| 'All of them were here and there and they will be here to see the red fish and the blue one '
	|| 'that was in the market by the way.' AS body;
SELECT c.* FROM long_texts, ai_chunk(body, 12) c;
SELECT position, chunk, start, tokens FROM long_texts, ai_chunk(body, 14, 5, 'tokens');
SELECT position, start, tokens FROM long_texts, ai_chunk(body, overlap => 3);
SELECT bool_and(substr(body, start, length(chunk)) = chunk) AS is_part,
	bool_and(tokens = ai_count_tokens(chunk)) AS is_counted, max(tokens) <= 9 AS is_small
FROM long_texts, ai_chunk(body, 9, 2);
SELECT string_agg(chunk, ' ' ORDER BY position) = regexp_replace(body, '\s+', ' ', 'g') AS is_whole
FROM long_texts, ai_chunk(body, 6) GROUP BY body;
SELECT count(*) FROM ai_chunk('');
SELECT count(*) FROM ai_chunk(E' \n\t ', 5);
SELECT count(*) FROM ai_chunk(NULL);
SELECT count(*) FROM ai_chunk('cat', NULL, NULL, NULL);
SELECT * FROM ai_chunk('cat', 2);
SELECT * FROM ai_chunk('cat', 0);
SELECT * FROM ai_chunk('cat', -1);
SELECT * FROM ai_chunk('cat', 8, -1);
SELECT * FROM ai_chunk('cat', 8, 6);
SELECT count(*) FROM ai_chunk(repeat('cat', 100), 2147483647, 2147483640);

-- limits
SET aiaas.max_input_bytes = 5;
SELECT ai_count_tokens('the cat');
SELECT ai_tokenize('the cat');
SELECT ai_chunk('the cat');
RESET aiaas.max_input_bytes;

-- models without a tokenizer, and none
SELECT version FROM ai_train('words', $$SELECT * FROM (VALUES ('a b', 'x'), ('c d', 'y'), ('a', 'x'),
	('c', 'y')) v(text, label)$$, 'label', options => '{"validation": 0}');
SELECT ai_count_tokens('the cat', 'words');
SELECT ai_tokenize('the cat', 'words');
SELECT ai_chunk('the cat', model => 'words');
SELECT ai_detokenize('{1}', 'words');
SELECT ai_count_tokens('the cat', 'nobody');
RESET aiaas.default_embedder;
SELECT ai_count_tokens('the cat');
SELECT ai_chunk('the cat');

-- who may use them
CREATE ROLE regress_aiaas_reader;
SET ROLE regress_aiaas_reader;
SELECT ai_count_tokens('the cat', 'tokens');
RESET ROLE;
SELECT ai_grant('tokens', 'regress_aiaas_reader', 'use');
SET ROLE regress_aiaas_reader;
SELECT ai_count_tokens('the cat', 'tokens');
RESET ROLE;

-- counted
SELECT ai_stats_reset('tokens');
SELECT sum(ai_count_tokens(t, 'tokens')) FROM (VALUES ('cat'), ('the cat'), (NULL)) v(t);
SELECT count(*) FROM ai_chunk('the cat', model => 'tokens');
SELECT function, calls, rows, tokens, truncated FROM ai_stats
WHERE model = 'tokens' AND function <> '' ORDER BY function;

SELECT ai_drop('tokens');
SELECT ai_drop('words');
DROP TABLE long_texts;
DROP ROLE regress_aiaas_reader;
