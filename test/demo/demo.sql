-- The demo: a server learns to tell spam from ham.  Run it from the top folder.
\set QUIET on
\pset footer off
SET client_min_messages = notice;
\set ECHO queries

\echo '1. The extension, and 4,862 real text messages that people labelled as spam or ham.'
\echo
CREATE EXTENSION aiaas;
CREATE TABLE messages (id int GENERATED ALWAYS AS IDENTITY, label text, body text);
\set ECHO none
\copy messages (label, body) FROM 'test/data/sms.tsv' WITH (FORMAT csv, DELIMITER E'\t', QUOTE E'\x01')
\set ECHO queries
SELECT label, count(*), (array_agg(left(body, 60) ORDER BY id))[1] AS example
FROM messages GROUP BY label ORDER BY label;

\echo
\echo '2. Learn from four fifths of them.  The model is a row in this database;'
\echo '   the scores come from messages that were held out while it learnt.'
\echo
\timing on
\x on
SELECT * FROM ai_train('sms', 'SELECT label, body FROM messages WHERE id % 5 > 0', 'label');
\x off
\timing off

\echo
\echo '3. Label messages that nobody has seen before.'
\echo
SET aiaas.default_classifier = 'sms';
CREATE TABLE inbox (body text);
INSERT INTO inbox VALUES
  ('Are we still on for lunch tomorrow?'),
  ('WINNER!! Claim your free prize now, text WIN to 80082. 18+ only'),
  ('I left the keys under the mat, call me when you are home'),
  ('URGENT: your mobile number has won a 2000 pound award. Call 09061234567');
SELECT ai_classify(body), round(ai_score(body, 'spam')::numeric, 3) AS spam, body FROM inbox;

\echo
\echo '4. Every label with its probability, and the words that decided.'
\echo
SELECT ai_scores('Free entry to the cup final, text GO to 87121');
SELECT feature, kind, round(contribution::numeric, 2) AS contribution
FROM ai_explain('Free entry to the cup final, text GO to 87121', 'sms')
WHERE kind <> 'intercept' LIMIT 8;
\echo 'A shape is what a word looks like: 87121 stands for any five digits.'

\echo
\echo '5. How good is it?  On the fifth that it has not learnt from:'
\echo
SELECT metric, trim_scale(round(value::numeric, 4)) AS value
FROM ai_evaluate('sms', 'SELECT label, body FROM messages WHERE id % 5 = 0', 'label')
WHERE metric IN ('rows', 'accuracy', 'precision_macro', 'recall_macro', 'f1_macro', 'log_loss', 'roc_auc');

\echo
\echo '6. It works in plain SQL, whole tables at a time.'
\echo
\timing on
SELECT ai_classify(body) AS found, label, count(*) FROM messages GROUP BY 1, 2 ORDER BY 1, 2;
\timing off

\echo
\echo '7. The same messages as sequences of words, for a neural network defined as in Keras.'
\echo
\timing on
SELECT version, train_rows, metric, round(validation_score::numeric, 3) AS score
FROM ai_train('sms_network', 'SELECT label, body FROM messages WHERE id % 5 > 0', 'label', 'network', '{
  "layers": [{"embedding": 32}, {"lstm": 32}, {"dense": 2}], "epochs": 3, "learning_rate": 0.005}');
\timing off
SELECT ai_classify(body, 'sms_network') AS network, ai_classify(body) AS sms, body FROM inbox;

\echo
\echo 'That was all: one extension, one call to learn, one function to use it.'
\echo 'README.md continues from here; "make install" puts the extension into your own server.'
