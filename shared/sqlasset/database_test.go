//go:build duckdb

package sqlasset_test

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"waggle/shared/asset"
	"waggle/shared/fault"
	"waggle/shared/sqlasset"
)

// endless is a query that would take hours.
const endless = `SELECT count(*) AS n FROM range(10_000_000) a, range(10_000_000) b WHERE a.range * b.range = 7`

func TestCancelStopsARunningQuery(t *testing.T) {
	t.Parallel()
	for name, ended := range map[string]func() (context.Context, context.CancelFunc){
		"before": func() (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			return ctx, cancel
		},
		"at once": func() (context.Context, context.CancelFunc) {
			return context.WithTimeout(t.Context(), time.Millisecond)
		},
		"later": func() (context.Context, context.CancelFunc) {
			return context.WithTimeout(t.Context(), 150*time.Millisecond)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := ended()
			defer cancel()
			_, err := queryOver(ctx, t, endless, nil, asset.List{sales}, threeSales)
			if !errors.Is(err, fault.Canceled) || !errors.Is(err, ctx.Err()) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestAQueryOverItsMemoryLimitFailsAndSaysWhatToDo(t *testing.T) {
	t.Parallel()
	const hungry = `SELECT g, md5(g::VARCHAR) AS h FROM range(4_000_000) r(g) ORDER BY h`
	_, err := query(t, hungry, &sqlasset.Options{MemoryLimit: 32 << 20})
	if !errors.Is(err, fault.TooLarge) || !strings.Contains(err.Error(), "raise Options.MemoryLimit") || !strings.Contains(err.Error(), "32.0 MiB") {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(".tmp"); err == nil {
		t.Error("memory was moved to disk, into .tmp")
	}
}

func TestLimitsReachDuckDB(t *testing.T) {
	t.Parallel()
	made, err := query(t, `SELECT current_setting('memory_limit') AS m, current_setting('threads') AS t, current_setting('TimeZone') AS z, current_setting('temp_directory') AS d`,
		&sqlasset.Options{MemoryLimit: 1 << 30, Threads: 3})
	if err != nil || rowsOf(t, made) != `{"m":"1.0 GiB","t":3,"z":"UTC","d":""}` {
		t.Errorf("%v", err)
	}
}

func TestAQueryReachesNeitherFilesNorTheNetwork(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "secret.csv")
	if err := os.WriteFile(file, []byte("a\nsecret\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	calls := make(chan struct{}, 100)
	var accepting sync.WaitGroup
	accepting.Go(func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			c.Close()
			calls <- struct{}{}
		}
	})
	t.Cleanup(accepting.Wait)
	t.Cleanup(func() { listener.Close() })
	url := "http://" + listener.Addr().String() + "/x"
	for _, sql := range []string{
		`SELECT * FROM '` + file + `'`,
		`SELECT * FROM "` + file + `"`,
		`SELECT * FROM read_csv('` + file + `')`,
		`SELECT * FROM read_text('` + file + `')`,
		`SELECT * FROM read_blob('` + file + `')`,
		`SELECT * FROM read_parquet('` + file + `')`,
		`SELECT * FROM read_json('` + file + `')`,
		`SELECT * FROM glob('` + dir + `/*')`,
		`SELECT * FROM sniff_csv('` + file + `')`,
		`SELECT * FROM query('FROM ''` + file + `''')`,
		`SELECT * FROM query_table('` + file + `')`,
		`SELECT * FROM '` + url + `.csv'`,
		`SELECT * FROM read_csv('` + url + `.csv')`,
		`SELECT * FROM sqlite_scan('` + file + `', 'x')`,
		`SELECT getenv('HOME')`,
		`COPY sales TO '` + dir + `/out.csv'`,
		`EXPORT DATABASE '` + dir + `/out'`,
		`ATTACH '` + dir + `/out.db'`,
		`INSTALL httpfs`,
		`LOAD httpfs`,
		`SET enable_external_access = true`,
		`SET lock_configuration = false`,
		`RESET enable_external_access`,
	} {
		made, err := query(t, sql, nil)
		if !errors.Is(err, fault.Invalid) {
			t.Errorf("%s: got %v, %v", sql, made, err)
		}
		if err != nil && strings.Contains(err.Error(), "secret\n") {
			t.Errorf("%s tells what is in the file: %v", sql, err)
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("files were written: %v, %v", entries, err)
	}
	if len(calls) > 0 {
		t.Errorf("%d calls over the network", len(calls))
	}
}

func TestQueriesAtOnceKnowNothingOfEachOther(t *testing.T) {
	t.Parallel()
	var all sync.WaitGroup
	for n := range 8 {
		all.Go(func() {
			rows := []sale{{SaleID: int64(n), Price: new(int64(n))}}
			made, err := queryOver(t.Context(), t, `SELECT sale_id, (SELECT count(*) FROM duckdb_tables()) AS tables, (SELECT count(*) FROM duckdb_views() WHERE NOT internal) AS views FROM sales`,
				nil, asset.List{sales}, rows)
			if err != nil || rowsOf(t, made) != `{"sale_id":`+strconv.Itoa(n)+`,"tables":1,"views":0}` {
				t.Errorf("%d: %v", n, err)
			}
		})
	}
	all.Wait()
}
