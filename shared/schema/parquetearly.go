package schema

import (
	"context"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"waggle/shared/table"
)

// readEarly reads the columns that uniqueness is about, of all row groups, for rows that stay in memory anyway.
func (p *parquetRun) readEarly(ctx context.Context) error {
	var names []string
	for _, r := range p.frame.rules {
		if r.unique != 0 {
			names = append(names, r.names...)
		}
	}
	if len(names) == 0 {
		return nil
	}
	early := make([]*table.Table, p.file.Groups())
	err := p.eachGroup(ctx, names, func(_ context.Context, g int, b *binding) error {
		early[g] = b.table
		return nil
	})
	p.early = early
	return err
}

// uniqueInMemory finds the rows that break a rule of uniqueness in the columns that were read early.
func (p *parquetRun) uniqueInMemory(r *rule) (*marks, error) {
	whole := make([]*chunked, len(r.at))
	for i, c := range p.frame.columnsOf(r) {
		whole[i] = &chunked{kind: c.kind}
	}
	for g, t := range p.early {
		b, err := bindPart(p.schema, t, p.starts[g], p.rows)
		if err != nil {
			return nil, err
		}
		for i, c := range b.columnsOf(r) {
			for k, a := range c.chunks {
				whole[i].chunks = append(whole[i].chunks, a)
				whole[i].starts = append(whole[i].starts, p.starts[g]+c.starts[k])
			}
		}
	}
	return findCopies(whole, p.rows, r.unique, passRows), nil
}

// read reads a row group: some columns, or all of them, of which some may be there already. Those are forgotten here.
func (p *parquetRun) read(ctx context.Context, g int, columns []string) (*table.Table, error) {
	if columns != nil || p.early == nil {
		return p.file.Read(ctx, g, columns...)
	}
	early, fields := p.early[g].Arrow(), p.file.Schema().Fields()
	p.early[g] = nil
	var late []string
	for _, f := range fields {
		if len(early.Schema().FieldIndices(f.Name)) == 0 {
			late = append(late, f.Name)
		}
	}
	if len(late) == 0 {
		return table.FromArrow(early), nil
	}
	rest, err := p.file.Read(ctx, g, late...)
	if err != nil {
		return nil, err
	}
	all := make([]arrow.Column, len(fields))
	for i, f := range fields {
		from := early
		if slices.Contains(late, f.Name) {
			from = rest.Arrow()
		}
		all[i] = *from.Column(from.Schema().FieldIndices(f.Name)[0])
	}
	meta := rest.Arrow().Schema().Metadata()
	return table.FromArrow(array.NewTable(arrow.NewSchema(fields, &meta), all, rest.Arrow().NumRows())), nil
}
