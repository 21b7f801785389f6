package table

import (
	"context"
	"crypto/rand"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"waggle/shared/fault"
)

// localFolder is a folder on this machine.
type localFolder struct {
	dir   string
	shown string // as it was given, a path or a file URL
}

// atFileURL is a local folder by its URL. It is read and written as a path is: going through a
// blob driver would add files of its own beside ours and lose the codes of the disk's errors.
func atFileURL(given string) Folder {
	u, err := url.Parse(given)
	if err != nil || u.Path == "" || u.Host != "" && u.Host != "localhost" && u.Host != "." {
		return Folder{err: fault.New(fault.Invalid, "%q is no file URL", given).WithHint("write file:///the/folder, or the path itself")}
	}
	if u.RawQuery != "" || u.Fragment != "" {
		return Folder{err: fault.New(fault.Invalid, "%q: a file URL takes no parameters", given).WithHint("leave out what follows the path")}
	}
	dir := filepath.FromSlash(u.Path)
	if u.Host == "." {
		dir = "." + dir
	}
	return Folder{place: localFolder{dir: filepath.Clean(dir), shown: given}}
}

func (l localFolder) path(file string) string {
	if strings.Contains(l.shown, "://") {
		return joinURL(l.shown, file)
	}
	return filepath.Join(l.dir, filepath.FromSlash(file))
}

func (l localFolder) file(name string) string { return filepath.Join(l.dir, filepath.FromSlash(name)) }

func (l localFolder) list(context.Context) ([]string, error) { return fileNames(os.ReadDir(l.dir)) }

func (l localFolder) open(ctx context.Context, file string) (io.ReadCloser, error) {
	name := l.file(file)
	if info, err := os.Stat(name); err == nil && info.Mode()&fs.ModeNamedPipe != 0 {
		return openPipe(ctx, name)
	}
	return openRegular(os.Open(name))
}

// openPipe waits for the pipe's writer, but not longer than ctx. If ctx ends first the goroutine
// stays until a writer comes: nothing else ends an open of a pipe.
func openPipe(ctx context.Context, name string) (io.ReadCloser, error) {
	type opened struct {
		file *os.File
		err  error
	}
	done := make(chan opened, 1)
	go func() {
		f, err := os.Open(name)
		done <- opened{f, err}
	}()
	select {
	case o := <-done:
		if o.err != nil {
			return nil, o.err
		}
		stop := context.AfterFunc(ctx, func() { o.file.Close() })
		return pipe{o.file, stop}, nil
	case <-ctx.Done():
		go func() {
			if o := <-done; o.err == nil {
				o.file.Close()
			}
		}()
		return nil, fault.Wrap(fault.Canceled, "wait for the pipe's writer", context.Cause(ctx))
	}
}

type pipe struct {
	*os.File
	stop func() bool
}

func (p pipe) Close() error {
	p.stop()
	return p.File.Close()
}

// create opens a temporary file in the same folder, so that the rename at the end cannot fail for
// being on another disk.
func (l localFolder) create(_ context.Context, file string) (draft, error) {
	name := l.file(file)
	if info, err := os.Stat(name); err == nil && info.IsDir() {
		return nil, fault.New(fault.Invalid, "it is a folder").WithHint("use another name")
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		return nil, err
	}
	temporary := filepath.Join(filepath.Dir(name), "."+filepath.Base(name)+"."+rand.Text()[:8]+".tmp")
	f, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return nil, err
	}
	return &localDraft{f, name}, nil
}

type localDraft struct {
	*os.File
	name string // where it goes
}

// commit makes the content durable before the name, then the name.
func (d *localDraft) commit() error {
	if err := d.Sync(); err != nil {
		return err
	}
	if err := d.Close(); err != nil {
		return err
	}
	if err := os.Rename(d.File.Name(), d.name); err != nil {
		return err
	}
	if dir, err := os.Open(filepath.Dir(d.name)); err == nil {
		_ = dir.Sync() // some file systems cannot; the file itself is safe
		dir.Close()
	}
	return nil
}

// discard removes what was not committed; after commit there is nothing left to remove.
func (d *localDraft) discard() {
	d.Close()
	os.Remove(d.File.Name())
}
