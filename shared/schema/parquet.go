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

// ParquetResult is what ValidateParquet found. It holds a bit a row, one more for each rule of uniqueness, and the failures in Counts; the table is in
// the file, which Errors and Warnings read again.
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
	run     *parquetRun
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
// many at once as there are processors, or one where they are large. Uniqueness is found first, by hash over the whole file,
// from the columns that it is about; what it needs goes to a temporary file. Numbers are compared exactly, other values
// by 128 bits of a keyed hash.
//
// Outputs appear whole, when everything has worked, or not at all. Errors are those of Validate and
// of reading and writing; they name the file, and one that is cut off or damaged is fault.Corrupt.
func ValidateParquet(ctx context.Context, s *Schema, from table.Folder, file string, o *ParquetOptions) (*ParquetResult, error) {
	if o == nil {
		o = &ParquetOptions{}
	}
	p, err := openRun(ctx, s, from, file)
	if err != nil {
		return nil, err
	}
	defer p.file.Close()
	p.dir = o.TempDir
	return p.toFiles(ctx, o)
}

// SplitParquet is Split of a file whose rows fit into memory: the input is held a row group at a time, so it takes half the
// memory of reading and splitting, and less time.
func SplitParquet(ctx context.Context, s *Schema, from table.Folder, file string) (good, bad *table.Table, r *ParquetResult, err error) {
	p, err := openRun(ctx, s, from, file)
	if err != nil {
		return nil, nil, nil, err
	}
	defer p.file.Close()
	p.inMemory = true
	goods, bads := make([]arrow.Table, p.file.Groups()), make([]arrow.Table, p.file.Groups())
	err = p.run(ctx, func(_ context.Context, g int, b *binding, invalid *marks) (err error) {
		goods[g], bads[g], err = b.apart(invalid, true, true)
		return err
	})
	if err != nil {
		return nil, nil, nil, err
	}
	return joined(p.frame.handedOn(s.options.ExtraColumns).Schema(), goods), joined(p.file.Schema(), bads), p.result(), nil
}

// joined makes one table of tables that follow each other.
func joined(columns *arrow.Schema, parts []arrow.Table) *table.Table {
	out := make([]arrow.Column, columns.NumFields())
	rows := int64(0)
	for _, t := range parts {
		rows += t.NumRows()
	}
	for i, f := range columns.Fields() {
		var chunks []arrow.Array
		for _, t := range parts {
			chunks = append(chunks, t.Column(i).Data().Chunks()...)
		}
		out[i] = *arrow.NewColumn(f, arrow.NewChunked(f.Type, chunks))
	}
	return table.FromArrow(array.NewTable(columns, out, rows))
}

func openRun(ctx context.Context, s *Schema, from table.Folder, file string) (*parquetRun, error) {
	if err := s.usable(); err != nil {
		return nil, err
	}
	f, err := table.OpenParquet(ctx, from, file)
	if err != nil {
		return nil, err
	}
	p := &parquetRun{schema: s, from: from, name: file, file: f}
	for g := range f.Groups() {
		p.starts = append(p.starts, p.rows)
		p.rows += f.GroupRows(g)
		p.largest = max(p.largest, f.GroupBytes(g))
	}
	return p, nil
}

// parquetRun is one call of ValidateParquet or SplitParquet.
type parquetRun struct {
	schema   *Schema
	from     table.Folder
	name     string // of the file, in from
	file     *table.ParquetFile
	dir      string // of what is put aside
	inMemory bool   // nothing is put aside
	rows     int
	starts   []int // the row that each group begins with
	largest  int64

	frame  *binding       // of no rows: what is wrong with the columns, and which rules there are
	copies []*marks       // by rule, of the whole file; nil where a rule is not about uniqueness
	early  []*table.Table // by group, where rows stay in memory: the columns that uniqueness was about

	mu      sync.Mutex
	counts  []int // by rule
	kept    [][]Failure
	invalid *marks
}

