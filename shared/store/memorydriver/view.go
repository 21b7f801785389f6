package memorydriver

import (
	"maps"
	"slices"
	"time"

	"waggle/shared/store/driver"
)

// view is the indexes, which follow the table by changes that may come late. Changes
// of one item are applied in order; those of different items may overtake each other,
// as in DynamoDB.
type view struct {
	lists   map[indexPartition][]driver.Position // sorted
	shown   map[driver.Key]*driver.Item          // as the indexes know it, with Body
	pending []change
}

type indexPartition struct{ index, partition string }

// change is an item's next state, due once both have been reached.
type change struct {
	key  driver.Key
	next *driver.Item // nil: deleted
	due  moment
}

type moment struct {
	calls int64
	time  time.Time
}

func newView() *view {
	return &view{lists: map[indexPartition][]driver.Position{}, shown: map[driver.Key]*driver.Item{}}
}

func (v *view) push(key driver.Key, next *driver.Item, due moment) {
	unlisted := next == nil || len(next.Entries) == 0
	if unlisted && len(v.pending) == 0 && v.shown[key] == nil {
		return // no index knows the item, or will
	}
	v.pending = append(v.pending, change{key, next, due})
}

// settle applies what is due.
func (v *view) settle(calls int64, now time.Time) {
	waiting := map[driver.Key]bool{}
	v.pending = slices.DeleteFunc(v.pending, func(c change) bool {
		if waiting[c.key] || c.due.calls > calls || c.due.time.After(now) {
			waiting[c.key] = true
			return false
		}
		v.apply(c)
		return true
	})
}

func (v *view) apply(c change) {
	if old := v.shown[c.key]; old != nil {
		for _, e := range old.Entries {
			at := indexPartition{e.Index, e.Partition}
			list := v.lists[at]
			i, _ := slices.BinarySearchFunc(list, driver.Position{Sort: e.Sort, Key: c.key}, comparePositions)
			v.lists[at] = slices.Delete(list, i, i+1)
		}
		delete(v.shown, c.key)
	}
	if c.next == nil || len(c.next.Entries) == 0 {
		return
	}
	v.shown[c.key] = c.next
	for _, e := range c.next.Entries {
		at, place := indexPartition{e.Index, e.Partition}, driver.Position{Sort: e.Sort, Key: c.key}
		list := v.lists[at]
		i, _ := slices.BinarySearchFunc(list, place, comparePositions)
		v.lists[at] = slices.Insert(list, i, place)
	}
}

func (v *view) clone() *view {
	c := newView()
	for at, list := range v.lists {
		c.lists[at] = slices.Clone(list)
	}
	c.shown = maps.Clone(v.shown)
	c.pending = slices.Clone(v.pending)
	return c
}
