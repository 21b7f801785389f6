package sqlitedriver_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"waggle/shared/fault"
	"waggle/shared/store/driver"
	"waggle/shared/store/sqlitedriver"
)

// The test binary starts itself as other processes: with a role in the environment it
// plays that role instead of testing.
const roleVariable, pathVariable = "SQLITEDRIVER_TEST_ROLE", "SQLITEDRIVER_TEST_PATH"

const increments = 40

var roles = map[string]func(path string) error{
	"increment": increment, "write and wait": writeAndWait, "open as nobody": openAsNobody,
}

func TestMain(m *testing.M) {
	role, ok := roles[os.Getenv(roleVariable)]
	if !ok {
		os.Exit(m.Run())
	}
	if err := role(os.Getenv(pathVariable)); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

func child(t *testing.T, role, path string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), roleVariable+"="+role, pathVariable+"="+path)
	return cmd
}

// increment adds to a counter under IfVersion.
func increment(path string) error {
	ctx := context.Background()
	d, err := sqlitedriver.Open(ctx, path, nil)
	if err != nil {
		return err
	}
	for done := 0; done < increments; {
		stored, err := d.Get(ctx, item("counter", 0).Key)
		cond := driver.IfVersion(stored.Version)
		if errors.Is(err, fault.NotFound) {
			cond = driver.IfAbsent
		} else if err != nil {
			return err
		}
		next := item("counter", stored.Version+1)
		next.Entries = []driver.Entry{{Index: "due", Partition: "0", Sort: fmt.Sprint(next.Version)}}
		err = d.Put(ctx, next, cond)
		if err == nil {
			done++
		} else if !errors.Is(err, fault.Conflict) {
			return err
		}
	}
	return d.Close()
}

func TestSeveralProcessesOnANewFileLoseNoUpdate(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "waggle.db")
	const processes = 3
	results := make(chan error, processes)
	for range processes {
		cmd := child(t, "increment", path)
		go func() {
			out, err := cmd.CombinedOutput()
			if err != nil {
				err = fmt.Errorf("%w: %s", err, out)
			}
			results <- err
		}()
	}
	for range processes {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
	d := setup(t, path, nil)
	got, err := d.Get(t.Context(), item("counter", 0).Key)
	if err != nil || got.Version != processes*increments {
		t.Fatalf("counter is %d, %v; want %d", got.Version, err, processes*increments)
	}
	page, err := d.Query(t.Context(), driver.Query{Index: "due", Partition: "0"})
	if err != nil || len(page.Items) != 1 {
		t.Fatalf("%d index entries, %v; want 1", len(page.Items), err)
	}
}

// writeAndWait says how many puts have returned, until it is killed.
func writeAndWait(path string) error {
	d, err := sqlitedriver.Open(context.Background(), path, nil)
	if err != nil {
		return err
	}
	for n := 0; ; n++ {
		if err := d.Put(context.Background(), item(fmt.Sprintf("%09d", n), int64(n)), driver.IfAbsent); err != nil {
			return err
		}
		fmt.Println(n)
	}
}

func TestAKilledProcessLosesNothingThatAPutReturnedFor(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "waggle.db")
	cmd := child(t, "write and wait", path)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	returned := 0
	for lines := bufio.NewScanner(out); lines.Scan(); returned++ {
		if returned == 500 {
			_ = cmd.Process.Kill()
		}
	}
	_ = cmd.Wait()
	if returned < 500 {
		t.Fatalf("only %d puts", returned)
	}
	d := setup(t, path, nil)
	stored := 0
	for q := (driver.Query{Partition: "RUN#1"}); ; {
		page, err := d.Query(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		stored += len(page.Items)
		if q.Cursor = page.Cursor; q.Cursor == "" {
			break
		}
	}
	if stored < returned {
		t.Fatalf("%d items, %d puts had returned", stored, returned)
	}
}

