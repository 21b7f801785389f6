package driver

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"waggle/shared/fault"
)

// Limits of every driver, DynamoDB's: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
const (
	MaxItem      = 400 << 10 // bytes an item, names and values
	MaxPage      = 1 << 20   // bytes a page of a query
	MaxWrite     = 4 << 20   // bytes an atomic write
	MaxOps       = 100       // parts of an atomic write
	MaxPartition = 2048      // bytes of a partition key
	MaxSort      = 1024      // bytes of a sort key
)

// Size is how many bytes of the limits an item takes: its keys, data, body and index
// entries, and a fixed 100 for the names around them.
func Size(item *Item) int {
	n := 100 + len(item.Partition) + len(item.Sort) + len(item.Data) + len(item.Body)
	for _, e := range item.Entries {
		n += len(e.Index) + len(e.Partition) + len(e.Sort)
	}
	return n
}

// CheckKey returns fault.Invalid for a key that no driver stores.
func CheckKey(k Key) error {
	switch {
	case k.Partition == "" || k.Sort == "":
		return fault.New(fault.Invalid, "key %q has an empty part", k)
	case len(k.Partition) > MaxPartition || len(k.Sort) > MaxSort:
		return fault.New(fault.Invalid, "key %.80q is too long: %d and %d bytes of at most %d and %d", k, len(k.Partition), len(k.Sort), MaxPartition, MaxSort)
	case !utf8.ValidString(k.Partition) || !utf8.ValidString(k.Sort):
		return fault.New(fault.Invalid, "key %q is not UTF-8", k)
	case strings.IndexByte(k.Partition, 0) >= 0 || strings.IndexByte(k.Sort, 0) >= 0:
		return fault.New(fault.Invalid, "key %q has a zero byte", k)
	}
	return nil
}

// CheckContext returns fault.Canceled for a context that has ended.
func CheckContext(ctx context.Context) error {
	return fault.Wrap(fault.Canceled, "", ctx.Err())
}

// CheckQuery returns fault.Invalid for a query that no driver answers.
func CheckQuery(q Query) error {
	switch {
	case q.Partition == "":
		return fault.New(fault.Invalid, "query without a partition")
	case q.Limit < 0:
		return fault.New(fault.Invalid, "query with a limit of %d", q.Limit)
	}
	return nil
}

// CheckItem returns fault.Invalid or fault.TooLarge for an item that no driver stores.
func CheckItem(item *Item) error {
	if err := CheckKey(item.Key); err != nil {
		return err
	}
	if n := Size(item); n > MaxItem {
		return fault.New(fault.TooLarge, "item %s has %d bytes, %d are allowed", item.Key, n, MaxItem)
	}
	if len(item.Data) > 0 && (item.Data[0] != '{' || !json.Valid(item.Data)) {
		return fault.New(fault.Invalid, "data of item %s is not a JSON object", item.Key)
	}
	seen := map[string]bool{}
	for _, e := range item.Entries {
		if e.Index == "" || !utf8.ValidString(e.Index) || seen[e.Index] {
			return fault.New(fault.Invalid, "item %s has an index without a name or twice (%q)", item.Key, e.Index)
		}
		seen[e.Index] = true
		if err := CheckKey(Key{e.Partition, e.Sort}); err != nil {
			return fmt.Errorf("index %s of item %s: %w", e.Index, item.Key, err)
		}
	}
	return nil
}

// CheckItems is CheckItem for all of a PutAll, and fault.Invalid for two items with
// one key.
func CheckItems(items []Item) error {
	seen := make(map[Key]struct{}, len(items))
	for i := range items {
		if err := CheckItem(&items[i]); err != nil {
			return err
		}
		if _, twice := seen[items[i].Key]; twice {
			return fault.New(fault.Invalid, "item %s is twice among %d", items[i].Key, len(items))
		}
		seen[items[i].Key] = struct{}{}
	}
	return nil
}

// CheckWrite returns an error for an atomic write that no driver does.
func CheckWrite(ops []Op) error {
	if len(ops) > MaxOps {
		return fault.New(fault.TooLarge, "a write of %d parts, %d are allowed", len(ops), MaxOps)
	}
	seen, total := make(map[Key]bool, len(ops)), 0
	for i, op := range ops {
		if (op.Put == nil) == (op.Delete == nil) {
			return fault.New(fault.Invalid, "part %d of a write must have either Put or Delete", i)
		}
		if seen[op.Key()] {
			return fault.New(fault.Invalid, "item %s is twice in one write", op.Key())
		}
		seen[op.Key()] = true
		if op.Put == nil {
			if err := CheckKey(*op.Delete); err != nil {
				return err
			}
			continue
		}
		if err := CheckItem(op.Put); err != nil {
			return err
		}
		total += Size(op.Put)
	}
	if total > MaxWrite {
		return fault.New(fault.TooLarge, "a write of %d bytes, %d are allowed", total, MaxWrite)
	}
	return nil
}
