package driver_test

import (
	"errors"
	"testing"

	"pgregory.net/rapid"

	"waggle/shared/fault"
	"waggle/shared/store/driver"
)

func TestACursorLeadsBackToItsPosition(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringN(1, 20, -1)
		q := driver.Query{Index: rapid.String().Draw(t, "index"), Partition: text.Draw(t, "partition")}
		want := driver.Position{Sort: text.Draw(t, "sort"), Key: driver.Key{Partition: text.Draw(t, "item partition"), Sort: text.Draw(t, "item sort")}}
		q.Cursor = q.CursorAfter(want)
		if got, ok, err := q.After(); got != want || !ok || err != nil {
			t.Fatalf("%v, %v, %v; want %v", got, ok, err, want)
		}
		q.Partition += "x"
		if _, _, err := q.After(); !errors.Is(err, fault.Invalid) {
			t.Fatalf("another partition: %v", err)
		}
	})
}

func TestAFirstPageHasNoPosition(t *testing.T) {
	t.Parallel()
	if _, ok, err := (driver.Query{Partition: "p"}).After(); ok || err != nil {
		t.Fatalf("%v, %v", ok, err)
	}
}

func FuzzAfter(f *testing.F) {
	q := driver.Query{Partition: "p"}
	f.Add(q.CursorAfter(driver.Position{Sort: "a", Key: driver.Key{Partition: "p", Sort: "a"}}))
	f.Add("WyIiLCIiLCIiLCIiLCIiXQ")
	f.Add("!")
	f.Fuzz(func(t *testing.T, cursor string) {
		_, ok, err := (driver.Query{Partition: "p", Cursor: cursor}).After()
		if err != nil && !errors.Is(err, fault.Invalid) || ok == (err != nil) && cursor != "" {
			t.Fatalf("%v, %v", ok, err)
		}
	})
}
