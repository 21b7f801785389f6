package store

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net/url"
	"strings"
	"sync/atomic"
	"syscall"

	"gocloud.dev/blob"
	"gocloud.dev/gcerrors"

	"waggle/shared/fault"
)

// Blobs holds what is too large for a row: values of assets, long metadata, long messages. A blob is written whole
// and never changed.
type Blobs struct {
	bucket *blob.Bucket
	taken  *atomic.Bool // the newest one that was written was taken
}

// NewBlobs uses a bucket, which the store then closes.
func NewBlobs(bucket *blob.Bucket) Blobs { return Blobs{bucket, new(atomic.Bool)} }

// BlobPath joins the parts of a blob's name; each part may hold any characters.
func BlobPath(parts ...string) string {
	escaped := make([]string, len(parts))
	for i, part := range parts {
		escaped[i] = strings.ReplaceAll(url.PathEscape(part), "%2F", "/")
	}
	return strings.Join(escaped, "/")
}

// PutBlob stores bytes under a name.
func (s *Store) PutBlob(ctx context.Context, name string, data []byte) error {
	err := s.blobs.bucket.WriteAll(ctx, name, data, nil)
	s.blobs.taken.Store(err == nil)
	return blobFault("write blob "+name, err)
}

// BlobsTaken reports whether this process has written a blob, and the newest one was taken: the next will probably be, too.
func (s *Store) BlobsTaken() bool { return s.blobs.taken.Load() }

// GetBlob returns what is stored under a name; fault.NotFound where there is nothing.
func (s *Store) GetBlob(ctx context.Context, name string) ([]byte, error) {
	data, err := s.readBlob(ctx, name)
	if gcerrors.Code(err) == gcerrors.NotFound {
		return nil, fault.New(fault.NotFound, "there is no blob %s", name)
	}
	return data, blobFault("read blob "+name, err)
}

func (s *Store) readBlob(ctx context.Context, name string) ([]byte, error) {
	pack, offset, size, ok := place(name)
	if !ok {
		return s.blobs.bucket.ReadAll(ctx, name)
	}
	r, err := s.blobs.bucket.NewRangeReader(ctx, pack, offset, size, nil)
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }()
	data, err := io.ReadAll(r)
	if err == nil && int64(len(data)) != size {
		err = fault.New(fault.Corrupt, "%d bytes of %d are there", len(data), size)
	}
	return data, err
}

// Close closes the bucket.
func (b Blobs) Close() error { return blobFault("close the blobs", b.bucket.Close()) }

func blobFault(op string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fault.Wrap(fault.Full, op, err)
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return fault.Wrap(fault.Denied, op, err)
	}
	code := fault.Unavailable
	switch gcerrors.Code(err) {
	case gcerrors.NotFound:
		code = fault.NotFound
	case gcerrors.PermissionDenied:
		code = fault.Denied
	case gcerrors.Canceled, gcerrors.DeadlineExceeded:
		code = fault.Canceled
	case gcerrors.ResourceExhausted:
		code = fault.Throttled
	}
	return fault.Wrap(code, op, err)
}
