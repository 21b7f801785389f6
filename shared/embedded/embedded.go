// Package embedded opens the store of a laptop: one folder with a SQLite file for rows and files for
// blobs. It is wiring: programs and benches call it, the library does not.
//
//	.waggle/waggle.db   rows and logs
//	.waggle/blobs/      values and texts too large for a row
package embedded

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"gocloud.dev/blob/fileblob"

	"waggle/shared/fault"
	"waggle/shared/store"
	"waggle/shared/store/sqlitedriver"
)

// DefaultHome is the folder where nobody names another.
const DefaultHome = ".waggle"

// Open opens the store in a home folder, and makes the folder if it is missing.
func Open(ctx context.Context, home string, opts *store.Options) (*store.Store, error) {
	blobs, err := Blobs(home)
	if err != nil {
		return nil, err
	}
	db, err := sqlitedriver.Open(ctx, filepath.Join(home, "waggle.db"), nil)
	if err != nil {
		_ = blobs.Close()
		return nil, err
	}
	return store.New(db, blobs, opts), nil
}

// Blobs opens the blobs of a home folder, and makes the folder if it is missing. Temporary files are beside the
// blobs, so that a rename never crosses file systems, and there are no attribute files.
func Blobs(home string) (store.Blobs, error) {
	dir := filepath.Join(home, "blobs")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return store.Blobs{}, homeFault(home, err)
	}
	bucket, err := fileblob.OpenBucket(dir, &fileblob.Options{NoTempDir: true, Metadata: fileblob.MetadataDontWrite})
	if err != nil {
		return store.Blobs{}, homeFault(home, err)
	}
	return store.NewBlobs(bucket), nil
}

func homeFault(home string, err error) error {
	op := fmt.Sprintf("open home %q", home)
	switch {
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return &fault.Error{Op: op, Code: fault.Denied, Err: err, Hint: "give --home or WAGGLE_HOME a folder that you may write"}
	case errors.Is(err, syscall.ENOSPC):
		return &fault.Error{Op: op, Code: fault.Full, Err: err, Hint: "free some space"}
	case errors.Is(err, syscall.ENOTDIR), errors.Is(err, fs.ErrExist):
		return &fault.Error{Op: op, Code: fault.Invalid, Err: err, Hint: "a home is a folder"}
	}
	return fault.Wrap(fault.Unavailable, op, err)
}

// Worker names this process to people: host:pid.
func Worker() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return fmt.Sprintf("%s:%d", host, os.Getpid())
}
