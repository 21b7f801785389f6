package schema

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"waggle/shared/asset"
	"waggle/shared/table"
)

// FromStruct declares a schema whose columns are the fields of R, as they are in a table of []R, with the
// rules of their tags. A field that is a pointer may be null unless its tag says not_null. parts adds table rules, Options
// and further columns.
//
// The tag `schema` holds rules as failures name them, separated by semicolons:
//
//	SaleID int64   `schema:"unique(all_but_first)"`
//	Price  *int64  `schema:"not_null; greater_than(0); at_most(1000000000)"`
//	Tier   string  `schema:"one_of(budget, mid, premium); warn"`
//	Name   *string `schema:"matches(^[A-Z]); length(1, 200)"`
//
// The rules are not_null, unique, unique(all|all_but_first|all_but_last), greater_than(v), at_least(v), less_than(v), at_most(v),
// one_of(v, ...), length(min, max), not_empty, matches(pattern), utf8 and finite; warn makes the rule before it a
// warning. A pattern with a semicolon writes it as \x3b. Times are written as 2006-01-02 or in RFC 3339. The tag
// `description` describes the column.
func FromStruct[R any](name string, parts ...Part) *Schema {
	columns, mistakes := fieldsOf(reflect.TypeFor[R]())
	s := define(name, asset.Origin(2), append(columns, parts...))
	s.mistakes = append(mistakes, s.mistakes...)
	return s
}

func fieldsOf(t reflect.Type) (parts []Part, mistakes []error) {
	if err := table.CheckRow(t); err != nil {
		return nil, []error{err}
	}
	var walk func(reflect.Type)
	walk = func(t reflect.Type) {
		for f := range t.Fields() {
			column, named := f.Tag.Lookup("column")
			switch {
			case column == "-" || f.Name == "_":
				continue
			case f.Anonymous && !named && f.Type.Kind() == reflect.Struct && f.Type != reflect.TypeFor[time.Time]():
				walk(f.Type)
				continue
			case !named:
				column = table.ColumnName(f.Name)
			}
			part, err := fieldColumn(column, f)
			if err != nil {
				mistakes = append(mistakes, fmt.Errorf("column %q: %w", column, err))
				continue
			}
			parts = append(parts, part)
		}
	}
	walk(t)
	return parts, mistakes
}

func fieldColumn(name string, f reflect.StructField) (Part, error) {
	t := f.Type
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t == reflect.TypeFor[time.Time]() {
		return tagged(Timestamp(name), f, parseTime)
	}
	integer := func(s string) (int64, error) { return strconv.ParseInt(s, 10, 64) }
	natural := func(s string) (uint64, error) { return strconv.ParseUint(s, 10, 64) }
	switch t.Kind() {
	case reflect.Int, reflect.Int64:
		return tagged(Int64(name), f, integer)
	case reflect.Int32:
		return tagged(Int32(name), f, narrow[int64, int32](integer))
	case reflect.Int16:
		return tagged(Int16(name), f, narrow[int64, int16](integer))
	case reflect.Int8:
		return tagged(Int8(name), f, narrow[int64, int8](integer))
	case reflect.Uint, reflect.Uint64:
		return tagged(Uint64(name), f, natural)
	case reflect.Uint32:
		return tagged(Uint32(name), f, narrow[uint64, uint32](natural))
	case reflect.Uint16:
		return tagged(Uint16(name), f, narrow[uint64, uint16](natural))
	case reflect.Uint8:
		return tagged(Uint8(name), f, narrow[uint64, uint8](natural))
	case reflect.Float64:
		return tagged(Float64(name), f, func(s string) (float64, error) { return strconv.ParseFloat(s, 64) })
	case reflect.Float32:
		return tagged(Float32(name), f, func(s string) (float32, error) {
			v, err := strconv.ParseFloat(s, 32)
			return float32(v), err
		})
	case reflect.String:
		return tagged(Text(name), f, func(s string) (string, error) { return s, nil })
	case reflect.Bool:
		return tagged(Bool(name), f, strconv.ParseBool)
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return tagged(Bytes(name), f, func(s string) ([]byte, error) { return []byte(s), nil })
		}
	}
	return tagged(Any(name), f, func(string) (any, error) { return nil, fmt.Errorf("a %s has no bounds", t) })
}

