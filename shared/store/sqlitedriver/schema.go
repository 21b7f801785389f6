package sqlitedriver

import (
	"waggle/shared/fault"
)

// The file says whose it is in its header: application_id is "wagl", user_version is
// the version of the layout below.
const (
	applicationID = 0x7761676c
	schemaVersion = 1
)

// schema is the layout.
//
// items has no rowid, so that a partition lies together in sort-key order and a row is
// found in one tree. The columns that conditions read come first; body is last, so that
// reading the others does not follow its overflow pages.
//
// expires is seconds since 1970, 0 never. entries is a JSON list of [index, partition,
// sort], NULL where the item is in no index; it tells a write which rows of the table
// entries are the item's, and lets a write of an item that has none skip that table.
const schema = `
CREATE TABLE items (
	partition TEXT    NOT NULL,
	sort      TEXT    NOT NULL,
	version   INTEGER NOT NULL,
	expires   INTEGER NOT NULL,
	entries   TEXT,
	data      TEXT    NOT NULL,
	body      BLOB,
	PRIMARY KEY (partition, sort)
) WITHOUT ROWID;
CREATE INDEX items_expires ON items (expires) WHERE expires > 0;
CREATE TABLE entries (
	idx       TEXT NOT NULL,
	ipart     TEXT NOT NULL,
	isort     TEXT NOT NULL,
	partition TEXT NOT NULL,
	sort      TEXT NOT NULL,
	PRIMARY KEY (idx, ipart, isort, partition, sort)
) WITHOUT ROWID;
PRAGMA application_id = 0x7761676c;
PRAGMA user_version = 1;
`

// prepareFile makes sure that the file is ours, of this version and writable; an empty
// one becomes so.
func prepareFile(c *conn) error {
	var fresh bool
	// In one transaction: between two looks another process may make the layout.
	err := c.look(func() (err error) {
		fresh, err = inspect(c)
		return err
	})
	if err != nil {
		return err
	}
	if err := c.script("PRAGMA journal_mode = WAL"); err != nil {
		return err
	}
	if fresh {
		return c.write(func() error {
			// Another process may have been faster.
			if fresh, err := inspect(c); err != nil || !fresh {
				return err
			}
			return c.script(schema)
		})
	}
	// Asks for the write lock and changes nothing: SQLite opens a file that it may not
	// write without a word. That another process is writing answers the question too.
	if err := c.script("DELETE FROM items WHERE 0"); err != nil && !busy(err) {
		return err
	}
	return nil
}

// inspect reports whether the file is empty. One that is neither empty nor ours is
// fault.Incompatible.
func inspect(c *conn) (fresh bool, err error) {
	id, err := c.number("PRAGMA application_id")
	if err != nil {
		return false, err
	}
	version, err := c.number("PRAGMA user_version")
	if err != nil {
		return false, err
	}
	if id == applicationID {
		if version > schemaVersion {
			return false, fault.New(fault.Incompatible, "layout %d is newer than %d, the newest that this waggle reads", version, schemaVersion).
				WithHint("use a newer waggle, or another --home")
		}
		return false, nil
	}
	tables, err := c.number("SELECT count(*) FROM sqlite_schema")
	if err != nil {
		return false, err
	}
	if id != 0 || version != 0 || tables > 0 {
		return false, fault.New(fault.Incompatible, "is a SQLite database of another program").
			WithHint("use another --home")
	}
	return true, nil
}
