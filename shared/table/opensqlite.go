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
	"slices"
	"time"

	"waggle/shared/fault"
)

// sqliteWait is how long a file that another process holds is waited for.
const sqliteWait = 2 * time.Second

// sqliteName is the name by which SQLite registers with database/sql. Programs whose pipelines read SQLite files import modernc.org/sqlite; this
// package does not, since it would be in every function for Lambda, and a seventh of those that never read such a file.
const sqliteName = "sqlite"

// What SQLite calls its errors, in the last byte of their codes.
const (
	sqlitePerm     = 3
	sqliteBusy     = 5
	sqliteLocked   = 6
	sqliteReadOnly = 8
	sqliteCorrupt  = 11
	sqliteFull     = 13
	sqliteAuth     = 23
	sqliteNotADB   = 26
)

// sqliteError is an error of SQLite.
type sqliteError interface {
	error
	Code() int
}

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
	journal, parameters := "-journal", "mode=ro"
	if header[18] == 2 {
		journal = "-wal"
		switch {
		case size(name+"-wal") == 0: // nobody has it open, and all is in the file
			parameters = "mode=ro&immutable=1"
		case size(name+"-shm") > 0: // its writer is there, or has died
			parameters = "mode=ro&readonly_shm=1"
		default: // opening it would make a -shm
			return copySQLite(ctx, name, journal)
		}
	}
	conn, done, err = connectSQLite(ctx, name, parameters)
	if needsWriting(err) {
		return copySQLite(ctx, name, journal)
	}
	return conn, done, err
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
	if !slices.Contains(sql.Drivers(), sqliteName) {
		return nil, nil, fault.New(fault.Invalid, "this program does not link SQLite").WithHint("import it where main is, as in _ \"modernc.org/sqlite\"")
	}
	db, err := sql.Open(sqliteName, source)
	if err != nil {
		return nil, nil, sqliteFault(ctx, err)
	}
	conn, err := db.Conn(ctx)
	if err == nil {
		err = prepare(conn)
	}
	if err == nil { // one snapshot for the list of tables and the rows
		_, err = conn.ExecContext(ctx, "BEGIN")
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
func copySQLite(ctx context.Context, name, journal string) (*sql.Conn, func(), error) {
	dir, err := os.MkdirTemp("", "waggle-sqlite-")
	if err != nil {
		return nil, nil, err
	}
	remove := func() { os.RemoveAll(dir) }
	to := filepath.Join(dir, "copy.db")
	if err := copyStill(ctx, name, to, journal); err != nil {
		remove()
		return nil, nil, err
	}
	conn, done, err := connectSQLite(ctx, to, "mode=rw")
	if err != nil {
		remove()
		return nil, nil, err
	}
	return conn, func() { done(); remove() }, nil
}

// copyStill copies both files at a moment in which nobody writes to them, so that they belong together.
func copyStill(ctx context.Context, name, to, journal string) error {
	for deadline := time.Now().Add(sqliteWait); ; {
		before := stamp(name, name+journal)
		if err := errors.Join(copyFile(name, to), copyFile(name+journal, to+journal)); err != nil {
			return err
		}
		if stamp(name, name+journal) == before {
			return nil
		}
		if time.Now().After(deadline) {
			return fault.New(fault.Unavailable, "another process keeps writing to the file").WithHint("end its transaction, or read a copy")
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// stamp changes when one of the files does.
func stamp(names ...string) string {
	var all string
	for _, name := range names {
		if info, err := os.Stat(name); err == nil {
			all += fmt.Sprintln(info.Size(), info.ModTime().UnixNano())
		}
	}
	return all
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// needsWriting reports that SQLite would have to write before it can read: a journal to roll back, or
// a log whose index is not there.
func needsWriting(err error) bool {
	var e sqliteError
	return errors.As(err, &e) && e.Code()&0xff == sqliteReadOnly
}

// sqliteFault says which code an error of SQLite is.
func sqliteFault(ctx context.Context, err error) error {
	var known *fault.Error
	var e sqliteError
	switch {
	case err == nil || errors.As(err, &known):
		return err
	case ctx.Err() != nil:
		return fault.Wrap(fault.Canceled, "", context.Cause(ctx))
	case !errors.As(err, &e):
		return err
	}
	switch e.Code() & 0xff {
	case sqliteBusy, sqliteLocked:
		return fault.New(fault.Unavailable, "another process holds the file, for %s and more", sqliteWait).WithHint("end its transaction, or read a copy")
	case sqliteCorrupt, sqliteNotADB:
		return fault.New(fault.Corrupt, "the SQLite file is damaged: %w", err).WithHint("copy it again; sqlite3 FILE .recover saves what is left")
	case sqliteFull:
		return fault.Wrap(fault.Full, "", err)
	case sqlitePerm, sqliteAuth:
		return fault.Wrap(fault.Denied, "", err)
	}
	return fault.Wrap(fault.Unavailable, "", err)
}
