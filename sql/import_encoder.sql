-- a pre-trained encoder is imported from a tar of its folder, and embeds
\set SHOW_CONTEXT never
CREATE TABLE tars (name text PRIMARY KEY, bytes bytea);
\lo_import test/data/encoders/embedder.tar
\set object :LASTOID
INSERT INTO tars SELECT 'embedder', lo_get(:object);
SELECT * FROM ai_import('tiny', :object);
SELECT ai_describe('tiny') - '{hash,created,owner,lineage}'::text[] AS described;
SELECT jsonb_pretty(ai_describe('tiny') -> 'lineage' -> 'files') AS files,
	ai_describe('tiny') -> 'lineage' ->> 'user' = current_user AS by_me,
	ai_describe('tiny') -> 'lineage' -> 'license' AS license;
SELECT round(v::numeric, 4) AS first FROM unnest(ai_embed('The cat sat on the mat.', 'tiny')) v LIMIT 4;

-- others of the kind
\lo_import test/data/encoders/classifier.tar
\set other :LASTOID
INSERT INTO tars SELECT 'classifier', lo_get(:other);
SELECT lo_unlink(:other);
\lo_import test/data/encoders/static.tar
\set other :LASTOID
INSERT INTO tars SELECT 'static', lo_get(:other);
SELECT lo_unlink(:other);

-- an archive in pieces, to make others of
CREATE FUNCTION octal(field bytea) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
	SELECT sum((ascii(d) - 48) * 8::bigint ^ (n - i))::bigint
	FROM (SELECT rtrim(convert_from(rtrim(field, '\x00'), 'UTF8')) AS digits) x,
		LATERAL (SELECT length(digits) AS n) l, LATERAL generate_series(1, n) i, LATERAL substr(digits, i, 1) d $$;
CREATE TABLE files AS
	WITH RECURSIVE entry AS (
		SELECT name AS tar, bytes, 1 AS at FROM tars
		UNION ALL
		SELECT tar, bytes, at + 512 + (octal(substring(bytes FROM at + 124 FOR 12)) + 511)::int / 512 * 512
		FROM entry WHERE substring(bytes FROM at FOR 1) <> '\x00')
	SELECT tar, substr(path, strpos(path, '/') + 1) AS name,
		substring(bytes FROM at + 512 FOR octal(substring(bytes FROM at + 124 FOR 12))::int) AS content
	FROM entry, LATERAL convert_from(rtrim(substring(bytes FROM at FOR 100), '\x00'), 'UTF8') path
	WHERE substring(bytes FROM at FOR 1) <> '\x00';
SELECT tar, name, length(content) FROM files ORDER BY tar COLLATE "C", name COLLATE "C";
CREATE FUNCTION field(value text, size int) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
	SELECT substring(convert_to(value, 'UTF8') || decode(repeat('00', size), 'hex') FOR size) $$;
CREATE FUNCTION to_octal(value bigint, digits int) RETURNS text LANGUAGE sql IMMUTABLE AS $$
	SELECT string_agg(((value >> (3 * i)) & 7)::text, '' ORDER BY i DESC) FROM generate_series(0, digits - 1) i $$;
CREATE FUNCTION entry(name text, content bytea, kind text DEFAULT '0', link text DEFAULT '', size bigint DEFAULT NULL)
	RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
	SELECT overlay(head PLACING field(to_octal(sum, 6), 8) FROM 149) || content ||
		decode(repeat('00', (512 - length(content) % 512) % 512), 'hex')
	FROM (SELECT field(name, 100) || field('0000644', 8) || field('0', 8) || field('0', 8) ||
			field(to_octal(coalesce(size, length(content)), 11), 12) || field('0', 12) ||
			convert_to(repeat(' ', 8), 'UTF8') || field(kind, 1) || field(link, 100) ||
			field('ustar', 6) || field('00', 2) || field('', 247) AS head OFFSET 0) h,
		LATERAL (SELECT sum(get_byte(head, i)) FROM generate_series(0, 511) i) s(sum) $$;
