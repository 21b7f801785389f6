package store

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"waggle/shared/fault"
	"waggle/shared/run"
)

// Pack is one object that holds several blobs: where each object that is written is paid, an owner of a run writes small ones together. It is a
// tar file, in which a blob has the name that it would have as an object. Its name as a blob is that of the pack, and where its bytes are:
// "runs/RUN/EPOCH-NUMBER.tar#512+6041". It is safe for several goroutines.
type Pack struct {
	name string
	at   time.Time

	mu   sync.Mutex
	data bytes.Buffer
	tar  *tar.Writer
}

// NewPack begins the pack with a number, which no other of the owner of that epoch has.
func (s *Store) NewPack(id run.ID, epoch int64, number int) *Pack {
	p := &Pack{name: BlobPath("runs", string(id), fmt.Sprintf("%d-%d.tar", epoch, number)), at: s.now()}
	p.tar = tar.NewWriter(&p.data)
	return p
}

// Add puts a blob into the pack and returns its name.
func (p *Pack) Add(name string, data []byte) (blob string, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	err = p.tar.WriteHeader(&tar.Header{Name: name, Size: int64(len(data)), Mode: 0o644, ModTime: p.at})
	blob = placed(p.name, int64(p.data.Len()), int64(len(data)))
	if err == nil {
		_, err = p.tar.Write(data)
	}
	return blob, fault.Wrap(fault.Internal, "pack "+name, err)
}

// Size is how many bytes the pack has.
func (p *Pack) Size() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.data.Len()
}

// Blob returns a copy of a blob of the pack; false where it is none.
func (p *Pack) Blob(blob string) ([]byte, bool) {
	name, offset, size, ok := place(blob)
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := int64(p.data.Len()); !ok || name != p.name || offset > n || size > n-offset {
		return nil, false
	}
	return slices.Clone(p.data.Bytes()[offset : offset+size]), true
}

// PutPack stores a pack, to which nothing is added any more.
func (s *Store) PutPack(ctx context.Context, p *Pack) error {
	whole, err := p.close()
	if err != nil {
		return err
	}
	return s.PutBlob(ctx, p.name, whole)
}

// close ends the file and returns it. Doing it twice is the same as once.
func (p *Pack) close() ([]byte, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	err := p.tar.Close()
	return p.data.Bytes(), fault.Wrap(fault.Internal, "pack "+p.name, err)
}

// placed is the name of a blob that is within another, and place what such a name says. No other blob has a # in its name: see BlobPath.
func placed(pack string, offset, size int64) string {
	return fmt.Sprintf("%s#%d+%d", pack, offset, size)
}

func place(blob string) (pack string, offset, size int64, ok bool) {
	pack, at, within := strings.Cut(blob, "#")
	from, length, spans := strings.Cut(at, "+")
	offset, err := strconv.ParseInt(from, 10, 64)
	size, sizeErr := strconv.ParseInt(length, 10, 64)
	return pack, offset, size, within && spans && err == nil && sizeErr == nil && offset >= 0 && size >= 0
}
