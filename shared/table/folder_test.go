package table_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"waggle/shared/fault"
	"waggle/shared/table"
)

func ExampleAt() {
	type Row struct{ ID int64 }
	ctx := context.Background()
	for _, folder := range []string{"mem://lab/results", "ftp://host/results", ""} {
		path, err := table.WriteJSON(ctx, table.At(folder), "rows.json", []Row{{1}})
		fmt.Printf("%q %v\n", path, err)
	}
	// Output:
	// "mem://lab/results/rows.json" <nil>
	// "" write rows.json: "ftp://host/results": this binary has no driver for ftp:// (import its driver in main, as in _ "gocloud.dev/blob/s3blob" for s3://, or use a local path)
	// "" write rows.json: the folder is empty (give a path or a blob URL; "." is the working directory)
}

func ExampleEmbedded() {
	type Row struct{ ID int64 }
	files := fstest.MapFS{"data/rows.csv": {Data: []byte("id\n7\n")}} // or an embed.FS
	rows, err := table.ReadCSV[Row](context.Background(), table.Embedded(files, "data"), "rows.csv")
	fmt.Println(rows, err)
	// Output: [{7}] <nil>
}

type one struct{ ID int64 }

func TestAWrittenFileHasAPathThatAPersonOpens(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for folder, want := range map[string]string{
		"output":                     "output/x.json",
		"./output/":                  "output/x.json",
		".":                          "x.json",
		dir + "/abs":                 dir + "/abs/x.json",
		"file://" + dir + "/url":     "file://" + dir + "/url/x.json",
		"file://" + dir + "/url/":    "file://" + dir + "/url/x.json",
		"file://./relative":          "file://./relative/x.json",
		"file://localhost" + dir:     "file://localhost" + dir + "/x.json",
		"mem://paths":                "mem://paths/x.json",
		"mem://paths/a/b/?nomd5=yes": "mem://paths/a/b/x.json?nomd5=yes",
	} {
		path, err := table.WriteJSON(t.Context(), table.At(folder), "x.json", []one{{1}})
		if err != nil || path != want {
			t.Errorf("%s: %q, %v, want %q", folder, path, err, want)
		}
		if rows, err := table.ReadJSON[one](t.Context(), table.At(folder), "x.json"); err != nil || len(rows) != 1 {
			t.Errorf("%s: read %v, %v", folder, rows, err)
		}
	}
	for _, name := range []string{"output/x.json", "x.json", "abs/x.json", "url/x.json", "relative/x.json"} {
		if _, err := os.Stat(name); err != nil {
			t.Error(err)
		}
	}
	if path, err := table.WriteJSON(t.Context(), table.At("output"), "deep/er/x.json", []one{}); err != nil || path != "output/deep/er/x.json" {
		t.Errorf("%q, %v", path, err)
	}
}

func TestAFolderSaysWhetherItHasAFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, folder := range []table.Folder{table.At(dir), table.At("file://" + dir + "/url"), table.At("mem://has/a")} {
		if has, err := folder.Has(t.Context(), "x.json"); err != nil || has {
			t.Errorf("%s, before: %v, %v", folder, has, err)
		}
		if _, err := table.WriteJSON(t.Context(), folder, "x.json", []one{{1}}); err != nil {
			t.Fatal(err)
		}
		if has, err := folder.Has(t.Context(), "x.json"); err != nil || !has {
			t.Errorf("%s, after: %v, %v", folder, has, err)
		}
	}
	embedded := table.Embedded(fstest.MapFS{"data/rows.csv": {}}, "data")
	for file, want := range map[string]bool{"rows.csv": true, "lines.csv": false} {
		if has, err := embedded.Has(t.Context(), file); err != nil || has != want {
			t.Errorf("%s: %v, %v", file, has, err)
		}
	}
	if _, err := table.At(dir).Has(t.Context(), "../x.json"); !errors.Is(err, fault.Invalid) {
		t.Errorf("outside the folder: %v", err)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if _, err := table.At(dir).Has(ended, "x.json"); !errors.Is(err, fault.Canceled) {
		t.Errorf("after the end of its context: %v", err)
	}
}

func TestFoldersOfMemoryAreApart(t *testing.T) {
	t.Parallel()
	for _, folder := range []string{"mem://apart", "mem://apart/a", "mem://apart/a/b", "mem://other"} {
		if _, err := table.WriteCSV(t.Context(), table.At(folder), "x.csv", []one{{int64(len(folder))}}); err != nil {
			t.Fatal(err)
		}
	}
	for _, folder := range []string{"mem://apart", "mem://apart/a", "mem://apart/a/b/", "mem://other"} {
		rows, err := table.ReadCSV[one](t.Context(), table.At(folder), "x.csv")
		if err != nil || rows[0].ID != int64(len(strings.TrimSuffix(folder, "/"))) {
			t.Errorf("%s: %v, %v", folder, rows, err)
		}
	}
}

