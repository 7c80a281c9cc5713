--
-- Loads Fashion-MNIST into the tables fashion (60,000 rows) and fashion_test (10,000): id, image
-- (28 by 28 pixels as bytea) and label.
--
--	psql -f examples/fashion-mnist.sql
--
-- Reads the files of Debian's package dataset-fashion-mnist on psql's machine.  They are in MNIST's
-- format: a head of 16 bytes (images) or 8 (labels), then bytes.
--
\set QUIET on
\set from /usr/share/datasets/fashion-mnist
\set to `mktemp -d`
\set unpacked `cd :from && for f in *.gz; do gzip -dc $f > :to/${f%.gz}; done && echo yes`

BEGIN;
CREATE TABLE fashion (id integer PRIMARY KEY, image bytea NOT NULL, label text NOT NULL);
CREATE TABLE fashion_test (LIKE fashion INCLUDING ALL);
CREATE TEMPORARY TABLE class ON COMMIT DROP AS
	SELECT number - 1 AS number, label
	FROM unnest('{T-shirt,trouser,pullover,dress,coat,sandal,shirt,sneaker,bag,boot}'::text[])
		WITH ORDINALITY AS t (label, number);

\set file :to /train-images-idx3-ubyte
\lo_import :file
\set images :LASTOID
\set file :to /train-labels-idx1-ubyte
\lo_import :file
\set labels :LASTOID
INSERT INTO fashion
	SELECT id, lo_get(:images, 16 + 784 * (id - 1), 784), label
	FROM generate_series(1, 60000) id
		JOIN class ON number = get_byte(lo_get(:labels, 8 + id - 1, 1), 0);
SELECT lo_unlink(:images), lo_unlink(:labels) \g /dev/null

\set file :to /t10k-images-idx3-ubyte
\lo_import :file
\set images :LASTOID
\set file :to /t10k-labels-idx1-ubyte
\lo_import :file
\set labels :LASTOID
INSERT INTO fashion_test
	SELECT id, lo_get(:images, 16 + 784 * (id - 1), 784), label
	FROM generate_series(1, 10000) id
		JOIN class ON number = get_byte(lo_get(:labels, 8 + id - 1, 1), 0);
SELECT lo_unlink(:images), lo_unlink(:labels) \g /dev/null
COMMIT;
ANALYZE fashion, fashion_test;
\set removed `rm -r :to`
