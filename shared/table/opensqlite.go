package table

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"waggle/shared/fault"
)

// sqliteWait is how long a file that another process holds is waited for.
const sqliteWait = 2 * time.Second

// sqliteMagic begins every SQLite file.
const sqliteMagic = "SQLite format 3\x00"

// openSQLite opens a database for reading without leaving a trace beside it; done closes it and
// removes what was made elsewhere.
func openSQLite(ctx context.Context, r io.Reader) (conn *sql.Conn, done func(), err error) {
	f, ok := r.(*os.File)
	if !ok {
		return loadSQLite(ctx, r)
	}
	info, err := f.Stat()
	if err != nil {
		return nil, nil, err
	}
	header := make([]byte, 100)
	n, err := io.ReadFull(f, header)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, nil, err
	}
	if err := checkSQLite(header[:n], info.Size()); err != nil {
		return nil, nil, err
	}
	name, err := filepath.Abs(f.Name())
	if err != nil {
		return nil, nil, err
	}
	if header[18] != 2 && header[19] != 2 { // a rollback journal
		conn, done, err = connectSQLite(ctx, name, "mode=ro")
		if hot(err) {
			return copySQLite(ctx, name, "-journal")
		}
		return conn, done, err
	}
	switch {
	case size(name+"-wal") == 0: // nobody has it open, and all is in the file
		return connectSQLite(ctx, name, "mode=ro&immutable=1")
	case size(name+"-shm") > 0: // its writer is there, or has died
		return connectSQLite(ctx, name, "mode=ro&readonly_shm=1")
	}
	return copySQLite(ctx, name, "-wal")
}

func size(name string) int64 {
	info, err := os.Stat(name)
	if err != nil {
		return 0
	}
	return info.Size()
}

// checkSQLite tells a file that is no database, and one that was cut short, by its header.
func checkSQLite(header []byte, size int64) error {
	if size == 0 {
		return fault.New(fault.Corrupt, "the file is empty, not a SQLite file").WithHint("copy it again")
	}
	if !bytes.HasPrefix(header, []byte(sqliteMagic)) {
		return fault.New(fault.Corrupt, "not a SQLite file: it starts with %s", quoted(header[:min(len(header), 16)])).
			WithHint("name a SQLite database; an encrypted one cannot be read")
	}
	if len(header) < 100 {
		return fault.New(fault.Corrupt, "the file was cut short: it has %d bytes, and a SQLite header alone 100", size).WithHint("copy it again")
	}
	page := int64(binary.BigEndian.Uint16(header[16:]))
	if page == 1 {
		page = 65536
	}
	pages := int64(binary.BigEndian.Uint32(header[28:]))
	// The count is valid if the two change counters agree; a write-ahead log may hold the rest.
	counted := binary.BigEndian.Uint32(header[24:]) == binary.BigEndian.Uint32(header[92:])
	if counted && header[18] != 2 && size < pages*page {
		return fault.New(fault.Corrupt, "the file was cut short: it has %d bytes of %d", size, pages*page).WithHint("copy it again")
	}
	return nil
}

// connectSQLite opens one connection and waits for a lock to go.
func connectSQLite(ctx context.Context, name, parameters string) (*sql.Conn, func(), error) {
	source := (&url.URL{Scheme: "file", OmitHost: true, Path: name}).String() + "?" + parameters +
		fmt.Sprintf("&_pragma=busy_timeout(%d)&_pragma=query_only(1)&_pragma=trusted_schema(0)", sqliteWait.Milliseconds())
	return connect(ctx, source, func(*sql.Conn) error { return nil })
}

func connect(ctx context.Context, source string, prepare func(*sql.Conn) error) (*sql.Conn, func(), error) {
	db, err := sql.Open("sqlite", source)
	if err != nil {
		return nil, nil, sqliteFault(ctx, err)
	}
	conn, err := db.Conn(ctx)
	if err == nil {
		err = prepare(conn)
	}
	if err == nil { // the first look at the file
		var version int
		err = conn.QueryRowContext(ctx, "PRAGMA schema_version").Scan(&version)
	}
	if err != nil {
		db.Close()
		return nil, nil, sqliteFault(ctx, err)
	}
	return conn, func() { conn.Close(); db.Close() }, nil
}

// loadSQLite reads a database that is no file of this machine into memory.
func loadSQLite(ctx context.Context, r io.Reader) (*sql.Conn, func(), error) {
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, nil, err
	}
	if err := checkSQLite(data[:min(len(data), 100)], int64(len(data))); err != nil {
		return nil, nil, err
	}
	data[18], data[19] = 1, 1 // memory has no write-ahead log
	return connect(ctx, ":memory:", func(conn *sql.Conn) error {
		return conn.Raw(func(c any) error {
			return c.(interface{ Deserialize([]byte) error }).Deserialize(data)
		})
	})
}

// copySQLite copies a database and its journal or log, which a dead writer left, to the temporary
// folder, where SQLite can bring them together.
func copySQLite(ctx context.Context, name, companion string) (*sql.Conn, func(), error) {
	dir, err := os.MkdirTemp("", "waggle-sqlite-")
	if err != nil {
		return nil, nil, err
	}
	remove := func() { os.RemoveAll(dir) }
	to := filepath.Join(dir, "copy.db")
	for _, suffix := range []string{"", companion} {
		if err := copyFile(name+suffix, to+suffix); err != nil {
			remove()
			return nil, nil, err
		}
	}
	conn, done, err := connectSQLite(ctx, to, "mode=rw")
	if err != nil {
		remove()
		return nil, nil, err
	}
	return conn, func() { done(); remove() }, nil
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// hot reports that a journal must be rolled back before the file can be read.
func hot(err error) bool {
	var e *sqlite.Error
	return errors.As(err, &e) && (e.Code() == sqlite3.SQLITE_READONLY_ROLLBACK || e.Code() == sqlite3.SQLITE_READONLY_RECOVERY)
}

// sqliteFault says which code an error of SQLite is.
func sqliteFault(ctx context.Context, err error) error {
	var known *fault.Error
	var e *sqlite.Error
	switch {
	case err == nil || errors.As(err, &known):
		return err
	case ctx.Err() != nil:
		return fault.Wrap(fault.Canceled, "", context.Cause(ctx))
	case !errors.As(err, &e):
		return err
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return fault.New(fault.Unavailable, "another process holds the file, for %s and more", sqliteWait).WithHint("end its transaction, or read a copy")
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return fault.New(fault.Corrupt, "the SQLite file is damaged: %w", err).WithHint("copy it again; sqlite3 FILE .recover saves what is left")
	case sqlite3.SQLITE_FULL:
		return fault.Wrap(fault.Full, "", err)
	case sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH:
		return fault.Wrap(fault.Denied, "", err)
	}
	return fault.Wrap(fault.Unavailable, "", err)
}
