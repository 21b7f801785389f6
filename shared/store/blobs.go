package store

import (
	"context"
	"errors"
	"io/fs"
	"net/url"
	"strings"
	"syscall"

	"gocloud.dev/blob"
	"gocloud.dev/gcerrors"

	"waggle/shared/fault"
)

// Blobs holds what is too large for a row: values of assets, long metadata, long messages. A blob is written whole
// and never changed.
type Blobs struct{ bucket *blob.Bucket }

// NewBlobs uses a bucket, which the store then closes.
func NewBlobs(bucket *blob.Bucket) Blobs { return Blobs{bucket} }

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
	return blobFault("write blob "+name, s.blobs.bucket.WriteAll(ctx, name, data, nil))
}

// GetBlob returns what is stored under a name; fault.NotFound where there is nothing.
func (s *Store) GetBlob(ctx context.Context, name string) ([]byte, error) {
	data, err := s.blobs.bucket.ReadAll(ctx, name)
	if gcerrors.Code(err) == gcerrors.NotFound {
		return nil, fault.New(fault.NotFound, "there is no blob %s", name)
	}
	return data, blobFault("read blob "+name, err)
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
