package driver

import (
	"encoding/base64"
	"encoding/json"

	"waggle/shared/fault"
)

// Position is the place of an item in a query's order: by Sort (of the item, or of
// its index entry), then by Key.
type Position struct {
	Sort string
	Key  Key
}

// CursorAfter returns the cursor of a page that ends with the item at p. It names
// the query's index and partition, so that another query refuses it.
func (q Query) CursorAfter(p Position) string {
	text, _ := json.Marshal([5]string{q.Index, q.Partition, p.Sort, p.Key.Partition, p.Key.Sort}) // strings always encode
	return base64.RawURLEncoding.EncodeToString(text)
}

// After returns the position that the query's cursor names; ok is false for the
// first page. A cursor that CursorAfter did not make for this index and partition is
// fault.Invalid.
func (q Query) After() (p Position, ok bool, err error) {
	if q.Cursor == "" {
		return Position{}, false, nil
	}
	var parts [5]string
	text, err := base64.RawURLEncoding.DecodeString(q.Cursor)
	if err == nil {
		err = json.Unmarshal(text, &parts)
	}
	if err != nil || parts[2] == "" || parts[3] == "" || parts[4] == "" {
		return Position{}, false, fault.New(fault.Invalid, "cursor %.80q is not one of a page", q.Cursor).
			WithHint("pass the cursor of the page before, unchanged")
	}
	if parts[0] != q.Index || parts[1] != q.Partition {
		return Position{}, false, fault.New(fault.Invalid, "cursor is of partition %q of index %q, not of %q of %q", parts[1], parts[0], q.Partition, q.Index)
	}
	return Position{Sort: parts[2], Key: Key{parts[3], parts[4]}}, true, nil
}
