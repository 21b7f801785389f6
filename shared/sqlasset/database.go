//go:build duckdb && cgo

package sqlasset

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	duckdb "github.com/duckdb/duckdb-go-bindings"

	"waggle/shared/fault"
)

// database is one in-memory DuckDB with its one connection. It lives as long as a step.
type database struct {
	db   duckdb.Database
	conn duckdb.Connection
}

// open makes a database that reaches neither files nor the network, whatever a query asks for.
func open(memoryLimit int64, threads int) (*database, error) {
	settings := [][2]string{
		{"temp_directory", ""}, // no memory is moved to disk; not allowed once access is off
		{"enable_external_access", "false"},
		{"autoinstall_known_extensions", "false"},
		{"autoload_known_extensions", "false"},
		{"allow_community_extensions", "false"},
	}
	if memoryLimit > 0 {
		settings = append(settings, [2]string{"memory_limit", strconv.FormatInt(memoryLimit, 10) + "B"})
	}
	if threads > 0 {
		settings = append(settings, [2]string{"threads", strconv.Itoa(threads)})
	}
	var config duckdb.Config
	if duckdb.CreateConfig(&config) == duckdb.StateError {
		return nil, fault.New(fault.Internal, "DuckDB gives no configuration")
	}
	defer duckdb.DestroyConfig(&config)
	for _, set := range settings {
		if duckdb.SetConfig(config, set[0], set[1]) == duckdb.StateError {
			return nil, fault.New(fault.Internal, "DuckDB does not take %s = %q", set[0], set[1])
		}
	}
	d := &database{}
	var message string
	if duckdb.OpenExt("", &d.db, config, &message) == duckdb.StateError {
		d.close()
		return nil, fault.New(fault.Invalid, "open DuckDB: %s", message)
	}
	if duckdb.Connect(d.db, &d.conn) == duckdb.StateError {
		d.close()
		return nil, fault.New(fault.Internal, "DuckDB gives no connection")
	}
	for _, set := range []string{
		"SET TimeZone = 'UTC'", // what a query makes of a time does not depend on the machine
		"SET errors_as_json = true",
		"SET lock_configuration = true",
	} {
		if err := d.exec(context.Background(), set); err != nil {
			d.close()
			return nil, fault.Wrap(fault.Internal, set, err)
		}
	}
	return d, nil
}

func (d *database) close() {
	duckdb.Disconnect(&d.conn)
	duckdb.Close(&d.db)
}

// exec runs a statement of ours.
func (d *database) exec(ctx context.Context, sql string) (err error) {
	var result duckdb.Result
	defer duckdb.DestroyResult(&result)
	var state duckdb.State
	d.interruptible(ctx, func() { state = duckdb.Query(d.conn, sql, &result) })
	if state == duckdb.StateError {
		return fmt.Errorf("%s", duckdb.ResultError(&result))
	}
	return nil
}

// interruptible calls a function of DuckDB and stops it when the context ends. DuckDB forgets an interruption that comes before
// the query has begun, so it is repeated until the function returns.
func (d *database) interruptible(ctx context.Context, call func()) {
	done, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		select {
		case <-done:
			return
		case <-ctx.Done():
		}
		again := time.NewTicker(time.Millisecond)
		defer again.Stop()
		for {
			duckdb.Interrupt(d.conn)
			select {
			case <-done:
				return
			case <-again.C:
			}
		}
	}()
	call()
	close(done)
	<-stopped
}

// identifier quotes a name for SQL.
func identifier(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }
