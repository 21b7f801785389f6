package schema

import (
	"context"
	"iter"
	"slices"

	"waggle/shared/fault"
)

// Errors yields every failure of severity Error in the order of Result.Errors: first those of no row, then by row. It reads the file again, a row group at a time, and
// looks only at groups with invalid rows; a group is what it holds. An error ends it: one of reading, or fault.Conflict where the file is
// not the one that was validated.
func (r *ParquetResult) Errors(ctx context.Context) iter.Seq2[Failure, error] {
	return r.failures(ctx, Error, r.ErrorCount)
}

// Warnings yields every failure of severity Warn, in the order and with the errors of Errors. Where there are any it reads all row groups.
func (r *ParquetResult) Warnings(ctx context.Context) iter.Seq2[Failure, error] {
	return r.failures(ctx, Warn, r.WarningCount)
}

// failures yields the failures of a severity, left of them.
func (r *ParquetResult) failures(ctx context.Context, of Severity, left int) iter.Seq2[Failure, error] {
	return func(yield func(Failure, error) bool) {
		left := left
		each := func(f Failure) bool {
			left--
			return yield(f, nil)
		}
		for _, f := range r.run.frame.broken {
			if f.Severity == of && !each(f) {
				return
			}
		}
		if left == 0 {
			return
		}
		again, err := r.run.reopen(ctx)
		if err != nil {
			yield(Failure{}, err)
			return
		}
		defer again.file.Close()
		for g := range again.starts {
			if left == 0 {
				return
			}
			if of == Error && !r.invalid.anyIn(again.starts[g], again.file.GroupRows(g)) {
				continue
			}
			part, err := again.judged(ctx, g)
			if err != nil {
				yield(Failure{}, err)
				return
			}
			for k := range part.invalid.blocks {
				if !part.ofBlock(k, of, each) {
					return
				}
			}
		}
		if left != 0 {
			yield(Failure{}, again.changed())
		}
	}
}

// reopen opens the file once more, with what is known of it.
func (p *parquetRun) reopen(ctx context.Context) (*parquetRun, error) {
	again, err := openRun(ctx, p.schema, p.from, p.name)
	if err != nil {
		return nil, err
	}
	again.copies = p.copies
	if !slices.Equal(again.starts, p.starts) || again.rows != p.rows || !again.file.Schema().Equal(p.frame.table.Arrow().Schema()) {
		again.file.Close()
		return nil, again.changed()
	}
	return again, nil
}

func (p *parquetRun) changed() error {
	return fault.New(fault.Conflict, "%s is not the file that was validated", p.file.Path()).WithHint("validate it again")
}

// judged is what is wrong in a row group.
func (p *parquetRun) judged(ctx context.Context, g int) (*Result, error) {
	var part *Result
	err := p.group(ctx, g, nil, func(_ context.Context, _ int, b *binding) error {
		e, err := p.evaluate(b)
		if err == nil {
			part = &Result{Rows: b.rows, binding: b, failed: e.failed, invalid: newMarks(b.rows)}
		}
		return err
	})
	return part, err
}

// anyIn reports whether one of n rows is in the set.
func (m *marks) anyIn(from, n int) bool {
	for row := from; row < from+n; {
		if m.blocks[row/blockRows] == nil {
			row = (row/blockRows + 1) * blockRows
			continue
		}
		if m.has(row) {
			return true
		}
		row++
	}
	return false
}
