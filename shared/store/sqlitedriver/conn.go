package sqlitedriver

import (
	"context"
	sqldriver "database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net/url"
	"time"

	"modernc.org/sqlite"
)

// Page caches, in KB. They fill with use; an idle process that wrote little holds little.
const (
	writerCache = 4 << 10
	readerCache = 1 << 10
)

// round is how long SQLite itself waits for a lock. untilFree adds the rounds, so that
// a context can end them.
const round = 100 * time.Millisecond

// settings run on every connection.
const settings = `
PRAGMA busy_timeout = %d;
PRAGMA page_size = 4096;
PRAGMA synchronous = NORMAL;
PRAGMA wal_autocheckpoint = 2000;
PRAGMA journal_size_limit = 16777216;
PRAGMA temp_store = MEMORY;
PRAGMA cache_size = -%d;
`

// conn is one connection and the statements prepared on it. It stands directly on the
// database/sql/driver interfaces: the pool and the conversions of database/sql itself
// are not needed here.
type conn struct {
	raw  sqldriver.Conn
	kept map[string]sqldriver.Stmt
	args []sqldriver.NamedValue
}

func connect(path string, timeout time.Duration, cacheKB int) (*conn, error) {
	name := url.URL{Scheme: "file", OmitHost: true, Path: path}
	raw, err := (&sqlite.Driver{}).Open(name.String() + "?_error_rc=1&_dqs=0")
	if err != nil {
		return nil, err
	}
	c := &conn{raw: raw, kept: map[string]sqldriver.Stmt{}}
	if err := c.script(fmt.Sprintf(settings, min(timeout, round).Milliseconds(), cacheKB)); err != nil {
		return nil, errors.Join(err, c.close())
	}
	return c, nil
}

// exec runs a statement, prepared once and kept, and returns how many rows it changed.
func (c *conn) exec(query string, args ...any) (int64, error) {
	s, err := c.prepared(query)
	if err != nil {
		return 0, err
	}
	result, err := s.(sqldriver.StmtExecContext).ExecContext(context.Background(), c.bind(args))
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// rows calls each with every row that the statement finds, until it returns false.
// The values are the caller's own.
func (c *conn) rows(query string, args []any, each func([]sqldriver.Value) (more bool, err error)) (err error) {
	s, err := c.prepared(query)
	if err != nil {
		return err
	}
	rows, err := s.(sqldriver.StmtQueryContext).QueryContext(context.Background(), c.bind(args))
	if err != nil {
		return err
	}
	defer func() { err = firstError(err, rows.Close()) }()
	row := make([]sqldriver.Value, len(rows.Columns()))
	for {
		if err := rows.Next(row); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if more, err := each(row); err != nil || !more {
			return err
		}
	}
}

// script runs statements once, without keeping them.
func (c *conn) script(text string) error {
	s, err := c.raw.Prepare(text)
	if err != nil {
		return err
	}
	_, err = s.(sqldriver.StmtExecContext).ExecContext(context.Background(), nil)
	return firstError(err, s.Close())
}

// number returns the one number that a statement finds.
func (c *conn) number(query string) (n int64, err error) {
	err = c.rows(query, nil, func(row []sqldriver.Value) (bool, error) {
		n, _ = row[0].(int64)
		return false, nil
	})
	return n, err
}

// write runs f as one transaction that holds the write lock from the start, so that
// what f reads cannot change before it writes.
func (c *conn) write(f func() error) error {
	if _, err := c.exec("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	err := f()
	if err == nil {
		_, err = c.exec("COMMIT")
	}
	if err != nil {
		// SQLite ends some failed transactions itself; then this fails, and need not be heard.
		_, _ = c.exec("ROLLBACK")
	}
	return err
}

// look runs f as one transaction that only reads, so that all it reads is of one moment.
func (c *conn) look(f func() error) error {
	if _, err := c.exec("BEGIN"); err != nil {
		return err
	}
	err := f()
	_, end := c.exec("ROLLBACK")
	return firstError(err, end)
}

func (c *conn) prepared(query string) (sqldriver.Stmt, error) {
	if s := c.kept[query]; s != nil {
		return s, nil
	}
	s, err := c.raw.Prepare(query)
	if err == nil {
		c.kept[query] = s
	}
	return s, err
}

func (c *conn) bind(args []any) []sqldriver.NamedValue {
	c.args = c.args[:0]
	for i, arg := range args {
		c.args = append(c.args, sqldriver.NamedValue{Ordinal: i + 1, Value: arg})
	}
	return c.args
}

// close must close the statements first: SQLite keeps a connection with open ones
// alive, and then does not checkpoint.
func (c *conn) close() error {
	var errs []error
	for _, s := range c.kept {
		errs = append(errs, s.Close())
	}
	return firstError(append(errs, c.raw.Close())...)
}
