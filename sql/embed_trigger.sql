-- a column of embeddings follows a column of texts
\set SHOW_CONTEXT never
\lo_import test/data/encoders/embedder.tar
SELECT version FROM ai_import('kept', :LASTOID);
SELECT lo_unlink(:LASTOID);
CREATE TABLE docs (id int PRIMARY KEY, body text, e real[], note text);
CREATE VIEW docs_state AS
	SELECT id, e IS NULL AS is_null, e = ai_embed(body, 'kept') AS is_right FROM docs ORDER BY id;
INSERT INTO docs SELECT i, 'the cat ' || i FROM generate_series(1, 5) i;

-- rows that are there already get theirs in batches, which commit
CALL ai_embed_backfill('docs', 'body', 'e', 'kept', 2);
CALL ai_embed_backfill('docs', 'body', 'e', 'kept');
SELECT count(*), bool_and(is_right) FROM docs_state;

-- new and changed rows by triggers, as often as they are created
SELECT ai_keep_embedding('docs', 'body', 'e', 'kept');
SELECT ai_keep_embedding('docs', 'body', 'e', 'kept');
SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = 'docs'::regclass ORDER BY 1 \gx
INSERT INTO docs VALUES (6, 'a dog', NULL), (7, NULL, NULL), (8, 'a fish', '{1}'), (9, NULL, '{1}');
INSERT INTO docs SELECT 10, 'nothing' WHERE false;
SELECT * FROM docs_state WHERE id > 5;

-- embeddings are computed where the text has changed, all in one batch
SELECT ai_stats_reset('kept');
UPDATE docs SET note = 'x';
UPDATE docs SET body = body;
UPDATE docs SET body = 'same' WHERE id = 100;
SELECT count(*) AS none FROM ai_stats WHERE model = 'kept' AND function = 'ai_embed';
UPDATE docs SET body = 'it sleeps ' || id WHERE id < 4;
SELECT calls, rows, batches FROM ai_stats WHERE model = 'kept' AND function = 'ai_embed';
UPDATE docs SET body = NULL WHERE id = 4;
UPDATE docs SET body = 'now a text' WHERE id = 7;
UPDATE docs SET id = id + 100 WHERE id = 5;
UPDATE docs SET id = -id, body = 'both' WHERE id = 6;
DELETE FROM docs WHERE id = 8;
INSERT INTO docs VALUES (1, 'a conflict'), (20, 'none') ON CONFLICT (id) DO UPDATE SET body = excluded.body;
SELECT * FROM docs_state;

-- a text that another trigger changes
CREATE FUNCTION shorten() RETURNS trigger LANGUAGE plpgsql AS $$
	BEGIN NEW.body = left(NEW.body, 6); RETURN NEW; END $$;
CREATE TRIGGER shorten BEFORE INSERT OR UPDATE ON docs FOR EACH ROW EXECUTE FUNCTION shorten();
UPDATE docs SET note = 'y';
INSERT INTO docs VALUES (30, 'a text that is too long');
SELECT id, body, e = ai_embed(body, 'kept') AS is_right FROM docs ORDER BY id;
DROP TRIGGER shorten ON docs;

-- who fires it computes and writes
CREATE ROLE regress_aiaas_writer;
GRANT INSERT, SELECT, UPDATE (body) ON docs TO regress_aiaas_writer;
SET ROLE regress_aiaas_writer;
INSERT INTO docs VALUES (40, 'text');
RESET ROLE;
GRANT UPDATE (e) ON docs TO regress_aiaas_writer;
SET ROLE regress_aiaas_writer;
INSERT INTO docs VALUES (40, 'text');
CALL ai_embed_backfill('docs', 'body', 'e', 'kept');
SELECT ai_keep_embedding('docs', 'body', 'e', 'kept');
RESET ROLE;
SELECT ai_grant('kept', 'regress_aiaas_writer', 'use');
SET ROLE regress_aiaas_writer;
INSERT INTO docs VALUES (40, 'text');
SELECT ai_keep_embedding('docs', 'body', 'e', 'kept');
RESET ROLE;
SELECT count(*), bool_and(is_right) FROM docs_state WHERE id = 40;

-- without them nothing is kept
DROP TRIGGER ai_keep_e_insert ON docs;
DROP TRIGGER ai_keep_e_update ON docs;
INSERT INTO docs VALUES (50, 'text');
SELECT * FROM docs_state WHERE id = 50;

-- names, keys, schemas, types and partitions of all kinds
CREATE SCHEMA "Some schema";
CREATE TABLE "Some schema"."A table" ("The ""key"" 1" varchar(9), "key 2" name, "Its text" char(20), "v'" float8[],
	PRIMARY KEY ("The ""key"" 1", "key 2")) PARTITION BY LIST ("The ""key"" 1");
