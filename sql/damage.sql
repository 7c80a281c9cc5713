-- whatever happens to the stored bytes, the answer is an error that names the model and the place
CREATE TABLE mail AS
	SELECT 'win a free prize now, call ' || i AS body, 'spam' AS label
	FROM generate_series(1, 40) i
	UNION ALL
	SELECT 'see you at lunch, we meet at ' || i, 'ham'
	FROM generate_series(1, 40) i;
SELECT version FROM ai_train('sms', 'SELECT body, label FROM mail', 'label');

-- a content of three chunks in the place of the trained one: sizes and hashes are right
CREATE FUNCTION store(content bytea) RETURNS void LANGUAGE sql AS $$
	DELETE FROM aiaas.chunk;
	DELETE FROM aiaas.content;
	UPDATE aiaas.version SET hash = sha256(content);
	INSERT INTO aiaas.content VALUES (sha256(content), length(content));
	INSERT INTO aiaas.chunk
		SELECT sha256(content), i, part, sha256(part)
		FROM generate_series(0, (length(content) - 1) / 1048576) i,
			substring(content FROM i * 1048576 + 1 FOR 1048576) part;
$$;

-- bytes that are no model
BEGIN;
SELECT store(convert_to(repeat('no model', 300000), 'UTF8'));
SELECT ai_classify('free prize', 'sms');
\echo :SQLSTATE
ROLLBACK;

-- a chunk that is missing: in the middle, the last one, all
BEGIN;
SELECT store(convert_to(repeat('no model', 300000), 'UTF8'));
SAVEPOINT whole;
DELETE FROM aiaas.chunk WHERE seq = 1;
SELECT ai_classify('free prize', 'sms');
\echo :SQLSTATE
ROLLBACK TO whole;
DELETE FROM aiaas.chunk WHERE seq = 1;
SELECT * FROM ai_check();
ROLLBACK TO whole;
DELETE FROM aiaas.chunk WHERE seq = 2;
SELECT ai_classify('free prize', 'sms@1');
ROLLBACK TO whole;
DELETE FROM aiaas.chunk;
SELECT ai_classify('free prize', 'sms');
ROLLBACK TO whole;

-- a chunk too many, a chunk of another size, and one with another byte
INSERT INTO aiaas.chunk SELECT hash, 3, data, sha256 FROM aiaas.chunk WHERE seq = 2;
SELECT ai_classify('free prize', 'sms');
ROLLBACK TO whole;
UPDATE aiaas.chunk SET data = substring(data FROM 2) WHERE seq = 1;
SELECT ai_classify('free prize', 'sms');
ROLLBACK TO whole;
UPDATE aiaas.chunk SET data = set_byte(data, 1000, 0) WHERE seq = 1;
SELECT ai_classify('free prize', 'sms');
ROLLBACK TO whole;
UPDATE aiaas.chunk SET data = set_byte(data, 1000, 0) WHERE seq = 1;
SELECT * FROM ai_check('sms');
ROLLBACK TO whole;

-- another byte, with a checksum that fits
UPDATE aiaas.chunk SET data = set_byte(data, 1000, 0), sha256 = sha256(set_byte(data, 1000, 0))
	WHERE seq = 1;
SELECT ai_classify('free prize', 'sms');
ROLLBACK TO whole;

-- a wrong size, and no entry at all
UPDATE aiaas.content SET bytes = bytes + 1;
SELECT ai_classify('free prize', 'sms');
ROLLBACK TO whole;
UPDATE aiaas.content SET bytes = 9223372036854775807;
SELECT ai_classify('free prize', 'sms');
ROLLBACK TO whole;
DELETE FROM aiaas.content;
SELECT ai_classify('free prize', 'sms');
ROLLBACK TO whole;
UPDATE aiaas.version SET hash = '\x00';
SELECT ai_classify('free prize', 'sms');
\echo :SQLSTATE
ROLLBACK;

-- a format that is newer than this release
BEGIN;
SELECT store(set_byte(data, 8, 99)) FROM (SELECT data FROM aiaas.chunk) c;
SELECT ai_classify('free prize', 'sms');
\echo :SQLSTATE
ROLLBACK;

-- a model that was cut short, and hashed after that
BEGIN;
SELECT store(substring(data FOR 1000)) FROM (SELECT data FROM aiaas.chunk) c;
\set VERBOSITY terse
SELECT ai_classify('free prize', 'sms');
\echo :SQLSTATE
\set VERBOSITY default
ROLLBACK;

-- training the same again makes a content whole that has lost a chunk
DELETE FROM aiaas.chunk;
SELECT stored FROM ai_check();
SELECT version
FROM ai_train('sms', 'SELECT body, label FROM mail', 'label', options => '{"deploy": "always"}');
SELECT ai_classify('free prize', 'sms'), ai_classify('free prize', 'sms@1');

-- the owner of the tables can alter them, but not what is read out of them
\c -
BEGIN;
ALTER TABLE aiaas.version ALTER kind DROP NOT NULL;
UPDATE aiaas.version SET kind = NULL;
SELECT ai_classify('free prize', 'sms');
\echo :SQLSTATE
ROLLBACK;
BEGIN;
ALTER TABLE aiaas.model ALTER last_version TYPE bigint;
SELECT ai_classify('free prize', 'sms');
ROLLBACK;
BEGIN;
ALTER TABLE aiaas.chunk ALTER data TYPE text;
SELECT stored FROM ai_check();
ROLLBACK;
BEGIN;
ALTER TABLE aiaas.version ALTER features TYPE json;
SELECT ai_describe('sms')->'features' IS NOT NULL AS is_there;
ROLLBACK;
BEGIN;
UPDATE aiaas.version SET kind = 'oracle', features = NULL, labels = NULL, options = NULL;
SELECT ai_classify('free prize', 'sms');
ROLLBACK;
BEGIN;
UPDATE aiaas.version SET features = NULL, labels = NULL, options = NULL, metrics = NULL;
SELECT ai_classify('free prize', 'sms');
SELECT ai_classify(m, 'sms') FROM mail m LIMIT 1;
ROLLBACK;

-- a deployed version whose row was deleted by hand is no version to beat
BEGIN;
DELETE FROM aiaas.version;
SAVEPOINT a;
SELECT ai_classify('free prize', 'sms');
ROLLBACK TO a;
SELECT version, deployed FROM ai_train('sms', 'SELECT body, label FROM mail', 'label');
ROLLBACK;

-- a damaged model can be dropped
DELETE FROM aiaas.content;
SELECT ai_drop('sms');
SELECT count(*) FROM ai_models;

DELETE FROM aiaas.chunk;
DROP FUNCTION store(bytea);
DROP TABLE mail;
