package sqlitedriver_test

import (
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"waggle/shared/fault"
	"waggle/shared/store/driver"
	"waggle/shared/store/sqlitedriver"
)

func item(sort string, version int64) driver.Item {
	return driver.Item{Key: driver.Key{Partition: "RUN#1", Sort: sort}, Version: version, Data: []byte(`{"n":1}`)}
}

// raw runs SQL on the file as another program would.
func raw(t *testing.T, path string, statements ...string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	db.SetMaxOpenConns(1)
	for _, s := range statements {
		if _, err := db.Exec(s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
	return db
}

// wantOpen checks that opening fails with the code, naming the path and the words.
func wantOpen(t *testing.T, path string, code fault.Code, words ...string) {
	t.Helper()
	d, err := sqlitedriver.Open(t.Context(), path, nil)
	if err == nil {
		_ = d.Close()
		t.Fatalf("it opened; want %q", code)
	}
	if fault.CodeOf(err) != code {
		t.Fatalf("error is %q (%v), want %q", fault.CodeOf(err), err, code)
	}
	for _, word := range append(words, path) {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("error %q does not say %q", err, word)
		}
	}
}

func TestWhatWasWrittenIsThereAfterReopening(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a b?c#d%20é.db")
	d, err := sqlitedriver.Open(t.Context(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Put(t.Context(), item("META", 3), driver.Any); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(d.Close(), d.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path + "-wal"); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("the WAL is left after close: %v", err)
	}
	got, err := setup(t, path, nil).Get(t.Context(), item("META", 0).Key)
	if err != nil || got.Version != 3 {
		t.Fatalf("%+v, %v", got, err)
	}
}

func TestAFileOfANewerVersionIsRefusedAndLeftAlone(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "waggle.db")
	d, err := sqlitedriver.Open(t.Context(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	_ = raw(t, path, "PRAGMA user_version = 2").Close()
	wantOpen(t, path, fault.Incompatible, "layout 2", "use a newer waggle, or another --home")
}

func TestADatabaseOfAnotherProgramIsRefusedAndLeftAlone(t *testing.T) {
	t.Parallel()
	for name, statement := range map[string]string{
		"tables": "CREATE TABLE runs (id)", "application id": "PRAGMA application_id = 7", "user version": "PRAGMA user_version = 7",
	} {
		path := filepath.Join(t.TempDir(), "other.db")
		_ = raw(t, path, statement).Close()
		before, _ := os.ReadFile(path)
		wantOpen(t, path, fault.Incompatible, "another program", "--home")
		if after, _ := os.ReadFile(path); string(after) != string(before) {
			t.Errorf("%s: the file was changed", name)
		}
	}
}

func TestAFileThatIsNotSQLiteIsCorrupt(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"hello", strings.Repeat("not a database ", 1000)} {
		path := filepath.Join(t.TempDir(), "notes.txt")
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		wantOpen(t, path, fault.Corrupt, "restore")
	}
}

func TestADamagedFileIsCorrupt(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "waggle.db")
	d := setup(t, path, nil)
	for _, sort := range []string{"a", "b", "c", "d"} {
		big := item(sort, 1)
		big.Body = make([]byte, 100<<10)
		if err := d.Put(t.Context(), big, driver.Any); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	bytes, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := 4096; i < len(bytes); i++ {
		bytes[i] = 0xa5
	}
	if err := os.WriteFile(path, bytes, 0o644); err != nil {
		t.Fatal(err)
	}
	d, err = sqlitedriver.Open(t.Context(), path, nil)
	if err == nil {
		t.Cleanup(func() { _ = d.Close() })
		_, err = d.Get(t.Context(), item("c", 0).Key)
	}
	if fault.CodeOf(err) != fault.Corrupt {
		t.Fatalf("error is %q (%v), want %q", fault.CodeOf(err), err, fault.Corrupt)
	}
}

func TestAPathWithoutFolderOrOfAFolderIsRefused(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	wantOpen(t, filepath.Join(folder, "none", "waggle.db"), fault.NotFound, "make "+filepath.Join(folder, "none"))
	wantOpen(t, folder, fault.Invalid, "folder")
	wantOpen(t, "", fault.Invalid)
}

func TestAFullDiskGivesFullAndLosesNothing(t *testing.T) {
	t.Parallel()
	d := setup(t, filepath.Join(t.TempDir(), "waggle.db"), nil)
	if err := d.LimitPages(30); err != nil {
		t.Fatal(err)
	}
	big := item("big", 1)
	big.Body = make([]byte, 200<<10)
	for _, err := range []error{
		d.Put(t.Context(), big, driver.Any),
		d.PutAll(t.Context(), []driver.Item{item("a", 1), big}),
		d.Write(t.Context(), []driver.Op{{Put: &big, If: driver.IfAbsent}}),
	} {
		if fault.CodeOf(err) != fault.Full {
			t.Errorf("error is %q (%v), want %q", fault.CodeOf(err), err, fault.Full)
		}
	}
	if err := d.Put(t.Context(), item("small", 1), driver.IfAbsent); err != nil {
		t.Fatalf("a small row after it: %v", err)
	}
}

func TestATextOfAnErrorNamesTheOperationAndTheItem(t *testing.T) {
	t.Parallel()
	d := setup(t, filepath.Join(t.TempDir(), "waggle.db"), nil)
	_, err := d.Get(t.Context(), item("META", 0).Key)
	if want := "get RUN#1/META: nothing is stored"; err == nil || err.Error() != want {
		t.Fatalf("error is %q, want %q", err, want)
	}
}
