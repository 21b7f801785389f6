package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"gocloud.dev/blob/memblob"

	"waggle/shared/event"
	"waggle/shared/fault"
	"waggle/shared/store"
	"waggle/shared/store/driver"
	"waggle/shared/store/memorydriver"
)

// give puts a message into a channel by the end of an event.
func (b *backend) give(seq int64, channel string) {
	b.Helper()
	e := failed(seq)
	b.ok(b.PutEvents(b.Context(), "alarm", []event.Event{e}))
	row, err := b.SensorEvent(b.Context(), "alarm", e)
	b.ok(err)
	_, err = b.EndEvent(b.Context(), row, store.EventDone, []store.Out{note(e, channel, "1", fmt.Sprint("text ", seq))})
	b.ok(err)
}

// unseen waits for an index that lags.
func (b *backend) unseen(channel string, want int) []store.Unseen {
	b.Helper()
	var list []store.Unseen
	b.soon(func() string {
		var err error
		list, err = b.Unseen(b.Context(), channel)
		b.ok(err)
		if len(list) != want {
			return fmt.Sprintf("%d of %s are unseen, want %d", len(list), channel, want)
		}
		return ""
	})
	return list
}

func (b *backend) see(list []store.Unseen, want int) {
	b.Helper()
	if n, err := b.See(b.Context(), list); err != nil || n != want {
		b.Errorf("%d were seen, %v, want %d", n, err, want)
	}
}

func TestAMessageIsDueByItselfUntilAnOwnerHasSeenIt(t *testing.T) {
	onEach(t, func(b *backend) {
		b.give(1, "slack")
		b.give(2, "slack")
		b.give(3, "team")
		b.dueChannels("slack", "team")
		read := b.waiting("slack")
		list := b.unseen("slack", 2)
		b.see(list, 2)
		b.see(list, 0)
		b.dueChannels("team")
		b.unseen("slack", 0)
		if now := b.waiting("slack"); len(now) != 2 || string(now[0].Body) != "text 1" || now[0].ID() != read[0].ID() {
			b.Errorf("after they were seen: %+v", now)
		}
		// Who read them before is not hindered: that they were seen is no change of what they say.
		b.ok(b.Conclude(b.Context(), store.Message{ID: read[0].ID(), Channel: "slack", Time: b.Now(), State: store.MessageSent, Outs: read[:1]}))
		read[1].Tried(store.SendAttempt{Time: b.Now(), Answer: "retry"})
		out, err := b.Postpone(b.Context(), read[1])
		b.ok(err)
		b.dueChannels("team")
		// Where somebody else than the owner has it tried, it is due again.
		b.ok(b.Hurry(b.Context(), out))
		b.dueChannels("slack", "team")
		out = b.waiting("slack")[0]
		_, err = b.Postpone(b.Context(), out)
		b.ok(err)
		b.dueChannels("team")
		// What goes takes its entry along.
		gone := b.waiting("team")
		b.ok(b.Conclude(b.Context(), store.Message{ID: gone[0].ID(), Channel: "team", Time: b.Now(), State: store.MessageDead, Outs: gone}))
		b.dueChannels()
		// And comes back with one.
		dead, err := b.Messages(b.Context(), "team", time.Time{}, 1)
		b.ok(err)
		b.ok(b.Revive(b.Context(), dead[0]))
		b.dueChannels("team")
	})
}

func TestAMessageThatWasWrittenSinceItWasListedStaysDue(t *testing.T) {
	onEach(t, func(b *backend) {
		b.give(1, "slack")
		list := b.unseen("slack", 1)
		outs := b.waiting("slack")
		b.ok(b.Conclude(b.Context(), store.Message{ID: outs[0].ID(), Channel: "slack", Time: b.Now(), State: store.MessageDead, Outs: outs}))
		b.see(list, 0)
		if left := b.waiting("slack"); len(left) != 0 {
			b.Errorf("it waits again: %+v", left)
		}
		dead, err := b.Messages(b.Context(), "slack", time.Time{}, 1)
		b.ok(err)
		b.ok(b.Revive(b.Context(), dead[0])) // at the same key, and not the same
		b.see(list, 0)
		list = b.unseen("slack", 1)
		b.ok(b.Hurry(b.Context(), b.waiting("slack")[0]))
		b.see(list, 0)
		b.dueChannels("slack")
	})
}

