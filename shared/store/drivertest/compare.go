package drivertest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"

	"waggle/shared/store/driver"
)

// difference says how got differs from want as it was given to the driver; "" is not
// at all. Data is compared by meaning, entries without their order.
func difference(want, got driver.Item) string {
	switch {
	case want.Key != got.Key:
		return fmt.Sprintf("key is %s, want %s", got.Key, want.Key)
	case want.Version != got.Version:
		return fmt.Sprintf("version is %d, want %d", got.Version, want.Version)
	case !sameJSON(want.Data, got.Data):
		return fmt.Sprintf("data is %.300s, want %.300s", got.Data, want.Data)
	case !bytes.Equal(want.Body, got.Body):
		return fmt.Sprintf("body is %d bytes (%.40q), want %d (%.40q)", len(got.Body), got.Body, len(want.Body), want.Body)
	case driver.ExpirySeconds(want.Expires) != driver.ExpirySeconds(got.Expires):
		return fmt.Sprintf("expires is %v, want %v rounded up", got.Expires, want.Expires)
	case !slices.Equal(sorted(want.Entries), sorted(got.Entries)):
		return fmt.Sprintf("entries are %v, want %v", got.Entries, want.Entries)
	}
	return ""
}

func sorted(entries []driver.Entry) []driver.Entry {
	return slices.SortedFunc(slices.Values(entries), func(a, b driver.Entry) int { return cmp.Compare(a.Index, b.Index) })
}

func sameJSON(a, b json.RawMessage) bool {
	if len(a) == 0 {
		a = json.RawMessage("{}")
	}
	left, err1 := decode(a)
	right, err2 := decode(b)
	return err1 == nil && err2 == nil && sameValue(left, right)
}

func decode(text []byte) (v any, err error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	err = d.Decode(&v)
	return v, err
}

func sameValue(a, b any) bool {
	switch a := a.(type) {
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for name, value := range a {
			other, ok := b[name]
			if !ok || !sameValue(value, other) {
				return false
			}
		}
		return true
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, sameValue)
	case json.Number:
		b, ok := b.(json.Number)
		if !ok {
			return false
		}
		x, ok1 := new(big.Rat).SetString(a.String())
		y, ok2 := new(big.Rat).SetString(b.String())
		return ok1 && ok2 && x.Cmp(y) == 0
	}
	return a == b
}
