package schema

import (
	"context"
	"iter"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"waggle/shared/fault"
	"waggle/shared/table"
)

// Output is a Parquet file that rows are written to. The zero value is none.
type Output struct {
	Folder table.Folder
	File   string
}

func (o Output) wanted() bool { return o.File != "" }

// ParquetOptions are the optional parts of ValidateParquet. The zero value writes nothing.
type ParquetOptions struct {
	// Valid receives the valid rows, converted as Split hands them on, in their order. Defaults to none.
	Valid Output
	// Invalid receives the invalid rows, as they came, in their order. Defaults to none.
	Invalid Output
	// TempDir is a folder on this machine for what rules of uniqueness put aside: 16 bytes a row for a column of numbers, 24 for
	// others, in a file that is gone when the process is. Defaults to os.TempDir.
	TempDir string
}

// ParquetResult is what ValidateParquet found. It holds a bit a row and the failures in Counts; the table is in the file.
type ParquetResult struct {
	Schema          string
	Rows            int
	ErrorCount      int
	WarningCount    int
	InvalidRowCount int
	Counts          []Count // as those of Result
	// ValidPath and InvalidPath are the files that were written, as a person opens them; empty where none was.
	ValidPath, InvalidPath string

	invalid *marks
}

// Valid reports whether no rule of severity Error is broken.
func (r *ParquetResult) Valid() bool { return r.ErrorCount == 0 }

// InvalidRows yields the rows that are invalid, counted from 0, in order.
func (r *ParquetResult) InvalidRows() iter.Seq[int] { return r.invalid.all() }

// IsInvalid reports whether a row is invalid. A row that there is not is not.
func (r *ParquetResult) IsInvalid(row int) bool {
	return row >= 0 && row < r.Rows && r.invalid.has(row)
}

// groupBytes is how many bytes of row groups are looked at at once.
const groupBytes = 192 << 20

