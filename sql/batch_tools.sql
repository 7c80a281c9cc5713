-- What the tests of batches use: a model, mail, and functions that look at plans and compare.
-- The tests batch_* need it; batch_end removes it.
CREATE SCHEMA batch;
SET search_path = batch, public;
DO $$ BEGIN PERFORM ai_drop(name) FROM ai_models; END $$;

-- empty texts, nulls, texts that come again, and texts of several lengths.  No index and no
-- autovacuum, so that plans are the same each time.
CREATE TABLE mail WITH (autovacuum_enabled = off) AS
	SELECT i AS id,
		i % 7 AS box,
		CASE WHEN i % 3 = 0 THEN 'spam' ELSE 'ham' END AS label,
		CASE WHEN i % 50 = 0 THEN NULL
			WHEN i % 70 = 0 THEN ''
			WHEN i % 3 = 0 THEN 'win a free prize now, call ' || (i * 7919 % 100)
			ELSE 'see you at lunch, ' || repeat('I am at ' || (i * 7919 % 100) || ', ', i % 5) END AS body
	FROM generate_series(1, 300) i;
ANALYZE mail;
CREATE TABLE kind (label text, weight int);
INSERT INTO kind VALUES ('ham', 1), ('spam', 2), ('other', 3);
ANALYZE kind;
SELECT version FROM ai_train('mail', 'SELECT body, label FROM mail WHERE body <> ''''', 'label');

-- a model of what the first one says
CREATE TABLE word AS
	SELECT 'ham' || repeat(' ', i) AS body, 'good' AS label FROM generate_series(0, 19) i
	UNION ALL
	SELECT 'spam' || repeat(' ', i), 'bad' FROM generate_series(0, 19) i;
SELECT version FROM ai_train('mood', 'SELECT body, label FROM word', 'label');

-- The nodes of a plan as EXPLAIN (FORMAT JSON) shows them, from the top
CREATE FUNCTION nodes(plan json) RETURNS TABLE (node jsonb) LANGUAGE sql AS $$
	WITH RECURSIVE tree AS (
		SELECT ARRAY[0] AS path, plan::jsonb -> 0 -> 'Plan' AS node
		UNION ALL
		SELECT path || place::int, child
		FROM tree, jsonb_array_elements(node -> 'Plans') WITH ORDINALITY p (child, place))
	SELECT node FROM tree ORDER BY path
$$;

CREATE FUNCTION child(node jsonb) RETURNS jsonb LANGUAGE sql AS $$
	SELECT plan FROM jsonb_array_elements(node -> 'Plans') plan
	WHERE plan ->> 'Parent Relationship' = 'Outer'
$$;

-- The calls that run in batches, and the kind of node below them
CREATE FUNCTION calls(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	plan json;
BEGIN
	EXECUTE 'EXPLAIN (FORMAT JSON) ' || query INTO plan;
	RETURN (
		SELECT coalesce(string_agg(format('%s over %s%s', names,
				CASE WHEN (below ->> 'Parallel Aware')::bool AND below ->> 'Node Type' <> 'Custom Scan'
					THEN 'Parallel ' END, below ->> 'Node Type'), '; '), 'row by row')
		FROM nodes(plan),
			LATERAL child(node) below,
			LATERAL (SELECT string_agg(substring(call ->> 'Batched Call' FROM '(\w+)\('), ', ') AS names
				FROM jsonb_array_elements(node -> 'Batched Calls') call) c
		WHERE node ->> 'Custom Plan Provider' = 'BatchProject');
END $$;

-- What a statement returns, in its order, and what a query finds after it, in any; all is undone
CREATE FUNCTION outcome(statement text, look text, batch text) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
	result text[];
	line text;
BEGIN
	PERFORM set_config('aiaas.batch', batch, false);
	IF look IS NULL THEN
		EXECUTE 'CREATE TEMP TABLE outcome AS ' || statement;
		result := ARRAY(SELECT o::text FROM outcome o ORDER BY ctid);
	ELSE
		IF statement !~ '^WITH' AND statement ~ 'RETURNING' THEN
			FOR line IN EXECUTE statement LOOP
				result := result || line;
			END LOOP;
		ELSE
			EXECUTE statement;
		END IF;
		FOR line IN EXECUTE format('SELECT q::text FROM (%s) q ORDER BY q::text', look) LOOP
			result := result || line;
		END LOOP;
	END IF;
	RAISE SQLSTATE 'UND00';
EXCEPTION
	WHEN SQLSTATE 'UND00' THEN
		RETURN result;
	WHEN OTHERS THEN
		RETURN ARRAY[format('%s: %s', SQLSTATE, SQLERRM)];
END $$;

-- Do batches give what a statement gives without them?
CREATE FUNCTION compare(statement text, look text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	with_batches text[] := outcome(statement, look, 'on');
	without text[] := outcome(statement, look, 'off');
	n int := cardinality(with_batches);
BEGIN
	IF with_batches = without THEN
		RETURN format('same %s', CASE WHEN with_batches[1] ~ '^[0-9A-Z]{5}: ' THEN with_batches[1]
			ELSE coalesce(n, 0) || ' rows' END);
	END IF;
	with_batches := ARRAY(SELECT unnest(with_batches) ORDER BY 1);
	without := ARRAY(SELECT unnest(without) ORDER BY 1);
	IF with_batches = without THEN
		RETURN format('same %s rows in another order', n);
	END IF;
	RETURN format('DIFFERENT: %s rows and %s without, as %s and %s', n, cardinality(without),
		(SELECT w FROM unnest(with_batches) w EXCEPT ALL SELECT unnest(without) LIMIT 1),
		(SELECT w FROM unnest(without) w EXCEPT ALL SELECT unnest(with_batches) LIMIT 1));
END $$;

CREATE FUNCTION shape(statement text, look text DEFAULT NULL) RETURNS text LANGUAGE sql AS
	'SELECT calls(statement) || '' | '' || compare(statement, look)';