CREATE TABLE "Some schema".first PARTITION OF "Some schema"."A table" FOR VALUES IN ('a', 'b');
CREATE TABLE "Some schema".other PARTITION OF "Some schema"."A table" DEFAULT;
INSERT INTO "Some schema"."A table" SELECT chr(97 + i % 5), i, 'text ' || i FROM generate_series(1, 40) i;
CALL ai_embed_backfill('"Some schema"."A table"', 'Its text', 'v''', 'kept', 7);
SELECT ai_keep_embedding('"Some schema"."A table"', 'Its text', 'v''', 'kept');
INSERT INTO "Some schema"."A table" VALUES ('a', 'x', 'hello'), ('z', 'x', 'there');
UPDATE "Some schema"."A table" SET "The ""key"" 1" = 'b', "Its text" = 'moved' WHERE "The ""key"" 1" = 'z';
UPDATE "Some schema"."A table" SET "Its text" = 'changed' WHERE "key 2" = '7';
SET search_path = pg_catalog;
INSERT INTO "Some schema"."A table" VALUES ('path', 'x', 'hello');
RESET search_path;
SELECT count(*), bool_and("v'" = ai_embed("Its text", 'kept')::float8[]) FROM "Some schema"."A table";

-- transition tables of any names
CREATE TRIGGER by_hand AFTER INSERT ON docs REFERENCING NEW TABLE AS "t n" FOR EACH STATEMENT
	EXECUTE FUNCTION ai_embed_trigger('body', 'e', 'kept');
INSERT INTO docs VALUES (60, 'by hand');
SELECT * FROM docs_state WHERE id = 60;
DROP TRIGGER by_hand ON docs;

-- what cannot be
CREATE TABLE keyless (body text, e real[]);
SELECT ai_keep_embedding('keyless', 'body', 'e', 'kept');
CALL ai_embed_backfill('keyless', 'body', 'e', 'kept');
CREATE TRIGGER keyless AFTER INSERT ON keyless REFERENCING NEW TABLE AS n FOR EACH STATEMENT
	EXECUTE FUNCTION ai_embed_trigger('body', 'e', 'kept');
INSERT INTO keyless VALUES ('x');
SELECT ai_keep_embedding('docs_state', 'id', 'is_null', 'kept');
CALL ai_embed_backfill('docs_state', 'id', 'is_null', 'kept');
SELECT ai_keep_embedding('docs', 'bodi', 'e', 'kept');
SELECT ai_keep_embedding('docs', 'body', 'ctid', 'kept');
SELECT ai_keep_embedding('docs', 'body', 'e', 'nobody');
SELECT ai_keep_embedding(NULL, 'body', 'e', 'kept');
SELECT ai_keep_embedding('docs', NULL, 'e', 'kept');
SELECT ai_keep_embedding('docs', 'body', NULL, 'kept');
SELECT ai_keep_embedding('docs', 'body', 'e', NULL);
CALL ai_embed_backfill('docs', 'body', 'e', 'kept', 0);
CALL ai_embed_backfill('docs', 'body', 'e', 'kept', NULL);
CALL ai_embed_backfill('docs', 'e', 'body', 'kept');
SELECT ai_keep_embedding('docs', 'body', 'id', 'kept');
BEGIN;
CALL ai_embed_backfill('docs', 'body', 'e', 'kept');
ROLLBACK;
SELECT ai_embed_trigger();
CREATE TRIGGER wrong BEFORE INSERT ON docs FOR EACH ROW EXECUTE FUNCTION ai_embed_trigger('body', 'e', 'kept');
INSERT INTO docs VALUES (70);
DROP TRIGGER wrong ON docs;
CREATE TRIGGER wrong AFTER DELETE ON docs FOR EACH STATEMENT EXECUTE FUNCTION ai_embed_trigger('body', 'e', 'kept');
DELETE FROM docs WHERE false;
DROP TRIGGER wrong ON docs;
CREATE TRIGGER wrong AFTER INSERT ON docs FOR EACH STATEMENT EXECUTE FUNCTION ai_embed_trigger('body', 'e', 'kept');
INSERT INTO docs VALUES (70);
DROP TRIGGER wrong ON docs;
CREATE TRIGGER wrong AFTER UPDATE ON docs REFERENCING NEW TABLE AS n FOR EACH STATEMENT
	EXECUTE FUNCTION ai_embed_trigger('body', 'e', 'kept');
UPDATE docs SET id = 70 WHERE false;
DROP TRIGGER wrong ON docs;
CREATE TRIGGER wrong AFTER INSERT ON docs REFERENCING NEW TABLE AS n FOR EACH STATEMENT
	EXECUTE FUNCTION ai_embed_trigger('body', 'e');
INSERT INTO docs VALUES (70);
DROP TRIGGER wrong ON docs;

DROP SCHEMA "Some schema" CASCADE;
DROP TABLE docs, keyless CASCADE;
DROP FUNCTION shorten();
SELECT ai_drop('kept');
DROP ROLE regress_aiaas_writer;
