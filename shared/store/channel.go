package store

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"math/big"
	"time"

	"waggle/shared/fault"
	"waggle/shared/owner"
	"waggle/shared/store/driver"
)

// A channel's rows. Its owner alone sends, keeps its state and moves rows from OUT to MSG; everybody may put OUT rows.
//
//	CHANNEL#name  META                          ownership, and what the channel's owner must know
//	CHANNEL#name  OUT#time#run#seq#source#call  a message that waits
//	CHANNEL#name  MSG#time#id                   a message that was sent, folded or given up, and what it reported
//	CHANNEL#name  THREAD#source#subject         what the channel was told of a subject
//
// META is in the partition "channel" of the index of what is due, and so is an OUT row until an owner has seen it: see Unseen.
const (
	dueChannels = "channel"
	outPrefix   = "OUT#"
	msgPrefix   = "MSG#"
)

// Channel is what the owner of a channel must know.
type Channel struct {
	Name string `json:"name"`
	// NotBefore is when the channel takes the next message: a server asked to wait, or the channel is broken. Zero: at once.
	NotBefore time.Time `json:"not_before,omitzero"`
	Failures  int       `json:"failures,omitempty"` // sends in a row that failed, of any message
	Failing   time.Time `json:"failing,omitzero"`   // since when they fail
	// Parked is since when the channel is broken; zero: it is not.
	Parked time.Time `json:"parked,omitzero"`
	Reason string    `json:"reason,omitempty"` // why NotBefore; a named reason
	Error  string    `json:"error,omitempty"`  // of the last send that failed
	// Crowded is until when there are more reports than the rate lets through: they leave together, and each is named.
	Crowded time.Time `json:"crowded,omitzero"`
	// Budget is how many messages may leave at once, at Budgeted: its rate.
	Budget   float64   `json:"budget,omitempty"`
	Budgeted time.Time `json:"budgeted,omitzero"`
}

// ChannelLease is the ownership of a channel.
type ChannelLease = owner.Lease[Channel]

func channelPartition(name string) string { return "CHANNEL#" + name }

func channelKey(name, sort string) driver.Key {
	return driver.Key{Partition: channelPartition(name), Sort: sort}
}

func channelEntries(c *Channel, o owner.Ownership) []driver.Entry {
	if o.Due.IsZero() {
		return nil
	}
	return []driver.Entry{dueEntry(dueChannels, o.Due, channelKey(c.Name, metaSort))}
}

// AcquireChannel makes the caller the owner of a channel: fault.Conflict while another owns it.
func (s *Store) AcquireChannel(ctx context.Context, name, worker string) (*ChannelLease, error) {
	lease, err := s.channels.Acquire(ctx, channelPartition(name), worker)
	if !errors.Is(err, fault.NotFound) {
		return lease, err
	}
	item, err := s.channels.New(channelPartition(name), Channel{Name: name}, s.now())
	if err != nil {
		return nil, err
	}
	if err := s.db.Put(ctx, item, driver.IfAbsent); err != nil && !errors.Is(err, fault.Conflict) {
		return nil, err
	}
	return s.channels.Acquire(ctx, channelPartition(name), worker)
}

// UnholdChannel has a channel that nobody owns take its next message at once, and makes it due, in one write and without owning it. Where
// somebody owns it, or died as its owner, nothing changes: the owner, or the next one, decides.
func (s *Store) UnholdChannel(ctx context.Context, name string) error {
	meta, err := s.channels.Get(ctx, channelPartition(name))
	if errors.Is(err, fault.NotFound) {
		return nil // never used, it holds nothing back
	}
	if err != nil {
		return err
	}
	meta.Died = false // an owner of long ago; the one after it took up what it left
	err = s.channels.Postpone(ctx, channelPartition(name), meta, s.now(), func(ch *Channel) { ch.NotBefore = time.Time{} })
	if errors.Is(err, fault.Conflict) {
		return nil
	}
	return err
}

// ChannelState returns a channel as its owner last wrote it; the zero value for one that was never used.
func (s *Store) ChannelState(ctx context.Context, name string) (Channel, owner.Ownership, error) {
	meta, err := s.channels.Get(ctx, channelPartition(name))
	if errors.Is(err, fault.NotFound) {
		return Channel{Name: name}, owner.Ownership{}, nil
	}
	return meta.State, meta.Ownership, err
}

// newVersion is a version that no earlier item with the same key had.
func (s *Store) newVersion() (int64, error) {
	version, err := rand.Int(s.rand, big.NewInt(1<<62))
	if err != nil {
		return 0, fault.Wrap(fault.Internal, "make a version", err)
	}
	return version.Int64() + 1, nil
}

// DueChannels returns the channels that somebody must look after, those that have been due longest first; at most limit. It reads on over the
// messages of a channel that it has, ten thousand at most. An index may lag.
func (s *Store) DueChannels(ctx context.Context, limit int) ([]string, error) {
	var names []string
	has := map[string]bool{}
	err := s.eachDueChannel(ctx, func(item driver.Item) bool {
		if name := item.Partition[len(channelPartition("")):]; !has[name] {
			has[name] = true
			names = append(names, name)
		}
		return len(names) < limit
	})
	return names, err
}

// NextAlert returns the soonest time at which a sensor's event or a channel is due, or a row owes an event to whom the rows of this store owe
// theirs; zero: nothing waits. of chooses sensors by name; nil: all. An index may lag.
func (s *Store) NextAlert(ctx context.Context, of func(sensor string) bool) (time.Time, error) {
	var next time.Time
	partitions := []string{dueSensors, dueChannels}
	if s.owing.to != "" {
		partitions = append(partitions, string(s.owing.to))
	}
	for _, partition := range partitions {
		q := driver.Query{Partition: partition, Limit: 1}
		chosen := of != nil && partition == dueSensors
		if chosen {
			q.Limit = pageOfDue
		}
		err := s.eachDue(ctx, q, func(item driver.Item) (more bool, err error) {
			if chosen && !of(sensorOf(item)) {
				return true, nil
			}
			at, err := dueAt(item)
			if next.IsZero() || !at.IsZero() && at.Before(next) {
				next = at
			}
			return false, err
		})
		if err != nil {
			return next, err
		}
	}
	return next, nil
}

// dueAt is when a row is due.
func dueAt(item driver.Item) (time.Time, error) {
	for _, e := range item.Entries {
		if e.Index != indexDue || len(e.Sort) < len(keyTime) {
			continue
		}
		at, err := time.Parse(keyTime, e.Sort[:len(keyTime)])
		if err != nil {
			return at, fault.New(fault.Corrupt, "due entry %q of %s has no time", e.Sort, item.Key)
		}
		return at, nil
	}
	return time.Time{}, nil
}

func encodeRow(what string, v any) (json.RawMessage, error) {
	data, err := json.Marshal(v)
	return data, fault.Wrap(fault.Internal, "encode "+what, err)
}

func decodeRow(item driver.Item, v any) error {
	return fault.Wrap(fault.Corrupt, "read "+item.Key.String(), json.Unmarshal(item.Data, v))
}
