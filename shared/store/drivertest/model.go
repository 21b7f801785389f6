package drivertest

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"pgregory.net/rapid"

	"waggle/shared/fault"
	"waggle/shared/store/driver"
)

var modelling = []contract{
	{"any sequence of calls does what a sorted map would do", func(s *setup) {
		var round int
		rapid.Check(s.T, func(t *rapid.T) {
			round++
			m := &model{s: s, t: t, round: round, items: map[driver.Key]driver.Item{}}
			t.Repeat(map[string]func(*rapid.T){
				"put": m.put, "delete": m.delete, "put all": m.putAll, "write": m.write,
				"get": m.get, "query": m.query, "index": m.index, "wait": m.wait,
			})
		})
	}},
}

// model is the table as a map. All rounds share one driver, in partitions of their own.
type model struct {
	s     *setup
	t     *rapid.T
	round int
	items map[driver.Key]driver.Item // expired ones included
}

var sortKeys = rapid.SampledFrom([]string{"A", "a", "a#", "a#1", "aa", "b", "\u00e9", "\U0001d11e"})

func (m *model) partition(t *rapid.T) string {
	return fmt.Sprintf("%d#%s", m.round, rapid.SampledFrom([]string{"p", "P", "p#"}).Draw(t, "partition"))
}

func (m *model) key(t *rapid.T) driver.Key {
	return driver.Key{Partition: m.partition(t), Sort: sortKeys.Draw(t, "sort")}
}

func (m *model) item(t *rapid.T) driver.Item {
	item := driver.Item{Key: m.key(t), Version: rapid.Int64Range(0, 3).Draw(t, "version")}
	item.Data = fmt.Appendf(nil, `{"n":%d}`, rapid.IntRange(0, 9).Draw(t, "data"))
	if rapid.Bool().Draw(t, "has body") {
		item.Body = rapid.SliceOfN(rapid.Byte(), 0, 20).Draw(t, "body")
	}
	if rapid.IntRange(0, 3).Draw(t, "expires") == 0 {
		item.Expires = m.s.clock.Now().Add(time.Duration(rapid.IntRange(-1, 5).Draw(t, "seconds")) * time.Second)
	}
	for _, index := range []string{"due", "all"} {
		if rapid.IntRange(0, 2).Draw(t, index) == 0 {
			item.Entries = append(item.Entries, driver.Entry{Index: index, Partition: fmt.Sprint(m.round), Sort: sortKeys.Draw(t, "entry")})
		}
	}
	return item
}

func (m *model) condition(t *rapid.T) driver.Condition {
	return rapid.SampledFrom([]driver.Condition{
		driver.Any, driver.IfAbsent, driver.IfVersion(0), driver.IfVersion(1), driver.IfVersion(2),
	}).Draw(t, "condition")
}

func (m *model) visible(k driver.Key) *driver.Item {
	item, there := m.items[k]
	if !there || driver.Expired(item.Expires, m.s.clock.Now()) {
		return nil
	}
	return &item
}

func (m *model) put(t *rapid.T) {
	item, cond := m.item(t), m.condition(t)
	m.done([]driver.Op{{Put: &item, If: cond}}, m.s.Put(m.s.ctx, item, cond))
}

func (m *model) delete(t *rapid.T) {
	k, cond := m.key(t), m.condition(t)
	m.done([]driver.Op{{Delete: &k, If: cond}}, m.s.Delete(m.s.ctx, k, cond))
}

func (m *model) putAll(t *rapid.T) {
	items := rapid.SliceOfNDistinct(rapid.Custom(m.item), 0, 6, func(i driver.Item) driver.Key { return i.Key }).Draw(t, "items")
	ops := make([]driver.Op, len(items))
	for i := range items {
		ops[i].Put = &items[i]
	}
	m.done(ops, m.s.PutAll(m.s.ctx, items))
}

func (m *model) write(t *rapid.T) {
	items := rapid.SliceOfNDistinct(rapid.Custom(m.item), 1, 5, func(i driver.Item) driver.Key { return i.Key }).Draw(t, "items")
	ops := make([]driver.Op, len(items))
	for i := range items {
		ops[i].If = m.condition(t)
		if rapid.IntRange(0, 2).Draw(t, "delete") == 0 {
			ops[i].Delete = &items[i].Key
		} else {
			ops[i].Put = &items[i]
		}
	}
	m.done(ops, m.s.Write(m.s.ctx, ops))
}

