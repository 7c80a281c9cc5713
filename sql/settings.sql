-- every setting has a range, a unit and somebody who may change it
LOAD 'aiaas';
SELECT name, unit, context, vartype, min_val, max_val, enumvals, short_desc
FROM pg_settings WHERE name ~ '^aiaas\.' ORDER BY name COLLATE "C" \gx
SELECT name, boot_val FROM pg_settings
WHERE name ~ '^aiaas\.' AND name <> 'aiaas.threads' ORDER BY name COLLATE "C";
SELECT boot_val::int BETWEEN 1 AND 4 AS is_small FROM pg_settings WHERE name = 'aiaas.threads';

-- out of range
\set VERBOSITY sqlstate
SET aiaas.threads = 0;
SET aiaas.threads = 257;
SET aiaas.max_input_bytes = -1;
SET aiaas.max_model_bytes = -1;
SET aiaas.max_train_memory = 0;
SET aiaas.max_train_time = -1;
SET aiaas.cpu_level = 'sse9';
SET aiaas.blas = 'atlas';
\set VERBOSITY default

-- in range
SET aiaas.threads = 256;
RESET aiaas.threads;
SET aiaas.max_input_bytes = '1MB';
SHOW aiaas.max_input_bytes;
RESET aiaas.max_input_bytes;
SET aiaas.max_model_bytes = '3GB';
SHOW aiaas.max_model_bytes;
RESET aiaas.max_model_bytes;
SET aiaas.max_train_memory = '3GB';
SHOW aiaas.max_train_memory;
RESET aiaas.max_train_memory;
SET aiaas.max_train_time = '2min';
SHOW aiaas.max_train_time;
RESET aiaas.max_train_time;
SET aiaas.cpu_level = 'portable';
SHOW aiaas.cpu_level;
RESET aiaas.cpu_level;
SET aiaas.blas = 'own';
SHOW aiaas.blas;
RESET aiaas.blas;

-- limits are the superuser's
CREATE ROLE regress_aiaas_user;
SET ROLE regress_aiaas_user;
SET aiaas.threads = 2;
SET aiaas.default_classifier = 'sms';
SET aiaas.max_input_bytes = 0;
SET aiaas.max_model_bytes = 0;
SET aiaas.max_train_memory = '3GB';
SET aiaas.max_train_time = 0;
SET aiaas.cpu_level = 'portable';
SET aiaas.blas = 'own';
RESET ROLE;
DROP ROLE regress_aiaas_user;
