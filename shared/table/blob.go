package table

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net/url"
	"strings"
	"sync"

	"gocloud.dev/blob"
	"gocloud.dev/blob/memblob"
	"gocloud.dev/gcerrors"

	"waggle/shared/fault"
)

// blobFolder is a folder in a bucket: the URL's path is the folder, the rest names the bucket.
type blobFolder struct {
	given  string
	bucket *url.URL // without the path
	prefix string   // "" or with a slash at its end
}

func atBlobURL(given string) Folder {
	u, err := url.Parse(given)
	if err != nil {
		return Folder{err: fault.New(fault.Invalid, "%q is no blob URL", given).WithHint("write it as s3://bucket/folder")}
	}
	if u.Scheme != memblob.Scheme && !blob.DefaultURLMux().ValidBucketScheme(u.Scheme) {
		return Folder{err: fault.New(fault.Invalid, "%q: this binary has no driver for %s://", given, u.Scheme).
			WithHint("import its driver in main, as in _ \"gocloud.dev/blob/s3blob\" for s3://, or use a local path")}
	}
	prefix := strings.Trim(u.Path, "/")
	if prefix != "" {
		prefix += "/"
	}
	bucket := *u
	bucket.Path, bucket.RawPath = "", ""
	return Folder{place: blobFolder{given, &bucket, prefix}}
}

// memoryBuckets holds the buckets of mem:// URLs by host. It is a package variable because memory of this
// process is what such a URL names: what was written to it must be there to read.
var memoryBuckets = struct {
	sync.Mutex
	buckets map[string]*blob.Bucket
}{buckets: map[string]*blob.Bucket{}}

// bucketOf opens the bucket; done closes it.
func (b blobFolder) bucketOf(ctx context.Context) (bucket *blob.Bucket, done func() error, err error) {
	if b.bucket.Scheme == memblob.Scheme {
		memoryBuckets.Lock()
		defer memoryBuckets.Unlock()
		if memoryBuckets.buckets[b.bucket.Host] == nil {
			memoryBuckets.buckets[b.bucket.Host] = memblob.OpenBucket(nil)
		}
		return memoryBuckets.buckets[b.bucket.Host], func() error { return nil }, nil
	}
	bucket, err = blob.DefaultURLMux().OpenBucketURL(ctx, b.bucket)
	if err != nil {
		return nil, nil, err
	}
	return bucket, bucket.Close, nil
}

func (b blobFolder) path(file string) string { return joinURL(b.given, file) }

// joinURL puts a file behind the URL's path, before its parameters.
func joinURL(given, file string) string {
	if file == "" {
		return given
	}
	before, parameters, found := strings.Cut(given, "?")
	if !strings.HasSuffix(before, "/") {
		before += "/"
	}
	if found {
		return before + file + "?" + parameters
	}
	return before + file
}

func (b blobFolder) open(ctx context.Context, file string) (io.ReadCloser, error) {
	bucket, done, err := b.bucketOf(ctx)
	if err != nil {
		return nil, err
	}
	r, err := bucket.NewReader(ctx, b.prefix+file, nil)
	if err != nil {
		err = errors.Join(blobError(err), done())
		return nil, err
	}
	return blobReader{r, done}, nil
}

type blobReader struct {
	*blob.Reader
	done func() error
}

func (r blobReader) Close() error { return errors.Join(r.Reader.Close(), r.done()) }

// blobError makes a missing blob look like a missing file.
func blobError(err error) error {
	if gcerrors.Code(err) == gcerrors.NotFound {
		return fs.ErrNotExist
	}
	return err
}

func (b blobFolder) list(ctx context.Context) ([]string, error) {
	bucket, done, err := b.bucketOf(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	var names []string
	for list := bucket.List(&blob.ListOptions{Prefix: b.prefix, Delimiter: "/"}); len(names) < 1000; {
		o, err := list.Next(ctx)
		if err == io.EOF {
			return names, nil
		}
		if err != nil {
			return nil, err
		}
		if !o.IsDir {
			names = append(names, strings.TrimPrefix(o.Key, b.prefix))
		}
	}
	return names, nil
}

// create opens a blob that appears when its writer is closed, unless its context ended before.
func (b blobFolder) create(ctx context.Context, file string) (draft, error) {
	bucket, done, err := b.bucketOf(ctx)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	w, err := bucket.NewWriter(ctx, b.prefix+file, nil)
	if err != nil {
		cancel()
		return nil, errors.Join(err, done())
	}
	return &blobDraft{Writer: w, cancel: cancel, done: done}, nil
}

type blobDraft struct {
	*blob.Writer
	cancel context.CancelFunc
	done   func() error
	closed bool
}

func (d *blobDraft) commit() error {
	d.closed = true
	return d.Writer.Close()
}

func (d *blobDraft) discard() {
	d.cancel()
	if !d.closed {
		d.Writer.Close() // after cancel: writes nothing
	}
	d.done()
}
