/*
 * store_schema.c - the tables of store.db and how older ones become newer.
 *
 * SQLite's user_version counts the steps done. A released step is never
 * edited; a change is one more step. Bytes of header blocks and bodies are
 * in packs: the rows here have their place (store_pack.h), length and CRC.
 * A message that waits for its new UID after a UIDVALIDITY change has
 * folder = -(its folder) and uid = -(its id).
 */
#include "store_private.h"

#include "err.h"

#define APPLICATION_ID 0x536c7563 /* "Sluc" */

static const char tables[] =
	"CREATE TABLE state(pack_end INTEGER NOT NULL,"
	" synced_end INTEGER NOT NULL, boot TEXT NOT NULL);"
	"INSERT INTO state VALUES(0, 0, '');"
	"CREATE TABLE meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;"
	"CREATE TABLE folders(id INTEGER PRIMARY KEY,"
	" kind INTEGER NOT NULL, mode INTEGER NOT NULL,"
	" path TEXT NOT NULL, remote TEXT NOT NULL, role TEXT, token TEXT,"
	" validity INTEGER NOT NULL, uid_next INTEGER NOT NULL,"
	" modseq INTEGER NOT NULL, walked INTEGER NOT NULL,"
	" server_count INTEGER NOT NULL, server_bytes INTEGER NOT NULL,"
	" verified INTEGER NOT NULL,"
	" messages INTEGER NOT NULL DEFAULT 0,"
	" bodies INTEGER NOT NULL DEFAULT 0,"
	" protected INTEGER NOT NULL DEFAULT 0,"
	" body_bytes INTEGER NOT NULL DEFAULT 0,"
	" header_bytes INTEGER NOT NULL DEFAULT 0,"
	" detached INTEGER NOT NULL DEFAULT 0,"
	" contacts INTEGER NOT NULL DEFAULT 0,"
	" events INTEGER NOT NULL DEFAULT 0,"
	" tasks INTEGER NOT NULL DEFAULT 0,"
	" notes INTEGER NOT NULL DEFAULT 0,"
	" UNIQUE(kind, remote));"
	"CREATE TABLE messages(id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" folder INTEGER NOT NULL, uid INTEGER NOT NULL,"
	" size INTEGER NOT NULL, internal_date INTEGER NOT NULL,"
	" flags INTEGER NOT NULL, modseq INTEGER NOT NULL,"
	" protection INTEGER NOT NULL, attachment INTEGER NOT NULL,"
	" date INTEGER NOT NULL,"
	" header_at INTEGER, header_length INTEGER, header_crc INTEGER,"
	" body_at INTEGER, body_length INTEGER, body_crc INTEGER,"
	" keywords TEXT, sender TEXT, recipients TEXT, subject TEXT,"
	" message_id TEXT, in_reply_to TEXT);"
	"CREATE UNIQUE INDEX messages_uid ON messages(folder, uid);"
	"CREATE INDEX messages_detached ON messages(folder, message_id)"
	" WHERE folder < 0;"
	"CREATE TABLE items(id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" folder INTEGER NOT NULL, href TEXT NOT NULL, etag TEXT NOT NULL,"
	" kind INTEGER NOT NULL, uid TEXT, summary TEXT, email TEXT,"
	" start INTEGER NOT NULL, finish INTEGER NOT NULL,"
	" text BLOB NOT NULL);"
	"CREATE UNIQUE INDEX items_href ON items(folder, href);"
	"CREATE TABLE quarantine(folder INTEGER NOT NULL,"
	" uid INTEGER NOT NULL, href TEXT NOT NULL, reason TEXT NOT NULL,"
	" tries INTEGER NOT NULL, at INTEGER NOT NULL,"
	" skip INTEGER NOT NULL, raw BLOB,"
	" PRIMARY KEY(folder, uid, href)) WITHOUT ROWID;";

/* The index of words. A message is indexed once by its header columns
 * (rowid 2 x id) and once more, all of it, when its body is there (rowid
 * 2 x id + 1); items under -id. Rows that are gone stay in the index and
 * are skipped when found. */
static const char search[] =
	"CREATE VIRTUAL TABLE words USING fts5(title, people, content,"
	" content='', tokenize='unicode61 remove_diacritics 2');"
	"CREATE TABLE indexed(id INTEGER PRIMARY KEY, whole INTEGER NOT NULL);"
	"CREATE TABLE indexed_upto(messages INTEGER NOT NULL,"
	" items INTEGER NOT NULL);"
	"INSERT INTO indexed_upto VALUES(0, 0);";

/* Whose body came after its row was indexed or passed over: 2. */
static const char search_due[] =
	"CREATE INDEX indexed_due ON indexed(id) WHERE whole = 2;"
	"UPDATE indexed SET whole = 2 WHERE NOT whole AND id IN"
	" (SELECT id FROM messages WHERE body_at IS NOT NULL);";

static const char *const steps[] = {tables, search, search_due};

#define VERSION ((int64_t)(sizeof(steps) / sizeof(steps[0])))

static int migrate(struct store *store, int64_t version, struct err *err)
{
	char number[64];

	if (db_script(&store->db, "BEGIN IMMEDIATE", err) < 0)
		return -1;
	for (; version < VERSION; version++) {
		if (db_script(&store->db, steps[version], err) < 0)
			goto rollback;
	}
	sqlite3_snprintf(sizeof(number), number, "PRAGMA user_version = %lld",
		(long long)VERSION);
	if (db_script(&store->db, number, err) < 0 ||
		db_script(&store->db, "COMMIT", err) < 0)
		goto rollback;
	return 0;
rollback:
	db_script(&store->db, "ROLLBACK", NULL);
	return -1;
}

static int check_application(struct store *store, struct err *err)
{
	int64_t application = 0;

	if (db_number(&store->db, &application, "PRAGMA application_id", err) <
		0)
		return -1;
	if (application != APPLICATION_ID)
		return err_set(err, ERR_DATABASE,
			"%s: this is no mail store; name another directory",
			store->db.path);
	return 0;
}

int schema_open(struct store *store, struct err *err)
{
	int64_t version = 0;
	char pragma[64];

	if (db_number(&store->db, &version, "PRAGMA user_version", err) < 0)
		return -1;
	if (version > VERSION)
		return err_set(err, ERR_DATABASE,
			"%s: written by a newer sluice-agent (format %lld, "
			"this one knows %lld); update this program",
			store->db.path, (long long)version, (long long)VERSION);
	if (version > 0 && check_application(store, err) < 0)
		return -1;
	if (version == VERSION)
		return 0;
	if (store->access == STORE_READ && version == 0)
		return err_set(err, ERR_DATABASE,
			"%s: nothing was synchronised into it yet",
			store->db.path);
	if (store->access == STORE_READ)
		return err_set(err, ERR_DATABASE,
			"%s: format %lld is older than this program's; run "
			"`sluice-agent sync` once, it converts the store",
			store->db.path, (long long)version);
	sqlite3_snprintf(sizeof(pragma), pragma, "PRAGMA application_id = %d",
		APPLICATION_ID);
	if (version == 0 && db_script(&store->db, pragma, err) < 0)
		return -1;
	return migrate(store, version, err);
}
