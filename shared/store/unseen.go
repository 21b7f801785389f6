package store

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"waggle/shared/fault"
	"waggle/shared/store/driver"
)

// A message that no owner of its channel has seen is in the index of what is due by itself, from when it was stored. The owner that leaves it
// waiting takes that entry away, and deleting the message takes it along. From then on the channel's META brings the work back:
//
//	not seen  the message's own entry
//	seen      META: due when the lease ends while the channel is owned, and when its owner said once it is released
//
// It is never neither, whatever write is the last before a death, by three rules. Only an owner takes entries away; who does not own the
// channel and writes a message puts its entry. An owner goes over all that waits after the last entry that it took away, and only then says when the
// channel is due. And it takes away what it found while it surely was the owner: whoever owns the channel next looks later, and finds it too.
//
// A message keeps its version where its entry goes: nobody who has read it is in the way of that, and it in nobody's.

// Unseen is a message that its channel's owner has not seen.
type Unseen struct {
	key     driver.Key
	version int64
}

const (
	unseenAtOnce  = 1_000  // of one channel
	entriesAtMost = 10_000 // that one look at the index reads
	entriesAtOnce = 500    // a page of them
	seenAtOnce    = 16     // writes
)

// unseen is the entry of a message that no owner has seen.
func (o Out) unseen(stored time.Time) driver.Entry {
	return driver.Entry{Index: indexDue, Partition: dueChannels, Sort: stored.UTC().Format(keyTime) + "#" + channelPartition(o.Channel) + "#" + o.ID()}
}

// Unseen returns messages of a channel that nobody has seen, those first that were stored first; a thousand at most. An index may lag: some may
// be gone or seen by now, and some lacking.
func (s *Store) Unseen(ctx context.Context, channel string) ([]Unseen, error) {
	var list []Unseen
	err := s.eachDueChannel(ctx, func(item driver.Item) bool {
		if item.Partition == channelPartition(channel) && item.Sort != metaSort {
			list = append(list, Unseen{item.Key, item.Version})
		}
		return len(list) < unseenAtOnce
	})
	return list, err
}

// eachDueChannel visits entries of channels that are due and of messages that nobody has seen, the oldest first, until visit wants no more; ten
// thousand at most.
func (s *Store) eachDueChannel(ctx context.Context, visit func(driver.Item) (more bool)) error {
	read := 0
	return s.eachDue(ctx, driver.Query{Partition: dueChannels, To: s.dueBefore(), Limit: entriesAtOnce}, func(item driver.Item) (bool, error) {
		read++
		return visit(item) && read < entriesAtMost, nil
	})
}

// See takes messages out of the index, and returns how many of them were there; one that was written since it was listed stays. It begins no more
// after a sixth of a lease. The caller must have known that it owned the channel after Unseen had listed them, and goes over all that waits before it
// releases the channel. After an error some are out.
func (s *Store) See(ctx context.Context, list []Unseen) (int, error) {
	var wg sync.WaitGroup
	var mu sync.Mutex
	var seen int
	var failed error
	next := make(chan Unseen)
	for range min(seenAtOnce, len(list)) {
		wg.Go(func() {
			for u := range next {
				did, err := s.see(ctx, u)
				mu.Lock()
				if did {
					seen++
				}
				failed = errors.Join(failed, err)
				mu.Unlock()
			}
		})
	}
	for until, rest := s.now().Add(s.Lease()/6), list; len(rest) > 0 && s.now().Before(until); rest = rest[1:] {
		next <- rest[0]
	}
	close(next)
	wg.Wait()
	return seen, failed
}

func (s *Store) see(ctx context.Context, u Unseen) (bool, error) {
	var err error
	if strings.HasPrefix(u.key.Sort, outPrefix) {
		var item driver.Item
		item, err = s.db.Get(ctx, u.key) // an index has no bodies
		if errors.Is(err, fault.NotFound) || err == nil && len(item.Entries) == 0 {
			return false, nil
		}
		if err == nil {
			item.Entries = nil
			err = s.db.Put(ctx, item, driver.IfVersion(u.version))
		}
	} else { // INBOX, by which an earlier version said that something waits
		err = s.db.Delete(ctx, u.key, driver.IfVersion(u.version))
	}
	if errors.Is(err, fault.Conflict) {
		return false, nil
	}
	return err == nil, err
}
