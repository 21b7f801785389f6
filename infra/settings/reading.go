package settings

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"waggle/shared/fault"
)

// reading takes fields out of an object, by their kind, and gathers what is wrong.
type reading struct {
	fields   map[string]any
	asked    []string // the names that there are
	bad      []string // those whose kind is wrong: nothing else is said of them
	mistakes []error
}

func (r *reading) mistake(key, format string, args ...any) {
	r.mistakes = append(r.mistakes, fmt.Errorf("cdk.json: waggle.%s "+format, append([]any{key}, args...)...))
}

// whole reports whether a field has the kind that it must have.
func (r *reading) whole(key string) bool { return !slices.Contains(r.bad, key) }

func (r *reading) wrong(key, kind string) {
	r.bad = append(r.bad, key)
	text, err := json.Marshal(r.fields[key])
	if err != nil {
		text = fmt.Append(nil, r.fields[key])
	}
	r.mistake(key, "is %s; it must be %s", text, kind)
}

// take returns a field; ok is false where there is none.
func (r *reading) take(key string) (value any, ok bool) {
	r.asked = append(r.asked, key)
	value, ok = r.fields[key]
	return value, ok
}

func (r *reading) text(key, otherwise string) string {
	value, ok := r.take(key)
	if !ok {
		return otherwise
	}
	text, ok := value.(string)
	if !ok {
		r.wrong(key, "a text")
	}
	return text
}

func (r *reading) flag(key string) bool {
	value, ok := r.take(key)
	set, isFlag := value.(bool)
	if ok && !isFlag {
		r.wrong(key, "true or false")
	}
	return set
}

func (r *reading) number(key string, otherwise int) int {
	value, ok := r.take(key)
	if !ok {
		return otherwise
	}
	n, ok := whole(value)
	if !ok {
		r.wrong(key, "a whole number")
	}
	return n
}

func (r *reading) list(key string) []string {
	value, ok := r.take(key)
	items, isList := value.([]any)
	texts := make([]string, 0, len(items))
	for _, item := range items {
		text, isText := item.(string)
		isList = isList && isText
		texts = append(texts, text)
	}
	if ok && !isList {
		r.wrong(key, "a list of texts")
		return nil
	}
	return texts
}

func (r *reading) texts(key string) map[string]string {
	return object(r, key, "an object of texts", func(v any) (string, bool) { text, ok := v.(string); return text, ok })
}

func (r *reading) numbers(key string) map[string]int {
	return object(r, key, "an object of whole numbers", whole)
}

func object[T any](r *reading, key, kind string, read func(any) (T, bool)) map[string]T {
	value, ok := r.take(key)
	if !ok {
		return nil
	}
	fields, isObject := value.(map[string]any)
	values := make(map[string]T, len(fields))
	for name, field := range fields {
		v, isRight := read(field)
		isObject = isObject && isRight
		values[name] = v
	}
	if !isObject {
		r.wrong(key, kind)
		return nil
	}
	return values
}

// whole reads a number as JSON has it.
func whole(value any) (int, bool) {
	n, ok := value.(float64)
	return int(n), ok && n == math.Trunc(n) && math.Abs(n) < 1e9
}

// unknown reports the fields that nobody asked for.
func (r *reading) unknown() {
	for _, key := range slices.Sorted(maps.Keys(r.fields)) {
		if !slices.Contains(r.asked, key) {
			r.mistakes = append(r.mistakes, fmt.Errorf("cdk.json: waggle: %w", fault.Unknown("setting", key, r.asked)))
		}
	}
}

func numbers(list []int) string {
	texts := make([]string, len(list))
	for i, n := range list {
		texts[i] = strconv.Itoa(n)
	}
	return strings.Join(texts, ", ")
}
