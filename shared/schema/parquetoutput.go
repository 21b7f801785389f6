package schema

import (
	"context"
	"sync"

	"github.com/apache/arrow-go/v18/arrow/array"

	"waggle/shared/table"
)

// toFiles writes the rows to the outputs that are wanted.
func (p *parquetRun) toFiles(ctx context.Context, o *ParquetOptions) (r *ParquetResult, err error) {
	if !o.Valid.wanted() && !o.Invalid.wanted() {
		if err := p.run(ctx, nil); err != nil {
			return nil, err
		}
		return p.result(), nil
	}
	out := &outputs{run: p}
	out.turn = sync.NewCond(&out.mu)
	defer out.discard()
	if o.Valid.wanted() {
		columns, err := bindPart(p.schema, table.FromArrow(array.NewTableFromRecords(p.file.Schema(), nil)), 0, p.rows)
		if err != nil {
			return nil, err
		}
		if out.valid, err = table.CreateParquet(ctx, o.Valid.Folder, o.Valid.File, columns.handedOn(p.schema.options.ExtraColumns).Schema()); err != nil {
			return nil, err
		}
	}
	if o.Invalid.wanted() {
		if out.invalid, err = table.CreateParquet(ctx, o.Invalid.Folder, o.Invalid.File, p.file.Schema()); err != nil {
			return nil, err
		}
	}
	if err := p.run(ctx, out.group); err != nil {
		return nil, err
	}
	r = p.result()
	if out.valid != nil {
		if r.ValidPath, err = out.valid.Commit(); err != nil {
			return nil, err
		}
	}
	if out.invalid != nil {
		if r.InvalidPath, err = out.invalid.Commit(); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// outputs writes row groups in their order; the next ones are read and split meanwhile.
type outputs struct {
	run            *parquetRun
	valid, invalid *table.ParquetWriter

	mu     sync.Mutex
	turn   *sync.Cond
	next   int
	failed bool
}

func (o *outputs) discard() {
	for _, w := range []*table.ParquetWriter{o.valid, o.invalid} {
		if w != nil {
			w.Discard()
		}
	}
}

func (o *outputs) group(ctx context.Context, g int, b *binding, invalid *marks) (err error) {
	defer context.AfterFunc(ctx, func() { // wakes those that wait for a group that failed
		o.mu.Lock()
		defer o.mu.Unlock()
		o.turn.Broadcast()
	})()
	good, bad, err := b.apart(invalid, o.valid != nil, o.invalid != nil)
	o.mu.Lock()
	defer o.mu.Unlock()
	defer o.turn.Broadcast()
	for o.next != g && !o.failed && err == nil && ctx.Err() == nil {
		o.turn.Wait()
	}
	if err == nil && ctx.Err() == nil && !o.failed && good != nil {
		err = o.valid.Write(table.FromArrow(good))
	}
	if err == nil && ctx.Err() == nil && !o.failed && bad != nil {
		err = o.invalid.Write(table.FromArrow(bad))
	}
	o.failed = o.failed || err != nil
	o.next++
	return err
}