// done applies the ops to the model and checks that the driver answered as it would.
func (m *model) done(ops []driver.Op, err error) {
	for _, op := range ops {
		stored := m.visible(op.Key())
		if op.If.Holds(stored) {
			continue
		}
		var conflict *driver.ConflictError
		if !errors.As(err, &conflict) || conflict.Key != op.Key() || (stored == nil) != (conflict.Stored == nil) {
			m.t.Fatalf("error is %v, want a conflict on %s with %v", err, op.Key(), stored)
		}
		if stored != nil {
			if diff := difference(*stored, *conflict.Stored); diff != "" {
				m.t.Fatalf("conflict on %s: %s", op.Key(), diff)
			}
		}
		return
	}
	if err != nil {
		m.t.Fatal(err)
	}
	for _, op := range ops {
		if op.Put != nil {
			m.items[op.Put.Key] = *op.Put
		} else {
			delete(m.items, *op.Delete)
		}
	}
}

func (m *model) get(t *rapid.T) {
	k := m.key(t)
	got, err := m.s.Get(m.s.ctx, k)
	want := m.visible(k)
	if want == nil {
		if !errors.Is(err, fault.NotFound) {
			t.Fatalf("get %s: %v, want fault.NotFound", k, err)
		}
		return
	}
	if err != nil {
		t.Fatalf("get %s: %v", k, err)
	}
	if diff := difference(*want, got); diff != "" {
		t.Fatalf("get %s: %s", k, diff)
	}
}

func (m *model) wait(t *rapid.T) {
	m.s.clock.advance(time.Duration(rapid.IntRange(1, 3000).Draw(t, "ms")) * time.Millisecond)
}

func (m *model) anyQuery(t *rapid.T) driver.Query {
	bound := rapid.OneOf(rapid.Just(""), sortKeys)
	return driver.Query{
		From: bound.Draw(t, "from"), To: bound.Draw(t, "to"),
		Descending: rapid.Bool().Draw(t, "descending"), Limit: rapid.IntRange(0, 3).Draw(t, "limit"),
	}
}

func (m *model) query(t *rapid.T) {
	q := m.anyQuery(t)
	q.Partition = m.partition(t)
	if problem := m.compare(q); problem != "" {
		t.Fatal(problem)
	}
}

func (m *model) index(t *rapid.T) {
	q := m.anyQuery(t)
	q.Index, q.Partition = rapid.SampledFrom([]string{"due", "all"}).Draw(t, "index"), fmt.Sprint(m.round)
	m.s.eventually(func() string { return m.compare(q) })
}

// compare says how the driver's answer to a query differs from the model's.
func (m *model) compare(q driver.Query) string {
	want, got := m.expected(q), m.s.all(q)
	if len(want) != len(got) {
		return fmt.Sprintf("query %+v: %q, want %q", q, sorts(got), sorts(want))
	}
	for i := range want {
		if diff := difference(want[i], got[i]); diff != "" {
			return fmt.Sprintf("query %+v: item %d: %s", q, i, diff)
		}
	}
	return ""
}

func (m *model) expected(q driver.Query) []driver.Item {
	place := func(item driver.Item) (string, bool) {
		if q.Index == "" {
			return item.Sort, item.Partition == q.Partition
		}
		for _, e := range item.Entries {
			if e.Index == q.Index && e.Partition == q.Partition {
				return e.Sort, true
			}
		}
		return "", false
	}
	var found []driver.Item
	for item := range maps.Values(m.items) {
		at, listed := place(item)
		if !listed || at < q.From || (q.To != "" && at >= q.To) || m.visible(item.Key) == nil {
			continue
		}
		if q.Index != "" {
			item.Body = nil
		}
		found = append(found, item)
	}
	slices.SortFunc(found, func(a, b driver.Item) int {
		x, _ := place(a)
		y, _ := place(b)
		return cmp.Or(cmp.Compare(x, y), cmp.Compare(a.Partition, b.Partition), cmp.Compare(a.Sort, b.Sort))
	})
	if q.Descending {
		slices.Reverse(found)
	}
	return found
}
