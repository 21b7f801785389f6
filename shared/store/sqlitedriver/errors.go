package sqlitedriver

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"waggle/shared/fault"
	"waggle/shared/store/driver"
)

// translate turns whatever an operation on the file at path failed with into a fault.
// It is the only place that knows SQLite's codes.
func translate(path, op string, err error) error {
	var vendor *sqlite.Error
	var known *fault.Error
	var conflict *driver.ConflictError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &vendor):
		code, hint := meaning(path, vendor.Code())
		return (&fault.Error{Op: op, Code: code, Err: errors.New(vendor.Error())}).WithHint("%s", hint)
	case errors.As(err, &known):
		return &fault.Error{Op: op, Code: known.Code, Err: known.Err, Hint: known.Hint}
	case errors.As(err, &conflict):
		return err // says all there is to say
	}
	return fault.Wrap(fault.Internal, op, err)
}

// busy reports whether another connection holds a lock that will be given back.
func busy(err error) bool {
	var vendor *sqlite.Error
	if !errors.As(err, &vendor) {
		return false
	}
	switch vendor.Code() & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL:
		return true
	}
	return false
}

// meaning is the table from SQLite's result codes to ours, with the next step.
func meaning(path string, code int) (fault.Code, string) {
	switch code {
	case sqlite3.SQLITE_READONLY_DBMOVED:
		return fault.Unavailable, "the file was moved or deleted while it was open; start again"
	case sqlite3.SQLITE_IOERR_SHORT_READ, sqlite3.SQLITE_IOERR_CORRUPTFS:
		return fault.Corrupt, corruptHint(path)
	}
	switch code & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL:
		return fault.Unavailable, "another process holds " + path + "; wait for it or stop it"
	case sqlite3.SQLITE_FULL:
		return fault.Full, "free some space for " + path
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH, sqlite3.SQLITE_CANTOPEN:
		return fault.Denied, "make " + path + " and its folder writable, or use another --home"
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return fault.Corrupt, corruptHint(path)
	case sqlite3.SQLITE_IOERR, sqlite3.SQLITE_NOMEM:
		return fault.Unavailable, "look at the disk under " + path
	}
	return fault.Internal, "this is a bug in waggle"
}

func corruptHint(path string) string {
	return "restore " + path + " from a copy, or move it away to start anew"
}

// checkPath finds what SQLite reports only as "unable to open".
func checkPath(path string) error {
	if path == "" {
		return fault.New(fault.Invalid, "open: no path")
	}
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return fault.New(fault.Invalid, "open %s: is a folder", path).WithHint("name a file in it")
	case err == nil:
		return nil
	case errors.Is(err, fs.ErrPermission):
		return fault.New(fault.Denied, "open %s: %w", path, err)
	}
	if _, err := os.Stat(filepath.Dir(path)); errors.Is(err, fs.ErrNotExist) {
		return fault.New(fault.NotFound, "open %s: its folder does not exist", path).WithHint("make %s", filepath.Dir(path))
	}
	return nil
}
