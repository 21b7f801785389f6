package store_test

import (
	"errors"
	"strings"
	"testing"

	"gocloud.dev/blob/memblob"

	"waggle/shared/fault"
	"waggle/shared/store"
	"waggle/shared/store/tabletest"
)

func TestABlobOfAPackReadsBackByItsName(t *testing.T) {
	t.Parallel()
	bucket := memblob.OpenBucket(nil)
	s := store.New(tabletest.New(t, nil), store.NewBlobs(bucket), nil)
	id := launch(t, s)
	p := s.NewPack(id, 2, 17)
	long := strings.Repeat("a long key/", 40) // longer than a plain entry of a tar file takes
	blobs := map[string]string{
		store.BlobPath("assets", "orders", string(id), "2-1.json"):            "[1,2]",
		store.BlobPath("assets", "of # 1 & 2 + é", string(id), "2-1.parquet"): strings.Repeat("x", 1000),
		store.BlobPath("runs", string(id), long, "2-1", "log-1.txt"):          "text",
		store.BlobPath("runs", string(id), "empty", "2-1", "log-1.txt"):       "",
	}
	where := map[string]string{}
	for name, data := range blobs {
		blob, err := p.Add(name, []byte(data))
		if err != nil {
			t.Fatal(err)
		}
		where[blob] = data
		if got, ok := p.Blob(blob); !ok || string(got) != data {
			t.Errorf("%s before it is stored: %q, %t", name, got, ok)
		}
	}
	for _, other := range []string{"/2-18.tar#512+5", "/2-17.tar#9223372036854775807+9223372036854775807", "/2-17.tar#512+99999", "/2-17.tar#-1+5", "/2-17.tar#512", "/2-17.tar"} {
		if data, ok := p.Blob("runs/" + string(id) + other); ok {
			t.Errorf("%s is %q", other, data)
		}
	}
	if s.BlobsTaken() {
		t.Error("nothing was written, and it was taken")
	}
	for range 2 { // the answer to the first may be lost
		if err := s.PutPack(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	if !s.BlobsTaken() {
		t.Error("what was written was not taken")
	}
	for blob, data := range where {
		if got, err := s.GetBlob(t.Context(), blob); err != nil || string(got) != data {
			t.Errorf("%s: %q, %v", blob, got, err)
		}
	}
	pack := "runs/" + string(id) + "/2-17.tar"
	whole, err := s.GetBlob(t.Context(), pack)
	if err != nil || len(whole) != p.Size() {
		t.Errorf("%d bytes of %d, %v", len(whole), p.Size(), err)
	}
	for blob, code := range map[string]fault.Code{
		pack + "#512+99999":                      fault.Corrupt,
		pack + "#512":                            fault.NotFound, // no name of a blob in a pack
		"runs/" + string(id) + "/2-18.tar#512+5": fault.NotFound,
	} {
		if _, err := s.GetBlob(t.Context(), blob); !errors.Is(err, code) {
			t.Errorf("%s: %v, want %s", blob, err, code)
		}
	}
}