// run evaluates the rules and hands each row group, with its invalid rows, to use, which may be nil.
func (p *parquetRun) run(ctx context.Context, use func(ctx context.Context, g int, b *binding, invalid *marks) error) (err error) {
	empty := array.NewTableFromRecords(p.file.Schema(), nil)
	if p.frame, err = bindPart(p.schema, table.FromArrow(empty), 0, p.rows); err != nil {
		return err
	}
	p.invalid, p.copies = newMarks(p.rows), make([]*marks, len(p.frame.rules))
	p.counts, p.kept = make([]int, len(p.frame.rules)), make([][]Failure, len(p.frame.rules))
	if p.inMemory {
		if err := p.readEarly(ctx); err != nil {
			return err
		}
	}
	for i, r := range p.frame.rules {
		if r.unique != 0 {
			if p.copies[i], err = p.unique(ctx, r); err != nil {
				return err
			}
		}
	}
	return p.eachGroup(ctx, nil, func(ctx context.Context, g int, b *binding) error {
		invalid, err := p.look(b)
		if err == nil && use != nil {
			err = use(ctx, g, b, invalid)
		}
		return err
	})
}

// unique finds the rows that break a rule of uniqueness, from the columns that it is about.
func (p *parquetRun) unique(ctx context.Context, r *rule) (*marks, error) {
	if p.inMemory {
		return p.uniqueInMemory(r)
	}
	s, err := newSpill(p.dir, p.rows, keysOf(p.frame.columnsOf(r)))
	if err != nil {
		return nil, err
	}
	defer s.close()
	err = p.eachGroup(ctx, r.names, func(_ context.Context, _ int, b *binding) error { return s.add(b.columnsOf(r), b.base, b.rows) })
	if err != nil {
		return nil, err
	}
	return s.copies(r.unique, p.rows)
}

// workers is how many row groups are in memory at once.
func (p *parquetRun) workers() int {
	return max(1, min(runtime.GOMAXPROCS(0), p.file.Groups(), int(groupBytes/max(1, p.largest))))
}

// eachGroup reads every row group, of some columns or all, several at once, and stops at the first error.
func (p *parquetRun) eachGroup(ctx context.Context, columns []string, use func(ctx context.Context, group int, b *binding) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	errs := make([]error, p.file.Groups())
	var next atomic.Int64
	var workers sync.WaitGroup
	for range p.workers() {
		workers.Go(func() {
			for g := int(next.Add(1)) - 1; g < len(errs) && ctx.Err() == nil; g = int(next.Add(1)) - 1 {
				if errs[g] = p.group(ctx, g, columns, use); errs[g] != nil {
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

func (p *parquetRun) group(ctx context.Context, g int, columns []string, use func(context.Context, int, *binding) error) error {
	t, err := p.read(ctx, g, columns)
	if err != nil {
		return err
	}
	b, err := bindPart(p.schema, t, p.starts[g], p.rows)
	if err != nil {
		return err
	}
	return use(ctx, g, b)
}

// evaluate evaluates the rules on a row group.
func (p *parquetRun) evaluate(b *binding) (*evaluator, error) {
	e := newEvaluator(b)
	block := e.newBlock()
	for k := range e.blocks() {
		if err := e.block(block, k); err != nil {
			return nil, err
		}
	}
	for i, m := range e.failed {
		if all := p.copies[i]; all != nil {
			all.slice(b.base, b.rows, m)
		}
	}
	return e, nil
}

// look evaluates the rules on a row group and returns its invalid rows.
func (p *parquetRun) look(b *binding) (*marks, error) {
	e, err := p.evaluate(b)
	if err != nil {
		return nil, err
	}
	invalid := e.allInvalid()
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, m := range e.failed {
		p.counts[i] += m.count()
		p.keep(b, i, m)
	}
	for row := range invalid.all() {
		p.invalid.add(b.base + row)
	}
	return invalid, nil
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

func (p *parquetRun) result() *ParquetResult {
	r := &ParquetResult{Schema: p.schema.name, Rows: p.rows, run: p, invalid: p.invalid, InvalidRowCount: p.invalid.count()}
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