CREATE FUNCTION le(value bigint) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
	SELECT string_agg(set_byte('\x00'::bytea, 0, ((value >> (8 * i)) & 255)::int), '' ORDER BY i)
	FROM generate_series(0, 7) i $$;
-- the embedder's folder with other contents of some files; NULL: without it
CREATE FUNCTION folder(changes jsonb DEFAULT '{}', weights bytea DEFAULT NULL, tar text DEFAULT 'embedder')
	RETURNS bytea LANGUAGE sql STABLE AS $$
	SELECT string_agg(entry(name, c), '' ORDER BY name COLLATE "C") || decode(repeat('00', 1024), 'hex')
	FROM (SELECT coalesce(f.name, n.name) AS name,
			CASE WHEN coalesce(f.name, n.name) = 'model.safetensors' AND weights IS NOT NULL THEN weights
				WHEN n.name IS NOT NULL THEN convert_to(n.value, 'UTF8') ELSE content END AS c
		FROM (SELECT * FROM files WHERE files.tar = folder.tar) f
			FULL JOIN jsonb_each_text(changes) n(name, value) ON n.name = f.name) x
	WHERE c IS NOT NULL $$;
-- its weights with another header or other data
CREATE TABLE original AS
	SELECT convert_from(substring(content FROM 9 FOR n), 'UTF8')::jsonb AS header, substring(content FROM 9 + n) AS data
	FROM files, LATERAL (SELECT get_byte(content, 0) + 256 * get_byte(content, 1)) s(n)
	WHERE tar = 'embedder' AND name = 'model.safetensors';
CREATE FUNCTION tensors(header jsonb, data bytea) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
	SELECT le(length(h)) || h || data FROM convert_to(header::text, 'UTF8') h $$;

-- what is put together again is the same model
SELECT model, bytes FROM ai_import('again', folder());
SELECT count(DISTINCT hash) AS contents FROM aiaas.version;
SELECT i.version, i.bytes FROM original, ai_import('again', folder(weights => tensors(header, data))) i;
SELECT count(DISTINCT hash) AS contents FROM aiaas.version;

-- in parts, which may be of any size, and from a large object
CREATE TABLE parts AS
	SELECT i, substring(bytes FROM i FOR 1000) AS data FROM tars, generate_series(1, 100000, 1000) i
	WHERE name = 'embedder' AND i <= length(bytes);
SELECT model, version, bytes FROM ai_import_query('parts', 'SELECT data FROM parts ORDER BY i');
SELECT model, version, bytes FROM ai_import_query('bytes',
	$$SELECT substring(bytes FROM i FOR 1) FROM tars, generate_series(1, length(bytes)) i WHERE name = 'static' ORDER BY i$$);
SELECT ai_embed('The cat sat on the mat.', 'parts') = ai_embed('The cat sat on the mat.', 'tiny') AS equal;

-- the other heads, and weights in other precisions
SELECT i.* FROM tars, ai_import('nli', bytes) i WHERE name = 'classifier';
SELECT ai_describe('nli') -> 'labels' AS labels;
SELECT i.* FROM tars, ai_import('table', bytes) i WHERE name = 'static';
SELECT i.* FROM tars, ai_import('tiny', bytes, true, 'bf16') i WHERE name = 'embedder';
SELECT i.* FROM tars, ai_import('tiny', bytes, weights => 'int8') i WHERE name = 'embedder';
SELECT model, version, deployed, algorithm, task, bytes FROM ai_versions WHERE model = 'tiny' ORDER BY version;
SELECT version, ai_describe('tiny@' || version) -> 'options' AS options FROM ai_versions WHERE model = 'tiny' ORDER BY version;
SELECT sum(a * b) > 0.9999 AS bf16_is_near FROM unnest(ai_embed('The cat sat.', 'tiny@1'), ai_embed('The cat sat.', 'tiny@2')) u(a, b);
SELECT sum(a * b) > 0.99 AS int8_is_near FROM unnest(ai_embed('The cat sat.', 'tiny@1'), ai_embed('The cat sat.', 'tiny@3')) u(a, b);