func TestWhatIsWrongWithAFolderIsNamed(t *testing.T) {
	t.Parallel()
	dir := file(t, "sales.csv", "id\n1\n")
	if err := os.MkdirAll(filepath.Join(dir, "sub.csv"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "none"), 0o755); err != nil {
		t.Fatal(err)
	}
	var all failures
	read := func(name string, from table.Folder, file string) {
		_, err := table.ReadCSV[one](t.Context(), from, file)
		all.add(t, "read: "+name, err, dir)
	}
	write := func(name string, to table.Folder, file string) {
		_, err := table.WriteJSON(t.Context(), to, file, []one{{1}})
		all.add(t, "write: "+name, err, dir)
	}
	read("missing file", table.At(dir), "sale.csv")
	read("missing file, none near", table.At(dir), "artworks.parquet")
	read("missing folder", table.At(dir+"/data"), "sales.csv")
	read("folder without files", table.At(dir+"/none"), "sales.csv")
	read("a folder of that name", table.At(dir), "sub.csv")
	read("a file as folder", table.At(dir+"/sales.csv"), "sales.csv")
	read("out of the folder", table.At(dir), "../sales.csv")
	read("absolute", table.At(dir), "/etc/passwd")
	read("no name", table.At(dir), "")
	read("empty path", table.At(""), "sales.csv")
	read("zero folder", table.Folder{}, "sales.csv")
	read("no driver", table.At("s3://bucket/data"), "sales.csv")
	read("no URL", table.At("mem://%zz"), "sales.csv")
	read("a file URL with parameters", table.At("file:///tmp?create_dir=1"), "sales.csv")
	read("a file URL of a host", table.At("file://data/x"), "sales.csv")
	read("missing blob", table.At("mem://"+t.Name()), "sales.csv")
	read("missing embedded file", table.Embedded(fstest.MapFS{"data/sales.csv": {}}, "data"), "artworks.csv")
	read("missing embedded folder", table.Embedded(fstest.MapFS{"data/sales.csv": {}}, "date"), "artworks.csv")
	read("embedded folder with a slash", table.Embedded(fstest.MapFS{}, "data/"), "artworks.csv")
	read("no embedded files", table.Embedded(nil, "data"), "artworks.csv")
	write("embedded", table.Embedded(fstest.MapFS{}, "data"), "x.json")
	write("a file as folder", table.At(dir+"/sales.csv"), "x.json")
	write("a folder of that name", table.At(dir), "sub.csv")
	write("empty path", table.At(""), "x.json")
	golden(t, "folder_errors.golden", all.String())
}

func TestNoPermissionIsDeniedWithThePath(t *testing.T) {
	t.Parallel()
	if os.Geteuid() == 0 {
		t.Skip("root may do anything; the codes of errors are tested in TestErrorsOfTheDiskHaveTheirCode")
	}
	dir := file(t, "sales.csv", "id\n1\n")
	if err := os.Chmod(filepath.Join(dir, "sales.csv"), 0); err != nil {
		t.Fatal(err)
	}
	if _, err := table.ReadCSV[one](t.Context(), table.At(dir), "sales.csv"); fault.CodeOf(err) != fault.Denied || !strings.Contains(err.Error(), dir) {
		t.Errorf("read: %v, want denied", err)
	}
	if err := os.Chmod(dir, 0o555); err != nil {
		t.Fatal(err)
	}
	if _, err := table.WriteJSON(t.Context(), table.At(dir), "x.json", []one{}); fault.CodeOf(err) != fault.Denied || !strings.Contains(err.Error(), dir) {
		t.Errorf("write: %v, want denied", err)
	}
}

func TestAFullDiskIsFull(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("no /dev/full here")
	}
	if err := table.IOFault("write x", writeFull()); fault.CodeOf(err) != fault.Full {
		t.Errorf("got %v, want full", err)
	}
}

func writeFull() error {
	f, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.WriteString("x")
	return err
}

func TestAFailedWriteLeavesWhatWasThere(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, to := range []table.Folder{table.At(dir), table.At("mem://" + t.Name())} {
		if _, err := table.WriteJSON(t.Context(), to, "x.json", []one{{1}}); err != nil {
			t.Fatal(err)
		}
		rows := make([]struct{ F *float64 }, 100_000)
		rows[99_999].F = new(nan())
		if _, err := table.WriteJSON(t.Context(), to, "x.json", rows); fault.CodeOf(err) != fault.Invalid {
			t.Errorf("got %v, want invalid", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := table.WriteJSON(ctx, to, "x.json", []one{{2}}); fault.CodeOf(err) != fault.Canceled {
			t.Errorf("got %v, want canceled", err)
		}
		if got, err := table.ReadJSON[one](t.Context(), to, "x.json"); err != nil || !reflect.DeepEqual(got, []one{{1}}) {
			t.Errorf("got %v, %v", got, err)
		}
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("left behind: %v", entries)
	}
}

func TestReadersSeeAWholeFileWhileItIsReplaced(t *testing.T) {
	t.Parallel()
	folder := table.At(t.TempDir())
	write := func(n int) error {
		_, err := table.WriteJSON(t.Context(), folder, "x.json", make([]one, n))
		return err
	}
	if err := write(1); err != nil {
		t.Fatal(err)
	}
	var writers sync.WaitGroup
	for n := range 4 {
		writers.Go(func() {
			for range 5 {
				if err := write(1 + n*1000); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range 50 {
		rows, err := table.ReadJSON[one](t.Context(), folder, "x.json")
		if err != nil || len(rows)%1000 != 1 {
			t.Fatalf("%d rows, %v", len(rows), err)
		}
	}
	writers.Wait()
}

func TestARelativeFolderIsWhereTheDeploymentsFilesAre(t *testing.T) {
	t.Setenv("WAGGLE_FILES", "mem://deployment/files")
	for given, want := range map[string]string{"output": "mem://deployment/files/output/a.csv", "./output/../x": "mem://deployment/files/x/a.csv",
		"/srv/data": "/srv/data/a.csv", "mem://other/b": "mem://other/b/a.csv"} {
		if got := table.At(given).Path("a.csv"); got != want {
			t.Errorf("%s: %s, want %s", given, got, want)
		}
	}
	t.Setenv("WAGGLE_FILES", "")
	if got := table.At("output").Path("a.csv"); got != "output/a.csv" {
		t.Errorf("without it: %s", got)
	}
}
