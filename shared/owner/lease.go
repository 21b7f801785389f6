package owner

import (
	"context"
	"errors"
	"sync"
	"time"

	"waggle/shared/fault"
	"waggle/shared/store/driver"
)

// Lease is the right to write a thing and what hangs on it. It is safe for several goroutines.
// An owner renews it well within two thirds of its length; past that it must write nothing.
type Lease[T any] struct {
	// Died reports that an owner before did not release the thing, and that none since has called Heard.
	Died bool

	class     *Class[T]
	partition string
	token     string

	mu      sync.Mutex
	meta    Meta[T]
	renewed time.Time // when the last renewal that succeeded began
	over    bool      // released or lost
}

// Epoch is the number of this owner.
func (l *Lease[T]) Epoch() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.meta.Epoch
}

// State returns a copy of the state as the owner has it.
func (l *Lease[T]) State() T {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.meta.State
}

// Update changes the state; the next Renew or Release stores it.
func (l *Lease[T]) Update(change func(*T)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change(&l.meta.State)
}

// Heard says that the death of the owner before is dealt with: should this owner release the thing from now on, the
// next one does not hear of it.
func (l *Lease[T]) Heard() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.meta.Died = false
}

// Renew stores the state and the lease anew, also after it ran out, if nobody has taken over. fault.Lost means that the thing is no longer
// the caller's; a retryable fault may be tried again until Stale.
func (l *Lease[T]) Renew(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over {
		return fault.New(fault.Lost, "%s is no longer owned here", l.partition)
	}
	began := l.class.Now()
	l.meta.Due = began.Add(l.class.Lease)
	l.meta.Version++
	if err := l.put(ctx); err != nil {
		l.meta.Version--
		l.over = errors.Is(err, fault.Lost)
		return err
	}
	l.renewed = began
	return nil
}

// Release stores the state and gives the thing up, due at a time; zero: nothing is left to do. The caller then
// looks at the notes once more, since one may have come after its last look.
func (l *Lease[T]) Release(ctx context.Context, due time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over {
		return fault.New(fault.Lost, "%s is no longer owned here", l.partition)
	}
	kept := l.meta.Ownership
	l.meta.Token, l.meta.Due = "", due
	l.meta.Version++
	if err := l.put(ctx); err != nil {
		l.meta.Version--
		l.meta.Ownership = kept
		l.over = errors.Is(err, fault.Lost)
		return err
	}
	l.over = true
	return nil
}

// Stale reports that two thirds of the lease have passed since the last renewal, by the wall or the monotonic
// clock, whichever says more: the monotonic one of a frozen process stands still, the wall may be set back.
func (l *Lease[T]) Stale() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.class.Now()
	wall, monotonic := now.Round(0).Sub(l.renewed.Round(0)), now.Sub(l.renewed)
	return l.over || max(wall, monotonic) >= l.class.Lease*2/3
}

// put writes the meta over the version before it. A conflict with an item of this epoch and token is an answer
// that was lost, not a lost lease: then it writes over that.
func (l *Lease[T]) put(ctx context.Context) error {
	for {
		item, err := l.class.item(l.partition, &l.meta)
		if err != nil {
			return err
		}
		err = l.class.DB.Put(ctx, item, driver.IfVersion(item.Version-1))
		var conflict *driver.ConflictError
		if !errors.As(err, &conflict) {
			return err
		}
		if conflict.Stored == nil {
			return fault.New(fault.Lost, "%s is gone", l.partition)
		}
		stored, err := Decode[T](*conflict.Stored)
		if err != nil {
			return err
		}
		// Once the epoch is won, an item of it without a token is this owner's own release.
		won := !l.renewed.IsZero()
		if stored.Epoch != l.meta.Epoch || stored.Token != l.token && !(won && stored.Token == "") {
			return fault.New(fault.Lost, "%s was taken over by %s", l.partition, stored.Worker)
		}
		l.meta.Version = stored.Version + 1
	}
}
