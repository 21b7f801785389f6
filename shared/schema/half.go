package schema

import (
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"waggle/shared/fault"
)

// half is the valid or the invalid rows of a table, put together a span at a time, by several goroutines.
type half struct {
	schema  *arrow.Schema
	columns []*chunked
	rooms   []columnRoom      // by column
	chunks  [][][]arrow.Array // by span, then column
	rows    []int             // by span
}

func newHalf(t arrow.Table) *half {
	spans := (int(t.NumRows()) + spanRows - 1) / spanRows
	h := &half{schema: t.Schema(), columns: make([]*chunked, t.NumCols()), rooms: make([]columnRoom, t.NumCols()), chunks: make([][][]arrow.Array, spans), rows: make([]int, spans)}
	for i := range h.columns {
		h.columns[i] = chunkedOf(t.Column(i).Data())
	}
	return h
}

// add copies the taken rows of a span. Spans that are taken whole are not copied.
func (h *half) add(s *span) error {
	if s.taken == 0 {
		return nil
	}
	at := s.from / spanRows
	h.rows[at], h.chunks[at] = s.taken, make([][]arrow.Array, len(h.columns))
	for i, c := range h.columns {
		var err error
		if h.chunks[at][i], err = c.gather(s, h.rooms[i]); err != nil {
			return fault.Wrap(fault.Invalid, "split a table", err)
		}
	}
	return nil
}

func (h *half) table() arrow.Table {
	columns := make([]arrow.Column, len(h.columns))
	for i, f := range h.schema.Fields() {
		var chunks []arrow.Array
		for _, span := range h.chunks {
			if span != nil {
				chunks = append(chunks, span[i]...)
			}
		}
		columns[i] = *arrow.NewColumn(f, arrow.NewChunked(f.Type, chunks))
	}
	rows := 0
	for _, n := range h.rows {
		rows += n
	}
	return array.NewTable(h.schema, columns, int64(rows))
}

// apart returns the valid and the invalid rows of a table that nobody needs any more: valid rows are moved together in its own
// memory. Those that are not wanted are nil.
func (b *binding) apart(invalid *marks, wantValid, wantInvalid bool) (valid, bad arrow.Table, err error) {
	words := make([]uint64, 0, len(invalid.blocks)*blockWords)
	for k := range invalid.blocks {
		words = append(words, invalid.words(k)...)
	}
	// One span: rows that are taken whole are not copied, so the other half must not move anything where they are.
	if wantInvalid {
		h := newHalf(b.table.Arrow())
		if err = h.add(spanOf(0, b.rows, words, true)); err != nil {
			return nil, nil, err
		}
		bad = h.table()
	}
	if wantValid {
		h, s := newHalf(b.handedOn(b.schema.options.ExtraColumns)), spanOf(0, b.rows, words, false)
		for i, c := range h.columns {
			if s.mostly() { // few rows would keep the memory of all
				h.rooms[i] = c.ownRoom()
			}
		}
		if err = h.add(s); err != nil {
			return nil, nil, err
		}
		valid = h.table()
	}
	return valid, bad, nil
}

// eachSpan calls use with the spans of a table, in parallel, and returns the error of the earliest that failed.
func eachSpan(rows int, use func(worker, from, n int) error) error {
	errs := make([]error, (rows+spanRows-1)/spanRows)
	var next atomic.Int64
	var failed atomic.Bool
	var workers sync.WaitGroup
	for w := range min(runtime.GOMAXPROCS(0), len(errs)) {
		workers.Go(func() {
			for k := int(next.Add(1)) - 1; k < len(errs) && !failed.Load(); k = int(next.Add(1)) - 1 {
				if errs[k] = use(w, k*spanRows, min(spanRows, rows-k*spanRows)); errs[k] != nil {
					failed.Store(true)
				}
			}
		})
	}
	workers.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
