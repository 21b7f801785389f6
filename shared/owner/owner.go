// Package owner gives a thing (a run; later a channel, a gathering sensor) at most one owner at a time: a lease
// with an epoch and a token, in one item that only the owner writes. Everybody else leaves a note.
//
//	partition  sort      what
//	RUN#id     META      version, epoch, owner, due, and the state of the thing
//	RUN#id     NOTE#key  put if absent by anybody, read by the owner at each heartbeat
//
// It imports fault and the store's driver port of ours.
package owner

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"waggle/shared/fault"
	"waggle/shared/store/driver"
)

// metaSort is the sort key of the item that holds the ownership.
const metaSort = "META"

// Ownership says who owns a thing and when it must be looked at.
type Ownership struct {
	// Epoch is the number of owners so far; 0: never owned.
	Epoch int64 `json:"epoch"`
	// Token is the owner's secret word for this epoch; empty: nobody owns it.
	Token string `json:"owner,omitempty"`
	// Worker is the host and process of the newest owner, for people.
	Worker string `json:"worker,omitempty"`
	// Due is when somebody must look at it: while it is owned, when the lease ends.
	// Zero: nothing is left to do.
	Due time.Time `json:"due,omitzero"`
	// Died says that an owner before this one died, and that this one has not yet dealt with it.
	Died bool `json:"died,omitempty"`
}

// Held reports whether a lease of that length still runs. One that would run for more than two lengths was written before the clock
// was set back: it holds nothing up. Should its owner be alive after all, the next one's epoch shuts it out.
func (o Ownership) Held(now time.Time, lease time.Duration) bool {
	left := o.Due.Sub(now)
	return o.Token != "" && left > 0 && left <= 2*lease
}

// Meta is a thing as stored.
type Meta[T any] struct {
	Ownership
	State   T     `json:"state"`
	Version int64 `json:"-"`
}

// Class is the things of one kind. All fields are required.
type Class[T any] struct {
	DB    driver.Driver
	Lease time.Duration    // how long an owner may be silent
	Now   func() time.Time // with a monotonic reading where there is one
	Token func() (string, error)
	// Entries are the index rows of a thing.
	Entries func(state *T, o Ownership) []driver.Entry
}

// New returns the item of a new thing that nobody owns, due at a time: put it if absent.
func (c *Class[T]) New(partition string, state T, due time.Time) (driver.Item, error) {
	return c.item(partition, &Meta[T]{Ownership: Ownership{Due: due}, State: state, Version: 1})
}

// Get returns a thing as last stored; fault.NotFound where there is none.
func (c *Class[T]) Get(ctx context.Context, partition string) (Meta[T], error) {
	item, err := c.DB.Get(ctx, driver.Key{Partition: partition, Sort: metaSort})
	if err != nil {
		return Meta[T]{}, err
	}
	return Decode[T](item)
}

// Decode reads a thing from its item, also from one that an index query returned.
func Decode[T any](item driver.Item) (Meta[T], error) {
	meta := Meta[T]{Version: item.Version}
	if err := json.Unmarshal(item.Data, &meta); err != nil {
		return meta, fault.Wrap(fault.Corrupt, "read "+item.Key.String(), err)
	}
	return meta, nil
}

func (c *Class[T]) item(partition string, m *Meta[T]) (driver.Item, error) {
	data, err := json.Marshal(m)
	if err != nil {
		return driver.Item{}, fault.Wrap(fault.Internal, "encode "+partition, err)
	}
	return driver.Item{Key: driver.Key{Partition: partition, Sort: metaSort}, Version: m.Version, Data: data,
		Entries: c.Entries(&m.State, m.Ownership)}, nil
}

// Postpone changes a thing that nobody owns, as it was read, and sets when somebody must look at it: what an owner would leave that finds
// nothing to do, in one write and without an epoch. It is fault.Conflict where the thing is owned, its owner died, or anybody has
// written it since.
func (c *Class[T]) Postpone(ctx context.Context, partition string, read Meta[T], due time.Time, change func(*T)) error {
	if read.Token != "" || read.Died {
		return fault.New(fault.Conflict, "%s is owned by %s", partition, read.Worker)
	}
	next := read
	next.Due = due
	next.Version++
	change(&next.State)
	item, err := c.item(partition, &next)
	if err != nil {
		return err
	}
	return c.DB.Put(ctx, item, driver.IfVersion(read.Version))
}

// EndLease ends the lease of a worker that is known to be dead, so that the next one need not wait for its end, and reports whether the
// worker held one. A worker that lives after all renews it as ever, unless somebody has acquired the thing meanwhile.
func (c *Class[T]) EndLease(ctx context.Context, partition, worker string) (bool, error) {
	meta, err := c.Get(ctx, partition)
	if err != nil || meta.Token == "" || meta.Worker != worker {
		return false, err
	}
	read := meta.Version
	meta.Due = c.Now()
	meta.Version++
	item, err := c.item(partition, &meta)
	if err != nil {
		return false, err
	}
	err = c.DB.Put(ctx, item, driver.IfVersion(read))
	if errors.Is(err, fault.Conflict) { // it lives, or another has acquired the thing
		return false, nil
	}
	return err == nil, err
}

// Acquire makes the caller the owner: epoch + 1, a new token, due when the lease ends. It is fault.Conflict
// while another's lease runs, fault.NotFound for a thing that does not exist.
func (c *Class[T]) Acquire(ctx context.Context, partition, worker string) (*Lease[T], error) {
	token, err := c.Token()
	if err != nil {
		return nil, err
	}
	for {
		meta, err := c.Get(ctx, partition)
		if err != nil {
			return nil, err
		}
		began := c.Now()
		if meta.Held(began, c.Lease) {
			return nil, fault.New(fault.Conflict, "%s is owned by %s for another %s", partition, meta.Worker, meta.Due.Sub(began).Round(time.Millisecond))
		}
		lease := &Lease[T]{class: c, partition: partition, token: token, meta: meta, Died: meta.Died || meta.Token != ""}
		lease.meta.Ownership = Ownership{Epoch: meta.Epoch + 1, Token: token, Worker: worker, Due: began.Add(c.Lease), Died: lease.Died}
		lease.meta.Version++
		err = lease.put(ctx)
		for try := 1; fault.Retryable(err) && try < 3; try++ {
			err = lease.put(ctx) // it may have been written: then the token says so
		}
		if errors.Is(err, fault.Lost) {
			continue // somebody else wrote; look again
		}
		if err != nil {
			return nil, err
		}
		lease.renewed = began
		return lease, nil
	}
}