// ValidateParquet is Validate, and with outputs Split, for a file that is larger than memory: it reads a row group after another, as
// many at once as there are processors, or one where they are large. Uniqueness is found by hash over the whole file; what it needs
// goes to a temporary file. Numbers are compared exactly, other values by 128 bits of a keyed hash.
//
// Outputs need a second reading. Each appears whole, when everything has worked, or not at all. Errors are those of Validate and
// of reading and writing; they name the file, and one that is cut off or damaged is fault.Corrupt.
func ValidateParquet(ctx context.Context, s *Schema, from table.Folder, file string, o *ParquetOptions) (*ParquetResult, error) {
	if err := s.usable(); err != nil {
		return nil, err
	}
	if o == nil {
		o = &ParquetOptions{}
	}
	f, err := table.OpenParquet(ctx, from, file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	p := &parquetRun{schema: s, file: f, options: *o}
	for g := range f.Groups() {
		p.starts = append(p.starts, p.rows)
		p.rows += f.GroupRows(g)
		p.largest = max(p.largest, f.GroupBytes(g))
	}
	return p.run(ctx)
}

// parquetRun is one call of ValidateParquet.
type parquetRun struct {
	schema  *Schema
	file    *table.ParquetFile
	options ParquetOptions
	rows    int
	starts  []int // the row that each group begins with
	largest int64

	mu      sync.Mutex
	frame   *binding // of no rows: what is wrong with the columns, and which rules there are
	counts  []int    // by rule
	kept    [][]Failure
	invalid *marks
	spills  []*spill // by rule; nil where it is not about uniqueness
}

func (p *parquetRun) run(ctx context.Context) (*ParquetResult, error) {
	empty := array.NewTableFromRecords(p.file.Schema(), nil)
	frame, err := bindPart(p.schema, table.FromArrow(empty), 0, p.rows)
	if err != nil {
		return nil, err
	}
	p.frame, p.invalid = frame, newMarks(p.rows)
	p.counts, p.kept, p.spills = make([]int, len(frame.rules)), make([][]Failure, len(frame.rules)), make([]*spill, len(frame.rules))
	defer func() {
		for _, s := range p.spills {
			s.close()
		}
	}()
	for i, r := range frame.rules {
		if r.unique == 0 {
			continue
		}
		if p.spills[i], err = newSpill(p.options.TempDir, p.rows, keysOf(frame.columnsOf(r))); err != nil {
			return nil, err
		}
	}
	if err := p.eachGroup(ctx, p.look); err != nil {
		return nil, err
	}
	for i, r := range frame.rules {
		if r.unique != 0 {
			if err := p.unique(ctx, i, r); err != nil {
				return nil, err
			}
		}
	}
	if frame.unfit {
		for row := range p.rows {
			p.invalid.add(row)
		}
	}
	res := p.result()
	return res, p.write(ctx, res)
}

// workers is how many row groups are in memory at once.
func (p *parquetRun) workers() int {
	return max(1, min(runtime.GOMAXPROCS(0), p.file.Groups(), int(groupBytes/max(1, p.largest))))
}

// eachGroup reads every row group, several at once, and stops at the first error.
func (p *parquetRun) eachGroup(ctx context.Context, use func(ctx context.Context, group int, b *binding) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	errs := make([]error, p.file.Groups())
	var next atomic.Int64
	var workers sync.WaitGroup
	for range p.workers() {
		workers.Go(func() {
			for g := int(next.Add(1)) - 1; g < len(errs) && ctx.Err() == nil; g = int(next.Add(1)) - 1 {
				if errs[g] = p.group(ctx, g, use); errs[g] != nil {
					cancel(errs[g])
				}
			}
		})
	}
	workers.Wait()
	for _, err := range errs { // the earliest that is not only the echo of another
		if err != nil && fault.CodeOf(err) != fault.Canceled {
			return err
		}
	}
	if cause := context.Cause(ctx); cause != nil {
		return fault.Wrap(fault.Canceled, "validate "+p.file.Path(), cause)
	}
	return nil
}

func (p *parquetRun) group(ctx context.Context, g int, use func(context.Context, int, *binding) error) error {
	t, err := p.file.Read(ctx, g)
	if err != nil {
		return err
	}
	b, err := bindPart(p.schema, t, p.starts[g], p.rows)
	if err != nil {
		return err
	}
	return use(ctx, g, b)
}

// look evaluates the rules on a row group and puts aside what uniqueness needs.
func (p *parquetRun) look(_ context.Context, _ int, b *binding) error {
	e := newEvaluator(b)
	block := e.newBlock()
	for k := range e.blocks() {
		if !e.block(block, k) {
			return e.err
		}
	}
	for i, r := range b.rules {
		if r.unique != 0 {
			if err := p.spills[i].add(b.columnsOf(r), b.base, b.rows); err != nil {
				return err
			}
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, m := range e.failed {
		p.counts[i] += m.count()
		p.keep(b, i, m)
		if b.rules[i].severity == Error {
			for row := range m.all() {
				p.invalid.add(b.base + row)
			}
		}
	}
	return nil
}

// keep keeps the first failures of a rule.
func (p *parquetRun) keep(b *binding, i int, m *marks) {
	kept := p.kept[i]
	if len(kept) == KeptFailures && kept[len(kept)-1].Row < b.base {
		return
	}
	added := 0
	for row := range m.all() {
		if added++; added > KeptFailures {
			break
		}
		kept = append(kept, b.failure(i, row))
	}
	slices.SortFunc(kept, func(x, y Failure) int { return x.Row - y.Row })
	p.kept[i] = slices.Clone(kept[:min(len(kept), KeptFailures)])
}

// unique finds the copies of a rule and reads the first of them again, to show their values.
func (p *parquetRun) unique(ctx context.Context, i int, r *rule) error {
	found, err := p.spills[i].copies(r.unique, p.rows)
	if err != nil {
		return err
	}
	p.counts[i] = found.count()
	show := map[int]*marks{} // by row group
	kept := 0
	for row := range found.all() {
		if r.severity == Error {
			p.invalid.add(row)
		}
		if kept++; kept <= KeptFailures {
			g, _ := slices.BinarySearch(p.starts, row+1)
			g-- // the last group that begins at the row or before
			if show[g] == nil {
				show[g] = newMarks(p.file.GroupRows(g))
			}
			show[g].add(row - p.starts[g])
		}
	}
	for g, m := range show {
		err := p.group(ctx, g, func(_ context.Context, _ int, b *binding) error {
			p.keep(b, i, m)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (p *parquetRun) result() *ParquetResult {
	r := &ParquetResult{Schema: p.schema.name, Rows: p.rows, invalid: p.invalid, InvalidRowCount: p.invalid.count()}
	count := func(c Count) {
		if c.Severity == Warn {
			r.WarningCount += c.Count
		} else {
			r.ErrorCount += c.Count
		}
		r.Counts = append(r.Counts, c)
	}
	for _, f := range p.frame.broken {
		count(Count{f.Column, f.Check, f.Severity, 1, []Failure{f}})
	}
	for i, rule := range p.frame.rules {
		if p.counts[i] > 0 {
			count(Count{rule.column(), rule.check, rule.severity, p.counts[i], p.kept[i]})
		}
	}
	return r
}

// write reads the file again and takes valid and invalid rows apart.
func (p *parquetRun) write(ctx context.Context, r *ParquetResult) error {
	var writers []*table.ParquetWriter
	open := func(o Output, columns *arrow.Schema) (*table.ParquetWriter, error) {
		if !o.wanted() {
			return nil, nil
		}
		w, err := table.CreateParquet(ctx, o.Folder, o.File, columns)
		if err == nil {
			writers = append(writers, w)
		}
		return w, err
	}
	defer func() {
		for _, w := range writers {
			w.Discard()
		}
	}()
	valid, err := open(p.options.Valid, p.frame.handedOn(p.schema.options.ExtraColumns).Schema())
	if err != nil {
		return err
	}
	invalid, err := open(p.options.Invalid, p.file.Schema())
	if err != nil || len(writers) == 0 {
		return err
	}
	if err := p.separate(ctx, valid, invalid); err != nil {
		return err
	}
	if valid != nil {
		if r.ValidPath, err = valid.Commit(); err != nil {
			return err
		}
	}
	if invalid != nil {
		r.InvalidPath, err = invalid.Commit()
	}
	return err
}

// separate writes the row groups in their order; the next ones are read and split meanwhile.
func (p *parquetRun) separate(ctx context.Context, valid, invalid *table.ParquetWriter) error {
	turn := sync.NewCond(&p.mu)
	next, failed := 0, false
	return p.eachGroup(ctx, func(ctx context.Context, g int, b *binding) (err error) {
		defer context.AfterFunc(ctx, func() { // wakes those that wait for a group that failed
			p.mu.Lock()
			defer p.mu.Unlock()
			turn.Broadcast()
		})()
		set := newMarks(b.rows)
		for row := range b.rows {
			if p.invalid.has(b.base + row) {
				set.add(row)
			}
		}
		var good, bad arrow.Table
		if valid != nil {
			good, err = pick(b.handedOn(p.schema.options.ExtraColumns), set, false)
		}
		if invalid != nil && err == nil {
			bad, err = pick(b.table.Arrow(), set, true)
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		defer turn.Broadcast()
		for next != g && !failed && err == nil && ctx.Err() == nil {
			turn.Wait()
		}
		if err == nil && !failed && good != nil {
			err = valid.Write(table.FromArrow(good))
		}
		if err == nil && !failed && bad != nil {
			err = invalid.Write(table.FromArrow(bad))
		}
		failed = failed || err != nil
		next++
		return err
	})
}
