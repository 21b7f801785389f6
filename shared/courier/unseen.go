package courier

import (
	"context"
	"time"
)

// What waits in a channel and nobody has seen is in one index with what waits in others, by the time at which it was stored. Thousands of one channel
// would hide what came after them.

// roomEvery is how often an owner that has much to send takes what it has not come to out of the index.
const roomEvery = time.Second

// see takes messages of the channel that its owner leaves waiting out of the index of what is due, a thousand at most, and reports whether there
// were any: then the owner goes over all that waits once more, since some may have come after it last did.
func (d *drainer) see(ctx context.Context) (bool, error) {
	list, err := d.store.Unseen(ctx, d.name)
	if err != nil || len(list) == 0 {
		return false, err
	}
	if err := d.stillOwner(ctx); err != nil { // whoever owns the channel after this finds what is in the list
		return false, err
	}
	n, err := d.store.See(ctx, list)
	d.took = d.took || n > 0 || err != nil // an answer may be lost
	return n > 0, err
}

// makeRoom has other channels found while this one has more to send than a page. What fails is left to the end.
func (d *drainer) makeRoom(ctx context.Context) {
	now := d.store.Now()
	if !d.more || now.Sub(d.room) < roomEvery {
		return
	}
	_, _ = d.see(ctx)
	d.room = d.store.Now()
}
