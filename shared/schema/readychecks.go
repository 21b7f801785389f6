package schema

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"waggle/shared/asset"
	"waggle/shared/check"
	"waggle/shared/fault"
	"waggle/shared/metadata"
	"waggle/shared/table"
)

// sampled is how many orphans or differences a ready check shows.
const sampled = 10

// CheckMinRows declares that an asset has at least n rows: check_<asset>_min_rows, with the metadata record_count and min_rows.
func CheckMinRows[T any](a *asset.Asset[T], n int, opts *check.Options) *check.Check {
	var mistakes []error
	if n < 1 {
		mistakes = append(mistakes, fmt.Errorf("a minimum of %d rows demands nothing; give 1 or more", n))
	}
	return check.Define(checkName(a.Key(), "min_rows"), func(_ *asset.Context, in []any) (check.Result, error) {
		t, err := table.Of(in[0])
		if err != nil {
			return check.Result{}, err
		}
		return check.Result{Passed: t.NumRows() >= n, Description: fmt.Sprintf("%s, at least %s are expected", counted(t.NumRows(), "row"), humanize.Comma(int64(n))),
			Metadata: metadata.Map{"record_count": t.NumRows(), "min_rows": n}}, nil
	}, a.Definition(), []asset.Sourced{a}, nil, opts, mistakes...)
}

// CheckFailureRate declares that at most so many percent of an asset's rows are invalid: check_<asset>_failure_rate, with the metadata of Check (of the rows
// that the asset has), removed_rows, failure_rate_percent and max_failure_rate_percent. Rows that Filter removed by a schema of the same name when the asset was made are invalid
// rows too, and count; those that another schema removed do not. No rows have a rate of 0; a failure that is no row's, as a missing column, fails it.
func CheckFailureRate[T any](s *Schema, a *asset.Asset[T], percent float64, opts *check.Options) *check.Check {
	var mistakes []error
	if !(percent >= 0 && percent <= 100) {
		mistakes = append(mistakes, fmt.Errorf("%v is no percentage; give 0 to 100", percent))
	}
	return check.Define(checkName(a.Key(), "failure_rate"), func(ctx *asset.Context, in []any) (check.Result, error) {
		r, err := Validate(s, in[0])
		if err != nil {
			return check.Result{}, err
		}
		removed, err := countRemoved(ctx, a, s.Name())
		if err != nil {
			return check.Result{}, err
		}
		rate := 0.0
		if rows := r.Rows + removed; rows > 0 {
			rate = 100 * float64(r.InvalidRowCount+removed) / float64(rows)
		}
		result := r.CheckResult()
		result.Passed = rate <= percent
		for _, f := range r.TableFailures() {
			result.Passed = result.Passed && f.Severity != Error
		}
		aside := ""
		if removed > 0 {
			aside = ", " + humanize.Comma(int64(removed)) + " of them removed by a filter"
		}
		result.Description = fmt.Sprintf("%.2f %% of %s are invalid%s, %v %% are allowed", rate, counted(r.Rows+removed, "row"), aside, percent)
		result.Metadata["removed_rows"], result.Metadata["failure_rate_percent"], result.Metadata["max_failure_rate_percent"] = removed, rate, percent
		return result, nil
	}, a.Definition(), []asset.Sourced{a}, s, opts, mistakes...)
}

// CheckFresh declares that the newest value of a column, a date, a timestamp or an ISO date as text, is not older than an age, by the run's clock:
// check_<asset>_fresh, with the metadata column, newest, age_hours, max_age_hours and future_count. Nulls and text that is no date are passed over, and so are values later than now,
// which are wrong and would make the column fresh for years; they are counted. A column without a date that counts fails it.
func CheckFresh[T any](a *asset.Asset[T], column string, age time.Duration, opts *check.Options) *check.Check {
	var mistakes []error
	if age <= 0 {
		mistakes = append(mistakes, fmt.Errorf("an age of %s is none; give a positive one", age))
	}
	return check.Define(checkName(a.Key(), "fresh"), func(ctx *asset.Context, in []any) (check.Result, error) {
		c, err := columnOf(in[0], column)
		if err != nil {
			return check.Result{}, err
		}
		var newest time.Time
		now, future := ctx.Now(), 0
		for i := range c.length() {
			switch at, ok := momentOf(c.value(i)); {
			case ok && at.After(now):
				future++
			case ok && at.After(newest):
				newest = at
			}
		}
		values := metadata.Map{"column": column, "max_age_hours": age.Hours(), "future_count": future}
		if newest.IsZero() {
			return check.Result{Description: column + " holds no date", Metadata: values}, nil
		}
		old := now.Sub(newest)
		values["newest"], values["age_hours"] = newest.UTC(), old.Hours()
		return check.Result{Passed: old <= age, Description: fmt.Sprintf("the newest %s is %s", column, newest.UTC().Format(time.RFC3339)), Metadata: values}, nil
	}, a.Definition(), []asset.Sourced{a}, nil, opts, mistakes...)
}

