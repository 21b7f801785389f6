package metadata

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
)

// String is the value on one line for people: 1,234 and not 1234, line breaks as
// spaces, a table or picture by its size.
func (v Value) String() string {
	if v.Blob != "" {
		return fmt.Sprintf("%s of %s in %s", v.Type, humanize.Bytes(uint64(v.Size)), v.Blob)
	}
	switch v.Type {
	case TypeNull, "":
		return "null"
	case TypeInt, TypeFloat:
		return number(string(v.Value))
	case TypeTimestamp:
		var s string
		if v.Decode(&s) == nil {
			if t, err := time.Parse(time.RFC3339Nano, s); err == nil {
				return t.UTC().Format("2006-01-02 15:04:05 UTC")
			}
		}
		return string(v.Value)
	case TypeTable:
		var rows []json.RawMessage
		if v.Decode(&rows) == nil {
			return fmt.Sprintf("table of %s", count(len(rows), "row"))
		}
	case TypeTableSchema:
		return v.schemaText()
	case TypeImage:
		var p Picture
		if v.Decode(&p) == nil {
			return fmt.Sprintf("PNG of %s: %s", humanize.Bytes(uint64(len(p.PNG))), p.Alt)
		}
	case TypeText, TypeMarkdown, TypeURL, TypePath, TypeRun, TypeAsset, TypeJob:
		var s string
		if v.Decode(&s) == nil {
			return strings.Join(strings.Fields(s), " ")
		}
	}
	return string(v.Value)
}

func (v Value) schemaText() string {
	var s struct{ Columns []Column }
	if v.Decode(&s) != nil {
		return string(v.Value)
	}
	parts := make([]string, len(s.Columns))
	for i, c := range s.Columns {
		parts[i] = c.Name + " " + c.Type
		if c.Nullable {
			parts[i] += " null"
		}
	}
	return strings.Join(parts, ", ")
}

// number groups the digits before the point: 1,234.5. Numbers with an exponent stay as they are.
func number(s string) string {
	if strings.ContainsAny(s, "eE") {
		return s
	}
	sign := ""
	if strings.HasPrefix(s, "-") {
		sign, s = "-", s[1:]
	}
	whole, fraction, _ := strings.Cut(s, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if fraction != "" {
		fraction = "." + fraction
	}
	return sign + whole + fraction
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return number(fmt.Sprint(n)) + " " + noun + "s"
}