-- it is exported, and imported as it is
CREATE TABLE exported AS SELECT string_agg(data, '' ORDER BY seq) AS data FROM ai_export('tiny@3');
SELECT i.* FROM exported, ai_import('copy', data) i;
SELECT ai_embed('The cat sat.', 'copy') = ai_embed('The cat sat.', 'tiny@3') AS equal;
SELECT ai_describe('copy') -> 'lineage' -> 'imported' ->> 'version' AS was,
	jsonb_array_length(ai_describe('copy') -> 'lineage' -> 'files') AS files;
SELECT ai_import('x', data, weights => 'bf16') FROM exported;
SELECT version, stored, shared FROM ai_check('tiny') ORDER BY version;
SELECT ai_drop('copy'), ai_drop('again'), ai_drop('parts'), ai_drop('bytes');

-- a folder of the server, also one that consists of links, as those of Hugging Face's cache
SELECT lo_export(:object, 'regress_aiaas.tar');
COPY (SELECT 1) TO PROGRAM 'rm -rf regress_aiaas && mkdir -p regress_aiaas/.git regress_aiaas/blobs regress_aiaas/snapshots && tar -xf regress_aiaas.tar -C regress_aiaas && mv regress_aiaas/embedder/model.safetensors regress_aiaas/blobs/5ac1 && ln -s ../blobs/5ac1 regress_aiaas/embedder/model.safetensors && mkfifo regress_aiaas/embedder/notes.txt regress_aiaas/.git/config.json';
SELECT model, bytes FROM ai_import_file('of_folder', 'regress_aiaas/embedder');
SELECT model, bytes FROM ai_import_file('of_folder', 'regress_aiaas/');
SELECT model, bytes FROM ai_import_file('of_folder', 'regress_aiaas.tar');
SELECT count(DISTINCT hash) AS contents FROM aiaas.version v JOIN aiaas.model m ON m.id = v.model WHERE m.name = 'of_folder';
SELECT ai_describe('of_folder@2') -> 'lineage' -> 'path' AS path, ai_describe('of_folder@2') -> 'lineage' -> 'files' -> 0 -> 'path' AS first;
COPY (SELECT 1) TO PROGRAM 'rm regress_aiaas/embedder/vocab.txt && mkfifo regress_aiaas/embedder/vocab.txt';
SELECT ai_import_file('x', 'regress_aiaas');
COPY (SELECT 1) TO PROGRAM 'rm regress_aiaas/embedder/vocab.txt && ln -s vocab.txt regress_aiaas/embedder/vocab.txt';
SELECT ai_import_file('x', 'regress_aiaas');
COPY (SELECT 1) TO PROGRAM 'rm regress_aiaas/embedder/vocab.txt && mkdir regress_aiaas/embedder/vocab.txt';
SELECT ai_import_file('x', 'regress_aiaas');
SELECT ai_import_file('x', 'regress_aiaas/blobs');
SELECT ai_import_file('x', 'regress_aiaas/blobs/5ac1');
COPY (SELECT 1) TO PROGRAM 'cp -R regress_aiaas/embedder regress_aiaas/other';
SELECT ai_import_file('x', 'regress_aiaas');
COPY (SELECT 1) TO PROGRAM 'rm -r regress_aiaas regress_aiaas.tar';
SELECT ai_drop('of_folder');

-- arguments
SELECT ai_import(NULL, bytes) FROM tars WHERE name = 'embedder';
SELECT ai_import_query(NULL, 'SELECT data FROM parts ORDER BY i');
SELECT ai_import('x', bytes, weights => 'int4') FROM tars WHERE name = 'embedder';
SELECT ai_import('x', bytes, weights => '') FROM tars WHERE name = 'embedder';
SELECT ai_import('x', bytes, NULL) FROM tars WHERE name = 'embedder';
SET aiaas.max_model_bytes = '90kB';
SELECT ai_import('x', bytes) FROM tars WHERE name = 'embedder';
SELECT ai_quantize('tiny@1', 'int8');
RESET aiaas.max_model_bytes;

