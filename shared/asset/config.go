package asset

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"

	"waggle/shared/fault"
	"waggle/shared/table"
)

// Config is a configuration: a struct whose fields a run can set by name. As an
// Input[T] it hands the struct to assets and checks.
type Config[T any] struct{ def *ConfigDefinition }

// ConfigDefinition is a configuration as declared, its type erased.
type ConfigDefinition struct {
	Type     reflect.Type
	Fields   []ConfigField
	Origin   string
	defaults reflect.Value
	mistakes []error
}

// ConfigField is one setting.
type ConfigField struct {
	Name    string // the field in snake case, or its `config` tag
	Help    string // its `help` tag
	Type    reflect.Type
	Default any
	index   int
}

// NewConfig declares a configuration with its defaults. T is a struct of exported fields: strings,
// booleans, integers, floats, time.Duration and []string.
func NewConfig[T any](defaults T) *Config[T] {
	def := &ConfigDefinition{Type: reflect.TypeFor[T](), Origin: Origin(2), defaults: reflect.ValueOf(defaults)}
	def.read()
	return &Config[T]{def: def}
}

// Source makes a configuration an Input.
func (c *Config[T]) Source() Source {
	if c == nil {
		return Source{}
	}
	return Source{Config: c.def}
}

func (c *Config[T]) yields(T) {}

// Mistakes lists what is wrong with the declaration.
func (d *ConfigDefinition) Mistakes() []error { return d.mistakes }

func (d *ConfigDefinition) read() {
	if d.Type.Kind() != reflect.Struct {
		d.mistakes = append(d.mistakes, fmt.Errorf("a configuration is a struct, not a %s", d.Type))
		return
	}
	for i := range d.Type.NumField() {
		f := d.Type.Field(i)
		if !f.IsExported() {
			d.mistakes = append(d.mistakes, fmt.Errorf("field %s is unexported, so no run could set it; export it", f.Name))
			continue
		}
		name := f.Tag.Get("config")
		if name == "" {
			name = table.ColumnName(f.Name)
		}
		field := ConfigField{Name: name, Help: f.Tag.Get("help"), Type: f.Type, Default: d.defaults.Field(i).Interface(), index: i}
		if _, err := field.Parse(field.Default); err != nil {
			d.mistakes = append(d.mistakes, fmt.Errorf("field %s has the type %s; a setting is a string, bool, integer, float, time.Duration or []string", f.Name, f.Type))
			continue
		}
		d.Fields = append(d.Fields, field)
	}
}

// Build returns the struct with some fields set by name; names of other configurations are passed over.
func (d *ConfigDefinition) Build(values map[string]any) (any, error) {
	v := reflect.New(d.Type).Elem()
	v.Set(d.defaults)
	for _, f := range d.Fields {
		given, ok := values[f.Name]
		if !ok {
			continue
		}
		parsed, err := f.Parse(given)
		if err != nil {
			return nil, err
		}
		v.Field(f.index).Set(reflect.ValueOf(parsed).Convert(f.Type))
	}
	return v.Interface(), nil
}

// Values returns the settings in a configuration, a value of d.Type, by name and in the types of their fields.
func (d *ConfigDefinition) Values(config any) map[string]any {
	v := reflect.ValueOf(config)
	values := make(map[string]any, len(d.Fields))
	for _, f := range d.Fields {
		values[f.Name] = v.Field(f.index).Interface()
	}
	return values
}

var durationType = reflect.TypeFor[time.Duration]()

// Parse turns what a run was given, a text from the command line or a Go or JSON value, into
// the field's type. What does not fit is fault.Invalid.
func (f ConfigField) Parse(given any) (any, error) {
	v := reflect.ValueOf(given)
	if v.IsValid() && v.Type() == f.Type && scalar(f.Type) {
		return given, nil
	}
	switch f.Type.Kind() {
	case reflect.String:
		if s, ok := given.(string); ok {
			return s, nil
		}
	case reflect.Bool:
		if s, ok := given.(string); ok {
			if b, err := strconv.ParseBool(s); err == nil {
				return b, nil
			}
		}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		if f.Type == durationType {
			if s, ok := given.(string); ok {
				if d, err := time.ParseDuration(s); err == nil {
					return d, nil
				}
				break
			}
		}
		if n, ok := wholeNumber(given); ok && !reflect.Zero(f.Type).OverflowInt(n) {
			return n, nil
		}
	case reflect.Float32, reflect.Float64:
		if x, err := strconv.ParseFloat(fmt.Sprint(given), 64); err == nil && !math.IsNaN(x) && !math.IsInf(x, 0) {
			return x, nil
		}
	case reflect.Slice:
		if f.Type.Elem().Kind() == reflect.String {
			return textList(given)
		}
	}
	return nil, fault.New(fault.Invalid, "config %s=%v is no %s", f.Name, given, f.TypeWord()).WithHint("%s", f.example())
}

// TypeWord is the field's type in a word for people.
func (f ConfigField) TypeWord() string {
	switch {
	case f.Type == durationType:
		return "duration"
	case f.Type.Kind() == reflect.Slice:
		return "list"
	case f.Type.Kind() == reflect.Float32 || f.Type.Kind() == reflect.Float64:
		return "number"
	case f.Type.Kind() >= reflect.Int && f.Type.Kind() <= reflect.Int64:
		return "whole number"
	case f.Type.Kind() == reflect.Bool:
		return "bool"
	default:
		return "text"
	}
}

func (f ConfigField) example() string {
	switch f.TypeWord() {
	case "duration":
		return "write it as 90s or 5m"
	case "list":
		return "write it as a,b,c"
	case "number":
		return "write it as 0.5"
	case "whole number":
		return "write it as 30000000"
	case "bool":
		return "write true or false"
	default:
		return "write a text"
	}
}

func scalar(t reflect.Type) bool {
	switch k := t.Kind(); {
	case k == reflect.String, k == reflect.Bool, k >= reflect.Int && k <= reflect.Int64, k == reflect.Float32, k == reflect.Float64:
		return true
	default:
		return k == reflect.Slice && t.Elem().Kind() == reflect.String
	}
}

func wholeNumber(given any) (int64, bool) {
	switch n := given.(type) {
	case float64: // a JSON number
		return int64(n), n == math.Trunc(n) && math.Abs(n) < 1<<53
	case json.Number:
		i, err := n.Int64()
		return i, err == nil
	case string:
		i, err := strconv.ParseInt(strings.TrimSpace(n), 10, 64)
		return i, err == nil
	}
	v := reflect.ValueOf(given)
	if v.IsValid() && v.CanInt() {
		return v.Int(), true
	}
	return 0, false
}

func textList(given any) (any, error) {
	switch list := given.(type) {
	case string:
		if list == "" {
			return []string{}, nil
		}
		return strings.Split(list, ","), nil
	case []any: // from JSON
		texts := make([]string, len(list))
		for i, x := range list {
			texts[i] = fmt.Sprint(x)
		}
		return texts, nil
	default:
		return nil, fault.New(fault.Invalid, "%v is no list", given)
	}
}
