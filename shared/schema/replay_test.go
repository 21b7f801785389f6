package schema_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"waggle/shared/schema"
	"waggle/shared/waggletest"
)

type ticket struct {
	ID    *int64
	Seat  string
	Price float64
}

// ticketSchema is a schema that is strict about prices from low on.
func ticketSchema(ids, seats schema.Copies, low float64) *schema.Schema {
	return schema.New("Tickets", schema.Int64("id").Null().Unique(ids), schema.Text("seat"), schema.Float64("price").AtLeast(low), schema.UniqueTogether(seats, "id", "seat"))
}

var eachCopies = []schema.Copies{schema.All, schema.AllButFirst, schema.AllButLast}

func TestAReplayPassesWhatFilteringTheSameRowsAgainWould(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		draw := func(label string) *schema.Schema {
			return ticketSchema(rapid.SampledFrom(eachCopies).Draw(r, label+" ids"), rapid.SampledFrom(eachCopies).Draw(r, label+" seats"), rapid.SampledFrom([]float64{0, 2}).Draw(r, label+" low"))
		}
		before, today := draw("before"), draw("today")
		rows := rapid.SliceOfN(rapid.Custom(func(r *rapid.T) ticket {
			return ticket{rapid.Ptr(rapid.Int64Range(0, 3), true).Draw(r, "id"), rapid.SampledFrom([]string{"a", "b"}).Draw(r, "seat"), rapid.SampledFrom([]float64{-1, 1, 3}).Draw(r, "price")}
		}), 0, 20).Draw(r, "rows")
		ctx, report := waggletest.Context(t)
		if _, err := schema.Filter(ctx, before, rows); err != nil {
			r.Fatal(err)
		}
		blob, ok := report.Metadata("quarantine").(string)
		if !ok {
			return
		}
		q := quarantineAt(t, ctx, blob)
		pass, still, err := today.Replay(q)
		if err != nil {
			r.Fatal(err)
		}
		again, err := schema.Validate(today, rows)
		if err != nil {
			r.Fatal(err)
		}
		var want []int
		broken := map[string]int{}
		for _, n := range q.Numbers {
			if !again.IsInvalid(n) {
				want = append(want, n)
			}
			for _, f := range again.OfRow(n) {
				broken[f.Column+" "+f.Check]++
			}
		}
		if q.Schema != "Tickets" || !slices.Equal(pass, want) {
			r.Errorf("of %v by %q pass %v, want %v", q.Numbers, q.Schema, pass, want)
		}
		for _, c := range still {
			if broken[c.Column+" "+c.Check] != c.Count || len(c.Failures) != c.Count || !slices.Contains(q.Numbers, c.Failures[0].Row) {
				r.Errorf("%+v, want %d", c, broken[c.Column+" "+c.Check])
			}
			delete(broken, c.Column+" "+c.Check)
		}
		if len(broken) > 0 {
			r.Errorf("still lacks %v", broken)
		}
	})
}

func TestACopyStaysOneWhereTheOthersWereHandedOn(t *testing.T) {
	t.Parallel()
	ctx, report := waggletest.Context(t)
	rows := []ticket{{new(int64(1)), "a", 1}, {new(int64(1)), "b", 1}, {new(int64(2)), "c", -1}, {new(int64(3)), "c", -1}}
	if _, err := schema.Filter(ctx, ticketSchema(schema.AllButFirst, schema.All, 0), rows); err != nil {
		t.Fatal(err)
	}
	q := quarantineAt(t, ctx, report.Metadata("quarantine").(string))
	for _, c := range []struct {
		why   string
		today *schema.Schema
		pass  []int
	}{
		{"the same rule", ticketSchema(schema.AllButFirst, schema.All, -5), []int{2, 3}},
		{"no copy may stay", ticketSchema(schema.All, schema.All, -5), []int{2, 3}},
		{"the last may stay", ticketSchema(schema.AllButLast, schema.All, -5), []int{1, 2, 3}},
		{"no rule", schema.New("Tickets", schema.Int64("id").Null()), []int{1, 2, 3}},
		{"a new rule sees the quarantine alone", schema.New("Tickets", schema.Int64("id").Null(), schema.Text("seat").Unique()), []int{1}},
		{"a warning", schema.New("Tickets", schema.Int64("id").Null().Unique().Warn()), []int{1, 2, 3}},
	} {
		if pass, still, err := c.today.Replay(q); err != nil || !slices.Equal(pass, c.pass) {
			t.Errorf("%s: pass %v, want %v; still %+v, %v", c.why, pass, c.pass, still, err)
		}
	}
}

func TestRowsThatWereAQuarantineCanBeFilteredAgain(t *testing.T) {
	t.Parallel()
	type kept struct {
		QuarantineSchema string
		QuarantineRow    int64
		QuarantineErrors *string
	}
	ctx, report := waggletest.Context(t)
	s := schema.New("Again", schema.Int64("quarantine_row").AtLeast(5), schema.Text("quarantine_errors"))
	if _, err := schema.Filter(ctx, s, []kept{{"Tickets", 1, new("[]")}, {"Tickets", 7, nil}, {"Tickets", 8, new("[]")}}); err != nil {
		t.Fatal(err)
	}
	q := quarantineAt(t, ctx, report.Metadata("quarantine").(string))
	if q.Schema != "Again" || !slices.Equal(q.Numbers, []int{0, 1}) || q.Failures[0][0].FailureCase != int64(1) || q.Values()[1]["quarantine_schema"] != "Tickets" {
		t.Errorf("%+v, %v", q, q.Values())
	}
}