-- what is known of models must hold when they are renamed, listed and dropped, and they are no classifiers
SELECT ai_classify('x', 'tiny');
SELECT name, algorithm, task, labels, metric, score FROM ai_models ORDER BY name;

-- nothing else is a model, and what it seems to be is said
CREATE FUNCTION try(bytes bytea) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	what text; detail text; hint text;
BEGIN
	PERFORM ai_import('victim', bytes);
	RAISE EXCEPTION USING MESSAGE = 'imported', ERRCODE = 'TAKEN';
EXCEPTION WHEN others THEN
	GET STACKED DIAGNOSTICS what = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(E'\n  ', SQLSTATE || ' ' || what, nullif(detail, ''), nullif(hint, ''));
END $$;
\pset format unaligned
\pset tuples_only on
SELECT try(bytes) FROM (VALUES ('\x1f8b0800'::bytea), ('\x504b0304'), ('\x8002'), ('\x47475546'),
	('\x08071207'), ('hello'), (''), ('{}')) v(bytes);
SELECT try(content) FROM files WHERE tar = 'embedder' AND name IN ('config.json', 'model.safetensors') ORDER BY name;

-- archives that lie
SELECT try(substring(bytes FOR 20000)) FROM tars WHERE name = 'embedder';
SELECT try(overlay(bytes PLACING '\x39' FROM 130)) FROM tars WHERE name = 'embedder';
SELECT try(entry('/etc/config.json', '{}'));
SELECT try(entry('m/../../config.json', '{}'));
SELECT try(entry('config.json', '', '2', '/etc/passwd'));
SELECT try(entry('config.json', '', '1', 'other'));
SELECT try(entry('config.json', '{}', size => 8589934591));
SELECT try(entry('config.json', '{}'));
SELECT try(entry('vocab.txt', 'x') || folder());
SELECT try(entry('a/modules.json', '[]') || entry('b/modules.json', '[]') || decode(repeat('00', 1024), 'hex'));
SELECT try(entry('device', '', '3') || folder());
SELECT try(decode(repeat('00', 10240), 'hex'));

-- files that are missing or wrong
SELECT try(folder('{"config.json": null}'));
SELECT try(folder('{"model.safetensors": null}'));
SELECT try(folder('{"model.safetensors": null, "pytorch_model.bin": "PK"}'));
SELECT try(folder('{"vocab.txt": null}'));
SELECT try(folder('{"config.json": "{"}'));
SELECT try(folder(jsonb_build_object('config.json', repeat('[', 100000))));
SELECT try(folder('{"config.json": "[]"}'));
SELECT try(folder('{"config.json": "{\"model_type\": \"gpt2\"}"}'));
SELECT try(folder('{"config.json": "{\"model_type\": 1}"}'));
SELECT try(folder(jsonb_build_object('config.json', convert_from(content, 'UTF8')::jsonb || change)))
FROM files, (VALUES ('{"hidden_size": "x"}'::jsonb), ('{"hidden_size": 1e300}'), ('{"num_attention_heads": 3}'),
	('{"num_hidden_layers": 3}'), ('{"num_hidden_layers": 1}'), ('{"vocab_size": 1000000}'), ('{"hidden_act": "swish"}'),
	('{"max_position_embeddings": 41}'), ('{"position_embedding_type": "relative_key"}')) v(change)
