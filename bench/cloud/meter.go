package main

import (
	"context"
	"maps"
	"strings"
	"sync"

	"waggle/shared/store/driver"
	"waggle/shared/store/dynamodriver"
)

// key is a partition key, of the table or of an index.
type key struct{ index, partition string }

// String is "RUN#id", "ASSET#orders#", or "all RUN" in an index. A run's id is left out, so that runs compare.
func (k key) String() string {
	partition := k.partition
	if strings.HasPrefix(partition, "RUN#") {
		partition = "RUN#id"
	}
	return strings.TrimSpace(k.index + " " + partition)
}

// meter lets one write through at a time, so that what the driver has counted meanwhile is what that write took, and
// adds it to the partition keys that it went to. A write of several items is divided among them evenly.
type meter struct {
	*dynamodriver.Driver

	mu      sync.Mutex
	keys    map[key]float64
	entries map[driver.Key][]driver.Entry // of items as last written: an entry that goes costs as well
}

func newMeter(db *dynamodriver.Driver) *meter {
	return &meter{Driver: db, keys: map[key]float64{}, entries: map[driver.Key][]driver.Entry{}}
}

// taken returns what was counted since it was last called.
func (m *meter) taken() map[key]float64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	keys := m.keys
	m.keys = map[key]float64{}
	return keys
}

func (m *meter) write(keys []driver.Key, items []driver.Item, act func() error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	before := m.Usage()
	err := act()
	after := m.Usage()
	table := after.WriteUnits - before.WriteUnits
	for index, units := range after.IndexWriteUnits {
		units -= before.IndexWriteUnits[index]
		table -= units
		var entries []driver.Entry
		for _, k := range keys { // those of items that are deleted too
			entries = append(entries, m.entries[k]...)
		}
		for _, item := range items {
			entries = append(entries, item.Entries...)
		}
		var touched []key
		for _, e := range entries {
			if e.Index == index {
				touched = append(touched, key{index, e.Partition})
			}
		}
		for _, k := range touched {
			m.keys[k] += units / float64(len(touched))
		}
	}
	for _, k := range keys {
		m.keys[key{"", k.Partition}] += table / float64(len(keys))
	}
	for _, item := range items {
		if err == nil && len(item.Entries) > 0 {
			m.entries[item.Key] = item.Entries
		}
	}
	maps.DeleteFunc(m.keys, func(_ key, units float64) bool { return units == 0 })
	return err
}

// Put implements driver.Driver.
func (m *meter) Put(ctx context.Context, item driver.Item, cond driver.Condition) error {
	return m.write([]driver.Key{item.Key}, []driver.Item{item}, func() error { return m.Driver.Put(ctx, item, cond) })
}

// Delete implements driver.Driver.
func (m *meter) Delete(ctx context.Context, k driver.Key, cond driver.Condition) error {
	return m.write([]driver.Key{k}, nil, func() error { return m.Driver.Delete(ctx, k, cond) })
}

// PutAll implements driver.Driver.
func (m *meter) PutAll(ctx context.Context, items []driver.Item) error {
	keys := make([]driver.Key, len(items))
	for i := range items {
		keys[i] = items[i].Key
	}
	return m.write(keys, items, func() error { return m.Driver.PutAll(ctx, items) })
}

// Write implements driver.Driver.
func (m *meter) Write(ctx context.Context, ops []driver.Op) error {
	var keys []driver.Key
	var items []driver.Item
	for _, op := range ops {
		keys = append(keys, op.Key())
		if op.Put != nil {
			items = append(items, *op.Put)
		}
	}
	return m.write(keys, items, func() error { return m.Driver.Write(ctx, ops) })
}
