package memorydriver

import (
	"cmp"
	"slices"

	"waggle/shared/store/driver"
)

// tree is items by key, and the order of each partition. Stored items are never
// changed, only replaced.
type tree struct {
	items map[driver.Key]*driver.Item
	order map[string][]string // partition: its sort keys, sorted
}

func newTree() *tree {
	return &tree{items: map[driver.Key]*driver.Item{}, order: map[string][]string{}}
}

func (t *tree) get(key driver.Key) *driver.Item { return t.items[key] }

func (t *tree) put(item *driver.Item) {
	if _, there := t.items[item.Key]; !there {
		sorts := t.order[item.Partition]
		i, _ := slices.BinarySearch(sorts, item.Sort)
		t.order[item.Partition] = slices.Insert(sorts, i, item.Sort)
	}
	t.items[item.Key] = item
}

func (t *tree) remove(key driver.Key) (there bool) {
	if _, there = t.items[key]; !there {
		return false
	}
	delete(t.items, key)
	sorts := t.order[key.Partition]
	i, _ := slices.BinarySearch(sorts, key.Sort)
	if t.order[key.Partition] = slices.Delete(sorts, i, i+1); len(sorts) == 1 {
		delete(t.order, key.Partition)
	}
	return true
}

func (t *tree) clone() *tree {
	c := newTree()
	for key, item := range t.items {
		c.items[key] = item
	}
	for partition, sorts := range t.order {
		c.order[partition] = slices.Clone(sorts)
	}
	return c
}

// all returns the items in key order.
func (t *tree) all() []*driver.Item {
	items := make([]*driver.Item, 0, len(t.items))
	for _, item := range t.items {
		items = append(items, item)
	}
	slices.SortFunc(items, func(a, b *driver.Item) int { return compareKeys(a.Key, b.Key) })
	return items
}

func compareKeys(a, b driver.Key) int {
	return cmp.Or(cmp.Compare(a.Partition, b.Partition), cmp.Compare(a.Sort, b.Sort))
}

func comparePositions(a, b driver.Position) int {
	return cmp.Or(cmp.Compare(a.Sort, b.Sort), compareKeys(a.Key, b.Key))
}
