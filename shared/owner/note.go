package owner

import (
	"context"
	"encoding/json"
	"errors"

	"waggle/shared/fault"
	"waggle/shared/store/driver"
)

// notePrefix starts the sort key of every note; afterNotes is the first that is above them all.
const (
	notePrefix = "NOTE#"
	afterNotes = "NOTE$"
)

// Note is what somebody who does not own a thing has to say to its owner. Key names it: leaving
// a note twice is the same as once.
type Note struct {
	Key  string
	Data json.RawMessage // a JSON object; may be nil
}

// Leave puts a note for the owner of a thing. The caller then wakes the owner, or the thing's
// due time does.
func (c *Class[T]) Leave(ctx context.Context, partition string, n Note) error {
	err := c.DB.Put(ctx, driver.Item{Key: driver.Key{Partition: partition, Sort: notePrefix + n.Key}, Data: n.Data}, driver.IfAbsent)
	if errors.Is(err, fault.Conflict) {
		return nil
	}
	return err
}

// Notes returns the notes on a thing, in the order of their keys.
func (c *Class[T]) Notes(ctx context.Context, partition string) ([]Note, error) {
	var notes []Note
	q := driver.Query{Partition: partition, From: notePrefix, To: afterNotes}
	for {
		page, err := c.DB.Query(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, item := range page.Items {
			notes = append(notes, Note{Key: item.Sort[len(notePrefix):], Data: item.Data})
		}
		if page.Cursor == "" {
			return notes, nil
		}
		q.Cursor = page.Cursor
	}
}

// Forget removes a note that has been acted on.
func (c *Class[T]) Forget(ctx context.Context, partition, key string) error {
	return c.DB.Delete(ctx, driver.Key{Partition: partition, Sort: notePrefix + key}, driver.Any)
}
