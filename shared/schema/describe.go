package schema

import (
	"encoding/json"
	"fmt"
	"strings"
)

// described is a schema as JSON.
type described struct {
	Name         string            `json:"name"`
	Description  string            `json:"description,omitempty"`
	ExtraColumns string            `json:"extra_columns"`
	Coerce       bool              `json:"coerce"`
	Columns      []describedColumn `json:"columns"`
	Rules        []describedRule   `json:"rules"` // of the table
}

type describedColumn struct {
	Name        string          `json:"name"`
	Type        string          `json:"type"`
	Nullable    bool            `json:"nullable"`
	Optional    bool            `json:"optional"`
	Description string          `json:"description,omitempty"`
	Rules       []describedRule `json:"rules"`
}

type describedRule struct {
	Check    string   `json:"check"`
	Columns  []string `json:"columns,omitempty"`
	Copies   string   `json:"copies,omitempty"` // of rules about uniqueness: which fail
	Severity Severity `json:"severity"`
	Because  string   `json:"because,omitempty"`
}

func (r *rule) describe() describedRule {
	d := describedRule{Check: r.check, Severity: r.severity, Because: r.because}
	if r.ofTable {
		d.Columns = r.names
	}
	if r.unique != 0 {
		d.Copies = r.unique.String()
	}
	return d
}

func (s *Schema) describe() described {
	d := described{Name: s.name, Description: s.options.Description, ExtraColumns: s.options.ExtraColumns.String(), Coerce: s.options.Coerce,
		Columns: []describedColumn{}, Rules: []describedRule{}}
	for _, c := range s.columns {
		column := describedColumn{c.name, c.kind.word, c.null, c.optional, c.description, []describedRule{}}
		for _, r := range c.rules {
			column.Rules = append(column.Rules, r.describe())
		}
		d.Columns = append(d.Columns, column)
	}
	for _, r := range s.rules {
		if r.ofTable {
			d.Rules = append(d.Rules, r.describe())
		}
	}
	return d
}

// MarshalJSON writes {name, description, extra_columns, coerce, columns, rules}.
func (s *Schema) MarshalJSON() ([]byte, error) { return json.Marshal(s.describe()) }

// Markdown describes the schema: its columns as a table with their rules, then the table's rules.
func (s *Schema) Markdown() string {
	d := s.describe()
	var out strings.Builder
	fmt.Fprintf(&out, "### %s\n\n", d.Name)
	if d.Description != "" {
		fmt.Fprintf(&out, "%s\n\n", d.Description)
	}
	out.WriteString("| column | type | rules | description |\n| --- | --- | --- | --- |\n")
	for _, c := range d.Columns {
		rules := make([]string, 0, len(c.Rules)+1)
		if c.Optional {
			rules = append(rules, "may be missing")
		}
		for _, r := range c.Rules {
			rules = append(rules, r.markdown())
		}
		fmt.Fprintf(&out, "| %s | %s | %s | %s |\n", cell(c.Name), c.Type, cell(strings.Join(rules, ", ")), cell(c.Description))
	}
	out.WriteByte('\n')
	for _, r := range d.Rules {
		of := ""
		if len(r.Columns) > 0 {
			of = " of " + strings.Join(r.Columns, ", ")
		}
		fmt.Fprintf(&out, "- %s%s\n", r.markdown(), of)
	}
	fmt.Fprintf(&out, "- other columns: %s\n", d.ExtraColumns)
	if d.Coerce {
		out.WriteString("- other types: converted\n")
	}
	return out.String()
}

func (r describedRule) markdown() string {
	text := "`" + strings.ReplaceAll(r.Check, "`", "'") + "`"
	if r.Copies != "" {
		text += " (" + strings.ReplaceAll(r.Copies, "_", " ") + " fail)"
	}
	if r.Severity == Warn {
		text += " (warning)"
	}
	if r.Because != "" {
		text += ": " + r.Because
	}
	return text
}

var cellEscapes = strings.NewReplacer(`|`, `\|`, "\r\n", " ", "\n", " ", "\r", " ")

func cell(s string) string { return cellEscapes.Replace(s) }