// TestAMessageThatIsWrittenWhileItIsSeenStaysAsItIs has somebody else write it between the read and the write of the one that sees it.
func TestAMessageThatIsWrittenWhileItIsSeenStaysAsItIs(t *testing.T) {
	t.Parallel()
	for name, act := range map[string]func(*store.Store, store.Out) error{
		"hurried": func(s *store.Store, o store.Out) error { return s.Hurry(context.Background(), o) },
		"sent": func(s *store.Store, o store.Out) error {
			return s.Conclude(context.Background(), store.Message{ID: o.ID(), Channel: "slack", Time: s.Now(), State: store.MessageSent, Outs: []store.Out{o}})
		},
	} {
		var meanwhile func()
		db := memorydriver.New(&memorydriver.Options{Hook: func(c memorydriver.Call) error {
			if act := meanwhile; act != nil && c.Op == memorydriver.Put && !c.Done && strings.HasPrefix(c.Keys[0].Sort, "OUT#") {
				meanwhile = nil
				act()
			}
			return nil
		}})
		b := &backend{T: t, now: time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC), db: db}
		b.Store = store.New(db, store.NewBlobs(memblob.OpenBucket(nil)), &store.Options{Now: b.clock})
		b.give(1, "slack")
		list, out := b.unseen("slack", 1), b.waiting("slack")[0]
		var after []driver.Item
		meanwhile = func() {
			b.ok(act(b.Store, out))
			after = db.Snapshot()
		}
		b.see(list, 0)
		if len(after) == 0 || fmt.Sprint(db.Snapshot()) != fmt.Sprint(after) {
			t.Errorf("%s: the table has %v, want %v", name, db.Snapshot(), after)
		}
	}
}

// TestManyMessagesOfOneChannelHideNoOther has more than a page of entries wait before those of other channels, and then more than one look reads.
func TestManyMessagesOfOneChannelHideNoOther(t *testing.T) {
	t.Parallel()
	queries := 0
	db := memorydriver.New(&memorydriver.Options{Hook: func(c memorydriver.Call) error {
		if c.Op == memorydriver.Query && c.Done {
			queries++
		}
		return nil
	}})
	b := &backend{T: t, now: time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC), db: db}
	b.Store = store.New(db, store.NewBlobs(memblob.OpenBucket(nil)), &store.Options{Now: b.clock})
	fill := func(from, to int64) {
		for seq := from; seq < to; seq += store.MaxOuts {
			e := failed(seq)
			b.ok(b.PutEvents(b.Context(), "alarm", []event.Event{e}))
			row, err := b.SensorEvent(b.Context(), "alarm", e)
			b.ok(err)
			var outs []store.Out
			for i := range store.MaxOuts {
				outs = append(outs, note(e, "slack", fmt.Sprint(i), "x"))
			}
			_, err = b.EndEvent(b.Context(), row, store.EventDone, outs)
			b.ok(err)
		}
	}
	due := func(limit int) []string {
		queries = 0
		names, err := b.DueChannels(b.Context(), limit)
		b.ok(err)
		return names
	}
	fill(0, 3_000)
	b.advance(time.Second)
	b.give(100_000, "team")
	b.give(100_001, "pager")
	if got := due(10); !slices.Equal(got, []string{"slack", "team", "pager"}) && !slices.Equal(got, []string{"slack", "pager", "team"}) {
		t.Errorf("due: %v", got)
	}
	if got := due(1); !slices.Equal(got, []string{"slack"}) || queries != 1 {
		t.Errorf("one that is due: %v, in %d queries", got, queries)
	}
	b.advance(-2 * time.Second)
	fill(200_000, 211_000)
	b.advance(2 * time.Second)
	if got := due(10); !slices.Equal(got, []string{"slack"}) || queries > 20 {
		t.Errorf("due: %v, in %d queries", got, queries)
	}
	list, err := b.Unseen(b.Context(), "slack")
	b.ok(err)
	if n, err := b.See(b.Context(), list); err != nil || n != 1_000 {
		t.Errorf("%d were seen at once, %v", n, err)
	}
}

func TestTheInboxOfAnEarlierVersionGoesUnlessItWasPutAnew(t *testing.T) {
	onEach(t, func(b *backend) {
		put := func(version int64) {
			key := driver.Key{Partition: "CHANNEL#slack", Sort: "INBOX"}
			b.ok(b.db.Put(b.Context(), driver.Item{Key: key, Version: version, Entries: []driver.Entry{
				{Index: "due", Partition: "channel", Sort: "2026-07-01T11:00:00.000000Z#CHANNEL#slack#INBOX"}}}, driver.Any))
		}
		put(7)
		b.dueChannels("slack")
		list := b.unseen("slack", 1)
		put(8)
		b.see(list, 0)
		b.soon(func() string {
			list, err := b.Unseen(b.Context(), "slack")
			b.ok(err)
			if n, err := b.See(b.Context(), list); err != nil || n != 1 {
				return fmt.Sprintf("%d went, %v", n, err)
			}
			return ""
		})
		b.dueChannels()
		if _, err := b.db.Get(b.Context(), driver.Key{Partition: "CHANNEL#slack", Sort: "INBOX"}); !errors.Is(err, fault.NotFound) {
			b.Errorf("it is there: %v", err)
		}
	})
}
