// Package waggletest runs assets and jobs in tests: in memory, with given values, a fake clock if one is wanted,
// and stricter than a real run.
//
// It imports asset, engine, metadata, run, runlog, store and its tables for tests, and waggle of ours. It is for tests alone.
package waggletest

import (
	"reflect"
	"testing"
	"time"

	"waggle/shared/asset"
	"waggle/shared/run"
)

// Value is a value for an asset that a test gives instead of making it.
type Value struct {
	def   *asset.Definition
	value any
}

// Given is the value that an asset has in a test: its function is not called.
func Given[T any](a *asset.Asset[T], value T) Value { return Value{a.Definition(), value} }

// materialization encodes the value as if an earlier run had made it.
func (v Value) materialization(t testing.TB, at time.Time, id run.ID) run.Materialization {
	t.Helper()
	if v.def == nil {
		t.Fatal("waggletest: Given a nil asset")
	}
	encoded, err := v.def.Codec.Encode(v.value)
	if err != nil {
		t.Fatalf("waggletest: encode the given value of %s: %v", v.def.Key, err)
	}
	return run.Materialization{Asset: v.def.Key, Run: id, Seq: 1, Time: at, Verdict: run.Good,
		Value: &run.Value{Codec: v.def.Codec.Name(), Inline: encoded, Size: int64(len(encoded))}}
}

// passed returns the value as it is after its codec.
func (v Value) passed(t testing.TB) any {
	t.Helper()
	m := v.materialization(t, time.Time{}, "")
	value, err := v.def.Codec.Decode(m.Value.Inline, v.def.Type)
	if err != nil {
		t.Fatalf("waggletest: decode the given value of %s: %v", v.def.Key, err)
	}
	return value
}

// decode turns stored bytes into an asset's type.
func decode[T any](t testing.TB, a *asset.Asset[T], data []byte) T {
	t.Helper()
	value, err := a.Definition().Codec.Decode(data, reflect.TypeFor[T]())
	if err != nil {
		t.Fatalf("waggletest: decode the value of %s: %v", a.Key(), err)
	}
	typed, _ := value.(T)
	return typed
}
