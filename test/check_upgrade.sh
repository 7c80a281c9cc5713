#!/bin/sh
# pg_upgrade carries models, rights and pins from an older server to a newer one.
# Runs in a tree that was built for the newer server; the other was for the older.
# usage: PG_CONFIG=... sh test/check_upgrade.sh OLD_TREE OLD_PG_CONFIG
set -eu
. test/private_server.sh
tree=$PWD
new_config=$PG_CONFIG

stop_server()
{
	as_server_user "$bin/pg_ctl" -D "$work/data" -m fast -w stop >/dev/null
}

# What must be the same before and after
show()
{
	psql -XAtq -v ON_ERROR_STOP=1 -d shop <<-'END'
		SELECT name, deployed, versions, score, bytes, owner, created, comment FROM ai_models;
		SELECT model, role, privilege FROM ai_privileges ORDER BY 1, 2, 3;
		SELECT count(*), sum(ai_score(body, 'spam', 'sms@1')), min(ai_classify(body, 'sms')) FROM mail;
		SELECT stored FROM ai_check();
		SET enable_seqscan = off;
		SELECT format('SELECT count(*) FROM mail WHERE ai_classify_pinned(body, %L) = %L', pin, 'spam') FROM pins \gexec
		SELECT * FROM letters;
		SET ROLE bob;
		SELECT ai_classify('free prize', 'sms');
	END
}

# Called when the script ends, instead of private_server_remove
remove_both()
{
	status=$?
	set +e
	rm -rf "$old_work"
	(exit $status)
	private_server_remove
}

PG_CONFIG=$2
cd "$1"
private_server_make
private_server_start
createdb shop
psql -Xq -v ON_ERROR_STOP=1 -d shop >/dev/null 2>&1 <<'END'
CREATE EXTENSION aiaas;
CREATE ROLE ann;
CREATE ROLE bob;
GRANT EXECUTE ON FUNCTION ai_train TO ann;
CREATE TABLE mail AS
	SELECT 'win a free prize now, call ' || i AS body, 'spam' AS label FROM generate_series(1, 400) i
	UNION ALL
	SELECT 'see you at lunch, we meet at ' || i, 'ham' FROM generate_series(1, 400) i;
GRANT SELECT ON mail TO ann;
SET ROLE ann;
SELECT * FROM ai_train('sms', 'SELECT body, label FROM mail', 'label');
SELECT * FROM ai_train('sms', 'SELECT body, label FROM mail', 'label', options => '{"min_count": 2}');
SELECT ai_comment('sms', 'spam or not'), ai_grant('sms', 'bob', 'use');
RESET ROLE;
CREATE TABLE pins AS SELECT ai_pin('sms') AS pin;
SELECT format('CREATE INDEX ON mail (ai_classify_pinned(body, %L))', pin) FROM pins \gexec
SELECT format('CREATE TABLE letters (body text, label text GENERATED ALWAYS AS (ai_classify_pinned(body, %L)) STORED)', pin) FROM pins \gexec
INSERT INTO letters VALUES ('a free prize'), ('lunch at noon');
END
before=$(show)

# Since their releases of November 2026 (15.20) servers mark columns by an option
# that older releases of newer majors do not restore; older servers have no marks.
grep -q pg_attver "$("$new_config" --bindir)/pg_dump" || psql -Xq -v ON_ERROR_STOP=1 -d shop <<'END'
UPDATE pg_attribute SET attoptions = NULL WHERE attoptions[1] LIKE 'pg_attver=%';
END
stop_server
old_work=$work old_bin=$bin

PG_CONFIG=$new_config
cd "$tree"
private_server_make
trap remove_both EXIT
private_server_start
stop_server
(
	cd "$work"
	as_server_user "$bin/pg_upgrade" -b "$old_bin" -B "$bin" -d "$old_work/data" -D "$work/data" \
		-U postgres -s "$work" >"$work/upgrade.log" 2>&1
) || { cat "$work/upgrade.log"; find "$work/data" -name '*.log' -path '*pg_upgrade*' -exec tail -n 20 {} +; exit 1; }
as_server_user "$bin/pg_ctl" -D "$work/data" -l "$work/server.log" -w start >/dev/null
after=$(show)
if [ "$before" != "$after" ]; then
	printf 'before:\n%s\nafter:\n%s\n' "$before" "$after"
	exit 1
fi
label=$(psql -XAtq -d shop -c "INSERT INTO letters VALUES ('a free prize') RETURNING label")
[ "$label" = spam ]
version=$(psql -XAtq -v ON_ERROR_STOP=1 -d shop \
	-c "SELECT version FROM ai_train('sms', 'SELECT body, label FROM mail', 'label')" 2>/dev/null)
[ "$version" = 3 ]
