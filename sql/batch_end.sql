-- Nothing of the tests of batches stays.
SET client_min_messages = warning;
DROP SCHEMA batch CASCADE;
SELECT ai_drop(name) FROM ai_models;