// narrow parses an integer of fewer bits.
func narrow[W int64 | uint64, N int8 | int16 | int32 | uint8 | uint16 | uint32](parse func(string) (W, error)) func(string) (N, error) {
	return func(s string) (N, error) {
		w, err := parse(s)
		if err == nil && W(N(w)) != w {
			err = fmt.Errorf("%s does not fit the field", s)
		}
		return N(w), err
	}
}

func parseTime(s string) (time.Time, error) {
	if t, err := time.Parse(time.DateOnly, s); err == nil {
		return t, nil
	}
	return time.Parse(time.RFC3339Nano, s)
}

// tagged adds the rules of a field's tag to its column.
func tagged[T any](c *Column[T], f reflect.StructField, parse func(string) (T, error)) (Part, error) {
	if f.Type.Kind() == reflect.Pointer || f.Type.Kind() == reflect.Slice {
		c.Null()
	}
	c.Description(f.Tag.Get("description"))
	for item := range strings.SplitSeq(f.Tag.Get("schema"), ";") {
		item = strings.TrimSpace(item)
		if item == "" {
			continue
		}
		word, arg, hasArg := strings.Cut(item, "(")
		if hasArg {
			var closed bool
			if arg, closed = strings.CutSuffix(arg, ")"); !closed {
				return nil, fmt.Errorf("tag rule %q does not end with a bracket", item)
			}
		}
		if err := addRule(c, word, arg, hasArg, parse); err != nil {
			return nil, fmt.Errorf("tag rule %q: %w", item, err)
		}
	}
	return c, nil
}

func addRule[T any](c *Column[T], word, arg string, hasArg bool, parse func(string) (T, error)) error {
	plain := map[string]func(){
		notNull: func() { c.def.null = false }, "unique": func() { c.Unique() }, "not_empty": func() { c.NotEmpty() },
		"utf8": func() { c.UTF8() }, "finite": func() { c.Finite() }, "warn": func() { c.Warn() },
	}
	bounds := map[string]func(T) *Column[T]{"greater_than": c.GreaterThan, "at_least": c.AtLeast, "less_than": c.LessThan, "at_most": c.AtMost}
	if add, ok := plain[word]; ok && !hasArg {
		add()
		return nil
	}
	if add, ok := bounds[word]; ok && hasArg {
		v, err := parse(strings.TrimSpace(arg))
		if err == nil {
			add(v)
		}
		return err
	}
	switch {
	case word == "unique":
		for _, copies := range []Copies{All, AllButFirst, AllButLast} {
			if copies.String() == arg {
				c.Unique(copies)
				return nil
			}
		}
		return fmt.Errorf("it takes all, all_but_first or all_but_last")
	case word == "one_of" && hasArg:
		var values []T
		for text := range strings.SplitSeq(arg, ",") {
			v, err := parse(strings.TrimSpace(text))
			if err != nil {
				return err
			}
			values = append(values, v)
		}
		c.OneOf(values...)
	case word == "length" && hasArg:
		low, high, _ := strings.Cut(arg, ",")
		from, err1 := strconv.Atoi(strings.TrimSpace(low))
		to, err2 := strconv.Atoi(strings.TrimSpace(high))
		if err1 != nil || err2 != nil {
			return fmt.Errorf("it takes two numbers, the least and the most")
		}
		c.Length(from, to)
	case word == "matches" && hasArg:
		c.Matches(arg)
	default:
		return fmt.Errorf("there is no such rule; the rules are listed at schema.FromStruct")
	}
	return nil
}
