package table_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	_ "modernc.org/sqlite"

	"waggle/shared/fault"
	"waggle/shared/table"
)

type media struct {
	MediaID   int64
	SortOrder *int64
	Filename  *string
}

const mediaSQL = `CREATE TABLE media (media_id INTEGER PRIMARY KEY, filename TEXT, sort_order INT, created DATE);
	INSERT INTO media VALUES (1, 'a.jpg', 1, '2024-01-02'), (7, '', NULL, NULL), (9, NULL, 3, '2024-01-02T03:04:05Z');`

var wantMedia = []media{{1, new(int64(1)), new("a.jpg")}, {7, nil, new("")}, {9, new(int64(3)), nil}}

// database makes a SQLite file and returns its folder.
func database(t testing.TB, script string) string {
	t.Helper()
	dir := t.TempDir()
	db := open(t, filepath.Join(dir, "media.db"))
	if _, err := db.Exec(script); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

func open(t testing.TB, name string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", name)
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { db.Close() })
	return db
}

// contents says what is in a folder: names and bytes.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		all[e.Name()] = string(data)
	}
	return all
}

func checkMedia(t *testing.T, from table.Folder) {
	t.Helper()
	got, err := table.ReadSQLite[media](t.Context(), from, "media.db", "media")
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, wantMedia) {
		t.Errorf("got %+v, want %+v", got, wantMedia)
	}
}

func TestASQLiteTableIsReadFromAnyFolder(t *testing.T) {
	t.Parallel()
	for name, journal := range map[string]string{"rollback journal": "", "write-ahead log": "PRAGMA journal_mode=WAL;"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := database(t, journal+mediaSQL)
			before := contents(t, dir)
			checkMedia(t, table.At(dir))
			checkMedia(t, table.At("file://"+dir))
			data, _ := os.ReadFile(filepath.Join(dir, "media.db"))
			checkMedia(t, table.Embedded(fstest.MapFS{"x/media.db": {Data: data}}, "x"))
			if after := contents(t, dir); !reflect.DeepEqual(before, after) {
				t.Errorf("the folder was changed: %d files before, %d after", len(before), len(after))
			}
		})
	}
}

func TestAFolderThatCannotBeWrittenIsEnough(t *testing.T) {
	t.Parallel()
	for _, journal := range []string{"", "PRAGMA journal_mode=WAL;"} {
		dir := database(t, journal+mediaSQL)
		if err := os.Chmod(filepath.Join(dir, "media.db"), 0o444); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(dir, 0o555); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.Chmod(dir, 0o755) })
		checkMedia(t, table.At(dir))
	}
}

// A path may hold what means something in a URI.
func TestAnyFileNameIsOpened(t *testing.T) {
	t.Parallel()
	dir := database(t, mediaSQL)
	odd := filepath.Join(dir, "a ?#%41 ü")
	if err := os.MkdirAll(odd, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(dir, "media.db"), filepath.Join(odd, "media.db")); err != nil {
		t.Fatal(err)
	}
	checkMedia(t, table.At(odd))
}