WHERE tar = 'embedder' AND name = 'config.json';
SELECT try(folder('{"modules.json": "[1]"}'));
SELECT try(folder('{"1_Pooling/config.json": "{\"pooling_mode_magic\": true}"}'));
SELECT try(folder(jsonb_build_object('vocab.txt', convert_from(content, 'UTF8') || E'cat\n')))
FROM files WHERE tar = 'embedder' AND name = 'vocab.txt';
-- equal lines are an error, and equal names in JSON
SELECT try(folder(jsonb_build_object('vocab.txt', replace(convert_from(content, 'UTF8'), E'\nmat\n', E'\ncat\n'))))
FROM files WHERE tar = 'embedder' AND name = 'vocab.txt';
SELECT try(folder(jsonb_build_object('tokenizer.json', replace(convert_from(content, 'UTF8'), '"mat":', '"cat":')), tar => 'static'))
FROM files WHERE tar = 'static' AND name = 'tokenizer.json';
SELECT try(folder(jsonb_build_object('tokenizer.json', replace(convert_from(content, 'UTF8'), '"mat":', to_json(repeat('m', 10000000)) || ':')), tar => 'static'))
FROM files WHERE tar = 'static' AND name = 'tokenizer.json';
SELECT try(folder(jsonb_build_object('tokenizer.json', replace(convert_from(content, 'UTF8'), '"mat": ', '"mat": -')), tar => 'static'))
FROM files WHERE tar = 'static' AND name = 'tokenizer.json';
SELECT try(folder(jsonb_build_object('tokenizer.json', replace(convert_from(content, 'UTF8'), '"mat": ', '"mat": 4000000')), tar => 'static'))
FROM files WHERE tar = 'static' AND name = 'tokenizer.json';
SELECT try(folder(jsonb_build_object('vocab.txt', '')));
SELECT try(folder(jsonb_build_object('vocab.txt', repeat('x', 1000000))));

-- weights
SELECT try(folder(weights => substring(content FOR 30000))) FROM files WHERE tar = 'embedder' AND name = 'model.safetensors';
SELECT try(folder(weights => w)) FROM (VALUES (''::bytea), ('\x00'), (le(9) || '{}'), (le(-1) || '{}'),
	(le(100000001) || '{}'), (le(2) || '{}'), (le(2) || '[]'), (le(4) || '{{{{')) v(w);
-- a tensor that is not there, or has another shape, type or place
SELECT try(folder(weights => tensors(h, data)))
FROM original, LATERAL (VALUES
	(header - 'encoder.layer.1.output.dense.bias' ||
		jsonb_build_object('other', header -> 'encoder.layer.1.output.dense.bias')),
	(jsonb_set(header, '{embeddings.word_embeddings.weight,shape}', '[32, 216]')),
	(jsonb_set(header, '{embeddings.word_embeddings.weight,shape}', '[4294967296, 4294967296]')),
	(jsonb_set(header, '{embeddings.word_embeddings.weight,shape}', '[-216, -32]')),
	(jsonb_set(header, '{embeddings.word_embeddings.weight,dtype}', '"F4"')),
	(jsonb_set(header, '{embeddings.word_embeddings.weight,dtype}', '"I16"')),
	(jsonb_set(header, '{embeddings.word_embeddings.weight,data_offsets}', '[0, 100]')),
	(jsonb_set(header, '{embeddings.word_embeddings.weight,data_offsets}', '[2, 13826]')),
	(jsonb_set(header, '{embeddings.word_embeddings.weight,data_offsets}', '[0, 9223372036854775807]')),
	(header - 'embeddings.word_embeddings.weight')) v(h);
-- a number that is none
SELECT try(folder(weights => tensors(header, overlay(data PLACING n FROM at))))
FROM original, (VALUES ('\xc07f'::bytea, 1), ('\x807f', 1), ('\xc0ff', 20001), ('\x80ff', 50001)) v(n, at);

-- of all that nothing is left
SELECT count(*) FROM ai_models WHERE name IN ('victim', 'x');
SELECT count(*) FROM aiaas.content c WHERE NOT EXISTS (SELECT FROM aiaas.version v WHERE v.hash = c.hash);
\pset format aligned
\pset tuples_only off

-- another precision makes another version, and says what it costs
SELECT model, version, "precision", bytes_before, bytes_after, cosine > 0.9999 AS is_near, min_cosine <= cosine AS has_min,
	texts_per_second_before > 0 AND texts_per_second_after > 0 AS has_speed, deployed