func momentOf(v any) (time.Time, bool) {
	text, ok := v.(string)
	if !ok {
		at, ok := v.(time.Time)
		return at, ok
	}
	text = strings.TrimSpace(text)
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02 15:04:05", time.DateOnly} {
		if at, err := time.Parse(layout, text); err == nil {
			return at, true
		}
	}
	return time.Time{}, false
}

// asName is a column's name as that of a check can hold it.
func asName(column string) string {
	return strings.Map(func(c rune) rune {
		if c < 128 && namePattern.MatchString(string(c)) {
			return c
		}
		return '_'
	}, column)
}

// CheckReferences declares that every value of a column is a value of another asset's column, nulls aside: check_<asset>_<column>_references, with the metadata
// orphan_count (rows), distinct_orphans, and orphans, the first ten.
func CheckReferences[A, B any](a *asset.Asset[A], column string, to *asset.Asset[B], key string, opts *check.Options) *check.Check {
	return check.Define(checkName(a.Key(), asName(column)+"_references"), func(_ *asset.Context, in []any) (check.Result, error) {
		from, err := columnOf(in[0], column)
		if err != nil {
			return check.Result{}, err
		}
		keys, err := columnOf(in[1], key)
		if err != nil {
			return check.Result{}, fmt.Errorf("%s: %w", to.Key(), err)
		}
		known := make(map[any]bool, keys.length())
		for i := range keys.length() {
			known[keys.value(i)] = true
		}
		orphans, seen, rows := []any{}, map[any]bool{}, 0
		for i := range from.length() {
			v := from.value(i)
			if v == nil || known[v] {
				continue
			}
			if rows++; !seen[v] && len(orphans) < sampled {
				orphans = append(orphans, shownCase(v))
			}
			seen[v] = true
		}
		return check.Result{Passed: rows == 0, Description: fmt.Sprintf("%s whose %s is not in %s.%s", counted(rows, "row"), column, to.Key(), key),
			Metadata: metadata.Map{"orphan_count": rows, "distinct_orphans": len(seen), "orphans": orphans}}, nil
	}, a.Definition(), []asset.Sourced{a, to}, nil, opts)
}

// shownCase is a value as metadata shows it.
func shownCase(v any) any {
	switch v := v.(type) {
	case string:
		return cutText(v)
	case time.Time:
		return v.UTC().Format(time.RFC3339Nano)
	default:
		return JSONCase(v)
	}
}

// cells is a column whose values are read one by one.
type cells struct {
	chunks *chunked
	rows   int
}

func (c cells) length() int { return c.rows }

// value is a value as it is compared: integers of every width alike, bytes as text.
func (c cells) value(i int) any {
	a, k := c.chunks.find(i)
	switch x := goValue(a, k).(type) {
	case uint64:
		if x <= math.MaxInt64 {
			return int64(x)
		}
		return x
	case []byte:
		return string(x)
	default:
		return x
	}
}

// columnOf returns a column of a []Struct or a *table.Table.
func columnOf(rows any, name string) (cells, error) {
	t, err := table.Of(rows)
	if err != nil {
		return cells{}, err
	}
	at := t.Arrow().Schema().FieldIndices(name)
	if len(at) != 1 {
		return cells{}, fault.Unknown("column", name, t.Columns())
	}
	return cells{chunkedOf(t.Arrow().Column(at[0]).Data()), t.NumRows()}, nil
}
