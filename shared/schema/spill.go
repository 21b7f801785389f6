package schema

import (
	"encoding/binary"
	"errors"
	"hash/maphash"
	"io"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"

	"waggle/shared/fault"
)

// spill is the hashes of a rule's rows in a temporary file, dealt to partitions. A partition is a list of extents: each was a
// full buffer when it was written.
//
//	record: hash, 8 bytes | second hash, 8 bytes, unless the first is exact | row, 8 bytes
type spill struct {
	file   *os.File
	keys   *keys
	second maphash.Seed
	shift  int
	size   int // of a record

	mu    sync.Mutex
	end   int64
	parts []spillPart
}

type spillPart struct {
	buffer  []byte
	extents []extent
}

type extent struct {
	at int64
	n  int
}

const (
	spillRows   = 1 << 19 // of a partition, on average
	spillBuffer = 48 << 10
)

func newSpill(dir string, rows int, k *keys) (*spill, error) {
	f, err := os.CreateTemp(dir, "waggle-unique-")
	if err != nil {
		return nil, spillFault(err)
	}
	// Its name goes at once, where the system allows that: then nothing is left, whatever becomes of the process.
	_ = os.Remove(f.Name())
	s := &spill{file: f, keys: k, second: maphash.MakeSeed(), size: 16, shift: 64}
	if !k.exact {
		s.size = 24
	}
	n := 1
	for n < 1024 && n*spillRows < rows {
		n *= 2
		s.shift--
	}
	s.parts = make([]spillPart, n)
	return s, nil
}

func spillFault(err error) error {
	code := fault.Unavailable
	if errors.Is(err, syscall.ENOSPC) {
		code = fault.Full
	}
	return fault.New(code, "put aside what uniqueness needs: %w", err).WithHint("name a folder with room as ParquetOptions.TempDir")
}

func (s *spill) close() {
	if s != nil {
		s.file.Close()
		_ = os.Remove(s.file.Name())
	}
}

// add puts the rows of a part of the table aside.
func (s *spill) add(columns []*chunked, base, rows int) error {
	first := *s.keys
	first.columns = columns
	second := first
	second.seed = s.second
	a, b := first.reader(), second.reader()
	local := make([][]byte, len(s.parts))
	for from := 0; from < rows; from += blockRows {
		n := min(blockRows, rows-from)
		if a.read(from, n); !first.exact {
			b.read(from, n)
		}
		for i, h := range a.hashes {
			p := h >> s.shift
			r := binary.LittleEndian.AppendUint64(local[p], h)
			if !first.exact {
				r = binary.LittleEndian.AppendUint64(r, b.hashes[i])
			}
			local[p] = binary.LittleEndian.AppendUint64(r, uint64(base+from+int(a.rows[i])))
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for p, records := range local {
		part := &s.parts[p]
		if part.buffer = append(part.buffer, records...); len(part.buffer) >= spillBuffer {
			if err := s.flush(part); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *spill) flush(part *spillPart) error {
	if len(part.buffer) == 0 {
		return nil
	}
	if _, err := s.file.WriteAt(part.buffer, s.end); err != nil {
		return spillFault(err)
	}
	part.extents = append(part.extents, extent{s.end, len(part.buffer)})
	s.end += int64(len(part.buffer))
	part.buffer = part.buffer[:0]
	return nil
}

// copies returns the rows that break a rule of uniqueness.
func (s *spill) copies(which Copies, rows int) (*marks, error) {
	for p := range s.parts {
		if err := s.flush(&s.parts[p]); err != nil {
			return nil, err
		}
		s.parts[p].buffer = nil
	}
	workers := runtime.GOMAXPROCS(0)
	found, errs := make([]*marks, workers), make([]error, workers)
	var next atomic.Int64
	var group sync.WaitGroup
	for w := range workers {
		found[w] = newMarks(rows)
		group.Go(func() {
			t := newKeyTable(s.keys, which, found[w])
			t.hashed = !s.keys.exact
			var buffer []byte
			for p := int(next.Add(1)) - 1; p < len(s.parts) && errs[w] == nil; p = int(next.Add(1)) - 1 {
				buffer, errs[w] = s.read(&s.parts[p], t, buffer)
			}
		})
	}
	group.Wait()
	for w, err := range errs {
		if err != nil {
			return nil, err
		}
		for k, words := range found[w].blocks {
			if w > 0 && words != nil {
				found[0].or(k, words)
			}
		}
	}
	return found[0], nil
}

// read adds the rows of a partition to a table, an extent at a time, so that memory depends on how many values there are and
// not on how many rows.
func (s *spill) read(part *spillPart, t *keyTable, buffer []byte) ([]byte, error) {
	t.reset(spillRows)
	for _, x := range part.extents {
		if cap(buffer) < x.n {
			buffer = make([]byte, x.n)
		}
		buffer = buffer[:x.n]
		if _, err := io.ReadFull(io.NewSectionReader(s.file, x.at, int64(x.n)), buffer); err != nil {
			return buffer, fault.Wrap(fault.Unavailable, "read what uniqueness put aside", err)
		}
		for r := buffer; len(r) > 0; r = r[s.size:] {
			hash, second, row := binary.LittleEndian.Uint64(r), uint64(0), binary.LittleEndian.Uint64(r[s.size-8:])
			if s.size == 24 {
				second = binary.LittleEndian.Uint64(r[8:])
			}
			t.addHashed(hash, second, int(row))
		}
	}
	return buffer, nil
}