// openAsNobody opens the file without the rights of root.
func openAsNobody(path string) error {
	if os.Getuid() == 0 {
		if err := syscall.Setuid(65534); err != nil {
			return err
		}
	}
	d, err := sqlitedriver.Open(context.Background(), path, nil)
	if err == nil {
		_, err = d.Get(context.Background(), item("a", 0).Key)
		_ = d.Close()
	}
	fmt.Printf("%s: %v\n", fault.CodeOf(err), err)
	return nil
}

func TestAFileOrFolderThatMayNotBeWrittenIsDenied(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	path := filepath.Join(folder, "waggle.db")
	d := setup(t, path, nil)
	if err := d.Put(t.Context(), item("a", 1), driver.Any); err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Dir(folder), 0o755); err != nil { // the test's folder, closed to others
		t.Fatal(err)
	}
	for _, c := range []struct {
		name         string
		file, folder os.FileMode
		path         string
	}{
		{"read-only file", 0o444, 0o777, path},
		{"unreadable file", 0, 0o777, path},
		{"read-only folder", 0o666, 0o555, path},
		{"new file in a read-only folder", 0o666, 0o555, filepath.Join(folder, "new.db")},
		{"closed folder", 0o666, 0, path},
	} {
		if err := errors.Join(os.Chmod(path, c.file), os.Chmod(folder, c.folder)); err != nil {
			t.Fatal(err)
		}
		out, err := child(t, "open as nobody", c.path).CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		if want := fmt.Sprintf("%s: open %s: ", fault.Denied, c.path); len(out) < len(want) || string(out[:len(want)]) != want {
			t.Errorf("%s: %s want %s...", c.name, out, want)
		}
	}
	if err := os.Chmod(folder, 0o755); err != nil {
		t.Fatal(err)
	}
}

func TestALockHeldPastTheTimeoutIsUnavailableAndReadsGoOn(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "waggle.db")
	d := setup(t, path, &sqlitedriver.Options{BusyTimeout: 20 * time.Millisecond})
	if err := d.Put(t.Context(), item("a", 1), driver.Any); err != nil {
		t.Fatal(err)
	}
	other := raw(t, path, "BEGIN IMMEDIATE")
	for _, err := range []error{
		d.Put(t.Context(), item("a", 2), driver.Any),
		d.Put(t.Context(), item("a", 2), driver.IfVersion(1)),
		d.PutAll(t.Context(), []driver.Item{item("a", 2)}),
	} {
		if fault.CodeOf(err) != fault.Unavailable {
			t.Errorf("error is %q (%v), want %q", fault.CodeOf(err), err, fault.Unavailable)
		}
	}
	if got, err := d.Get(t.Context(), item("a", 0).Key); err != nil || got.Version != 1 {
		t.Errorf("get: %+v, %v", got, err)
	}
	if second, err := sqlitedriver.Open(t.Context(), path, nil); err != nil {
		t.Errorf("open while another process writes: %v", err)
	} else {
		_ = second.Close()
	}
	if _, err := other.Exec("ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	if err := d.Put(t.Context(), item("a", 2), driver.IfVersion(1)); err != nil {
		t.Errorf("after the lock was given back: %v", err)
	}
}

func TestAFileThatAnotherProcessHoldsAloneForAMomentIsWaitedFor(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "waggle.db")
	if err := setup(t, path, nil).Close(); err != nil {
		t.Fatal(err)
	}
	// As the last process does that closes the file, and the first that opens it after a crash.
	other := raw(t, path, "PRAGMA locking_mode = EXCLUSIVE; DELETE FROM items WHERE 1")
	time.AfterFunc(300*time.Millisecond, func() { _ = other.Close() })
	d, err := sqlitedriver.Open(t.Context(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestAContextThatEndsEndsTheWaitForALock(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "waggle.db")
	d := setup(t, path, &sqlitedriver.Options{BusyTimeout: time.Hour})
	raw(t, path, "BEGIN IMMEDIATE")
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := d.Put(ctx, item("a", 1), driver.Any); fault.CodeOf(err) != fault.Canceled {
		t.Fatalf("error is %v, want %q", err, fault.Canceled)
	}
}