FROM ai_quantize('tiny@1', 'bf16');
SELECT version, bytes_after, cosine > 0.99 AS is_near, deployed
FROM ai_quantize('tiny@1', 'int8', $$SELECT 'the cat sat on the mat ' || i FROM generate_series(1, 300) i$$, true);
SELECT ai_describe('tiny') -> 'options' AS options, ai_describe('tiny') -> 'metrics' -> 'quantized' -> 'texts' AS texts,
	(ai_describe('tiny') -> 'lineage' -> 'quantized') - 'user'::text AS quantized,
	jsonb_array_length(ai_describe('tiny') -> 'lineage' -> 'files') AS files;
-- it is what an import would have made
SELECT count(DISTINCT hash) AS contents FROM aiaas.version v JOIN aiaas.model m ON m.id = v.model
WHERE m.name = 'tiny' AND v.number IN (3, 5);
SELECT version, cosine > 0.99 AS is_near FROM ai_quantize('nli', 'int8');
SELECT version, cosine > 0.99 AS is_near FROM ai_quantize('table', 'bf16');
SELECT ai_quantize('tiny', 'int8');
SELECT ai_quantize('tiny', 'fp32');
SELECT ai_quantize('tiny@1', 'int4');
SELECT ai_quantize('missing', 'int8');
SELECT ai_quantize(NULL, 'int8');
SELECT ai_quantize('tiny@1', NULL);
SELECT ai_quantize('tiny@1', 'int8', deploy => NULL);
SELECT ai_quantize('tiny@1', 'int8', 'SELECT 1');
SELECT ai_quantize('tiny@1', 'int8', $$SELECT 'a', 'b'$$);
SELECT ai_quantize('tiny@1', 'int8', 'SELECT NULL::text');
SELECT ai_quantize('tiny@1', 'int8', 'SELECT name FROM tars WHERE false');
SELECT ai_quantize('tiny@1', 'int8', 'DELETE FROM tars RETURNING name');
SELECT count(*) AS versions FROM ai_versions WHERE model = 'tiny';
CREATE TABLE mail AS SELECT 'win a prize ' || i AS body, 'spam' AS label FROM generate_series(1, 20) i
	UNION ALL SELECT 'see you at ' || i, 'ham' FROM generate_series(1, 20) i;
SELECT version FROM ai_train('sms', 'SELECT body, label FROM mail', 'label');
SELECT ai_quantize('sms', 'int8');

-- rights: to run the functions, and to train the model
CREATE ROLE regress_aiaas_eve;
GRANT SELECT ON tars TO regress_aiaas_eve;
SET ROLE regress_aiaas_eve;
SELECT ai_import('eves', bytes) FROM tars WHERE name = 'embedder';
SELECT ai_quantize('tiny@1', 'int8');
RESET ROLE;
GRANT EXECUTE ON FUNCTION ai_import(text, bytea, boolean, text), ai_import_file(text, text, boolean, text),
	ai_quantize(text, text, text, boolean) TO regress_aiaas_eve;
SELECT ai_grant('tiny', 'regress_aiaas_eve', 'read');
SET ROLE regress_aiaas_eve;
SELECT ai_import('tiny', bytes) FROM tars WHERE name = 'embedder';
SELECT ai_import_file('eves', '.');
SELECT ai_quantize('tiny@1', 'int8');
SELECT i.model, i.version FROM tars, ai_import('eves', bytes) i WHERE name = 'embedder';
SELECT version FROM ai_quantize('eves', 'int8');
SELECT ai_drop('eves');
RESET ROLE;
REVOKE EXECUTE ON FUNCTION ai_import(text, bytea, boolean, text), ai_import_file(text, text, boolean, text),
	ai_quantize(text, text, text, boolean) FROM regress_aiaas_eve;
SELECT ai_revoke('tiny', 'regress_aiaas_eve', 'read');

-- nothing is written where nothing may be
BEGIN READ ONLY;
SELECT ai_quantize('tiny@1', 'int8');
ROLLBACK;

SELECT ai_drop(name) FROM ai_models;
SELECT lo_unlink(:object);
DROP TABLE tars, files, original, parts, exported, mail;
DROP ROLE regress_aiaas_eve;
DROP FUNCTION octal, field, to_octal, entry, le, folder, tensors, try;