func TestWhatAWriteAheadLogHoldsIsRead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writer := open(t, filepath.Join(dir, "media.db"))
	if _, err := writer.Exec("PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0;" + mediaSQL); err != nil {
		t.Fatal(err)
	}
	before := contents(t, dir)
	if before["media.db-wal"] == "" {
		t.Fatal("no log to test with")
	}
	if os.Getenv("WAGGLE_TABLE_TMP") == "" { // the writer is there, in another process
		reader := exec.Command(os.Args[0], "-test.run", "TestReaderProcess")
		reader.Env = append(os.Environ(), "WAGGLE_TABLE_READ="+dir)
		if out, err := reader.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	if after := contents(t, dir); !reflect.DeepEqual(before, after) {
		t.Error("the folder was changed")
	}

	left := t.TempDir() // as its writer's death leaves it
	for _, name := range []string{"media.db", "media.db-wal"} {
		if err := os.WriteFile(filepath.Join(left, name), []byte(before[name]), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	before = contents(t, left)
	checkMedia(t, table.At(left))
	if after := contents(t, left); !reflect.DeepEqual(before, after) {
		t.Error("the folder of the dead writer was changed")
	}
}

// TestReaderProcess is the other process of TestWhatAWriteAheadLogHoldsIsRead; alone it reads nothing.
func TestReaderProcess(t *testing.T) {
	if dir := os.Getenv("WAGGLE_TABLE_READ"); dir != "" {
		checkMedia(t, table.At(dir))
	}
}

func TestAHotJournalIsRolledBackInACopy(t *testing.T) {
	t.Parallel()
	dir := database(t, mediaSQL)
	writer := open(t, filepath.Join(dir, "media.db"))
	if _, err := writer.Exec("PRAGMA cache_size=1; PRAGMA cache_spill=1; BEGIN; UPDATE media SET filename='changed'; CREATE TABLE big AS WITH n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 2000) SELECT i, hex(randomblob(50)) AS x FROM n"); err != nil {
		t.Fatal(err)
	}
	left := t.TempDir()
	for name, data := range contents(t, dir) {
		if err := os.WriteFile(filepath.Join(left, name), []byte(data), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	before := contents(t, left)
	if len(before["media.db-journal"]) == 0 {
		t.Fatal("no journal to test with")
	}
	checkMedia(t, table.At(left))
	if after := contents(t, left); !reflect.DeepEqual(before, after) {
		t.Error("the folder was changed")
	}
}

func TestALockedFileIsWaitedForAndThenUnavailable(t *testing.T) {
	t.Parallel()
	dir := database(t, mediaSQL)
	writer := open(t, filepath.Join(dir, "media.db"))
	if _, err := writer.Exec("BEGIN EXCLUSIVE"); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	_, err := table.ReadSQLite[media](t.Context(), table.At(dir), "media.db", "media")
	if fault.CodeOf(err) != fault.Unavailable || !fault.Retryable(err) {
		t.Errorf("got %v, want unavailable", err)
	}
	if waited := time.Since(start); waited < time.Second || waited > 10*time.Second {
		t.Errorf("waited %s", waited)
	}
	var all failures
	all.add(t, "locked", err, dir)
	golden(t, "sqlite_locked.golden", all.String())
	if _, err := writer.Exec("ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	checkMedia(t, table.At(dir))
}

func TestViewsAndTablesWithoutRowidsAreRead(t *testing.T) {
	t.Parallel()
	dir := database(t, mediaSQL+`
		CREATE VIEW shown AS SELECT media_id, upper(filename) AS Filename, sort_order + 0 AS sort_order FROM media;
		CREATE TABLE bare (media_id INT PRIMARY KEY, filename, sort_order) WITHOUT ROWID; INSERT INTO bare VALUES (2, 'x', 1), (1, 'y', 2);
		CREATE TABLE taken (rowid TEXT, media_id, filename, sort_order GENERATED ALWAYS AS (media_id * 2)); INSERT INTO taken VALUES ('id', 3, 'z');`)
	for name, want := range map[string]string{
		"shown": "[1 A.JPG 1] [7  <nil>] [9 <nil> 3]", "bare": "[1 y 2] [2 x 1]", "TAKEN": "[3 z 6]",
	} {
		rows, err := table.ReadSQLite[media](t.Context(), table.At(dir), "media.db", name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var got []string
		for _, r := range rows {
			filename, order := "<nil>", "<nil>"
			if r.Filename != nil {
				filename = *r.Filename
			}
			if r.SortOrder != nil {
				order = fmt.Sprint(*r.SortOrder)
			}
			got = append(got, fmt.Sprintf("[%d %s %s]", r.MediaID, filename, order))
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
}

func TestSQLiteValuesKeepTheirTypeWhateverTheColumnSays(t *testing.T) {
	t.Parallel()
	dir := database(t, `CREATE TABLE v (day DATE, moment DATETIME, flag BOOLEAN, x REAL, raw BLOB, small INT, list TEXT);
		INSERT INTO v VALUES ('2024-02-29', '2024-02-29 12:00:00', 1, 3, x'0102', -128, '["a"]'), ('', NULL, NULL, NULL, NULL, NULL, NULL)`)
	type v struct {
		Day    string
		Moment *time.Time
		Flag   *bool
		X      *float64
		Raw    []byte
		Small  *int8
		List   []string
	}
	got, err := table.ReadSQLite[v](t.Context(), table.At(dir), "media.db", "v")
	if err != nil {
		t.Fatal(err)
	}
	want := []v{{"2024-02-29", new(time.Date(2024, 2, 29, 12, 0, 0, 0, time.UTC)), new(true), new(3.0), []byte{1, 2}, new(int8(-128)), []string{"a"}}, {}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestWhatIsWrongWithASQLiteFileIsNamed(t *testing.T) {
	t.Parallel()
	dir := database(t, mediaSQL+`CREATE TABLE wrong (id INTEGER PRIMARY KEY, n, s, b, f); INSERT INTO wrong VALUES (41, 1, 'x', 0, 1), (42, 'one', 5, 2, 'x');
		CREATE TABLE big AS WITH n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 2000) SELECT i AS media_id, hex(randomblob(50)) AS filename, i AS sort_order FROM n;
		INSERT INTO wrong VALUES (43, 1.5, x'00ff', 0, 1); CREATE VIEW seen AS SELECT * FROM wrong;`)
	good, err := os.ReadFile(filepath.Join(dir, "media.db"))
	if err != nil {
		t.Fatal(err)
	}
	put := func(name string, data []byte) {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	put("empty.db", nil)
	put("text.db", []byte("sale_id,price\n1,2\n"))
	put("header.db", good[:50])
	put("cut.db", good[:len(good)/2])
	damaged := append([]byte(nil), good...)
	for i := 4096 + 8; i < len(damaged); i++ {
		damaged[i] ^= 0x55
	}
	put("damaged.db", damaged)

	var all failures
	try := func(name string, err error) { all.add(t, name, err, dir) }
	read := func(file, name string) error {
		_, err := table.ReadSQLite[media](t.Context(), table.At(dir), file, name)
		return err
	}
	try("missing file", read("medai.db", "media"))
	try("missing table", read("media.db", "medias"))
	try("missing table, none near", read("media.db", "sales"))
	try("empty file", read("empty.db", "media"))
	try("not SQLite", read("text.db", "media"))
	try("cut in the header", read("header.db", "media"))
	try("cut", read("cut.db", "media"))
	try("damaged", read("damaged.db", "big"))
	_, err = table.ReadSQLite[media](t.Context(), table.Embedded(os.DirFS(dir), "."), "cut.db", "media")
	try("embedded and cut", err)
	_, err = table.ReadSQLite[struct{ FileName, Alt *string }](t.Context(), table.At(dir), "media.db", "media")
	try("missing column", err)
	_, err = table.ReadSQLite[struct{ N int64 }](t.Context(), table.At(dir), "media.db", "wrong")
	try("text for an integer", err)
	_, err = table.ReadSQLite[struct{ S string }](t.Context(), table.At(dir), "media.db", "wrong")
	try("integer for a text", err)
	_, err = table.ReadSQLite[struct{ B bool }](t.Context(), table.At(dir), "media.db", "wrong")
	try("2 for a bool", err)
	_, err = table.ReadSQLite[struct{ F float32 }](t.Context(), table.At(dir), "media.db", "seen")
	try("text for a float, in a view", err)
	_, err = table.ReadSQLite[struct{ SortOrder int64 }](t.Context(), table.At(dir), "media.db", "media")
	try("null without a pointer", err)
	_, err = table.ReadSQLite[struct{ ID int8 }](t.Context(), table.At(dir), "media.db", "wrong")
	if err != nil {
		t.Errorf("43 in an int8: %v", err)
	}
	_, err = table.ReadSQLite[struct{ MediaID int8 }](t.Context(), table.At(dir), "media.db", "big")
	try("out of range", err)
	golden(t, "sqlite_errors.golden", all.String())
}

func TestASQLiteReadStopsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := table.ReadSQLite[media](ctx, table.At(database(t, mediaSQL)), "media.db", "media")
	if fault.CodeOf(err) != fault.Canceled {
		t.Errorf("got %v, want canceled", err)
	}
}

// The temporary copy of a dead writer's file is removed.
func TestNoCopyIsLeftBehind(t *testing.T) {
	if os.Getenv("WAGGLE_TABLE_TMP") != "" {
		t.Skip("inner run")
	}
	temporary := t.TempDir()
	cmd := exec.Command(os.Args[0], "-test.run", "TestWhatAWriteAheadLogHoldsIsRead|TestAHotJournalIsRolledBackInACopy")
	cmd.Env = append(os.Environ(), "TMPDIR="+temporary, "WAGGLE_TABLE_TMP=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if left, _ := filepath.Glob(filepath.Join(temporary, "waggle-*")); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

func ExampleReadSQLite() {
	dir, _ := os.MkdirTemp("", "example")
	defer os.RemoveAll(dir)
	db, _ := sql.Open("sqlite", filepath.Join(dir, "media.db"))
	_, _ = db.Exec("CREATE TABLE media (media_id INT, filename TEXT); INSERT INTO media VALUES (1, 'a.jpg')")
	db.Close()

	type Media struct {
		MediaID  int64
		Filename *string
	}
	rows, err := table.ReadSQLite[Media](context.Background(), table.At(dir), "media.db", "media")
	fmt.Println(rows[0].MediaID, *rows[0].Filename, err)
	// Output: 1 a.jpg <nil>
}
