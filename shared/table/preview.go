package table

import (
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"waggle/shared/metadata"
)

// previewCut is how many characters of a value a preview shows.
const previewCut = 60

// Preview is what people want to know of a slice of structs or a *Table, as metadata: record_count,
// columns, schema, and under preview the first n rows as a Markdown table. In that null is empty,
// lists and structs are JSON, `|` and line breaks are escaped, and a value is cut at 60 characters.
//
//	ctx.AddMetadata(table.Preview(rows, 5))
func Preview(rows any, n int) metadata.Map { return PreviewAs("preview", rows, n) }

// PreviewAs is Preview with another label for the Markdown table.
func PreviewAs(label string, rows any, n int) metadata.Map {
	f, err := frameOf(rows)
	if err != nil {
		return metadata.Map{label: metadata.Invalid(err)}
	}
	var shown metadata.Value
	if text, err := f.head(n).markdown(); err != nil {
		shown = metadata.Invalid(err)
	} else {
		shown = metadata.Markdown(text)
	}
	return metadata.Map{
		"record_count": f.rows,
		"columns":      metadata.JSON(fieldNames(f.schema)),
		"schema":       metadata.TableSchema(f.columns()),
		label:          shown,
	}
}

// columns describes the columns as people know them: a time.Time is never null, though its zero is
// stored so.
func (f frame) columns() []metadata.Column {
	columns := make([]metadata.Column, f.schema.NumFields())
	for i, field := range f.schema.Fields() {
		columns[i] = metadata.Column{Name: field.Name, Type: TypeWord(field.Type), Nullable: field.Nullable}
		if f.plan != nil {
			columns[i].Nullable = f.plan.columns[i].mayBeNull()
		}
	}
	return columns
}

// markdown draws the rows; columns of numbers are aligned to the right.
func (f frame) markdown() (string, error) {
	var out strings.Builder
	for _, field := range f.schema.Fields() {
		out.WriteString("| " + escapeMarkdown(field.Name) + " ")
	}
	out.WriteString("|\n")
	for _, field := range f.schema.Fields() {
		if arrow.IsInteger(field.Type.ID()) || arrow.IsFloating(field.Type.ID()) {
			out.WriteString("| ---: ")
		} else {
			out.WriteString("| --- ")
		}
	}
	out.WriteString("|\n")
	var value []byte
	for batch, err := range f.batches() {
		if err != nil {
			return "", err
		}
		for i := range int(batch.NumRows()) {
			for _, column := range batch.Columns() {
				value = appendShown(value[:0], column, i)
				out.WriteString("| " + escapeMarkdown(cut(string(value), previewCut)))
				if len(value) > 0 {
					out.WriteByte(' ')
				}
			}
			out.WriteString("|\n")
		}
	}
	return out.String(), nil
}

var markdownEscapes = strings.NewReplacer(`\`, `\\`, `|`, `\|`, "\r\n", `\n`, "\n", `\n`, "\r", `\r`)

func escapeMarkdown(s string) string { return markdownEscapes.Replace(s) }
