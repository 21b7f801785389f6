package eventbridge

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"waggle/shared/event"
	"waggle/shared/fault"
)

// What one request takes, by EventBridge's limits.
const (
	maxEntries = 10
	maxBytes   = 1 << 20
)

// Pauses between tries are drawn between nothing and a ceiling that doubles from the first to the longest: 25, 50, 100, 200, 400, 400 ms.
// The first four are 375 ms at most, so that they have room in the two seconds for which the end of a run waits.
const (
	firstPause   = 25 * time.Millisecond
	longestPause = 400 * time.Millisecond
)

// entry is an event as it is sent.
type entry struct {
	request types.PutEventsRequestEntry
	bytes   int
	id      string
}

// Publish puts events on the bus, and returns nil when EventBridge has taken all of them. What it refuses for now is sent again, and
// nothing else, until the context or the time of Options ends: then the error is fault.Throttled or fault.Unavailable, and the caller
// publishes all of them again another time. An event that is refused for good keeps none of the others from being published.
func (p *Publisher) Publish(ctx context.Context, events []event.Event) error {
	outer := ctx
	ctx, stop := context.WithTimeout(ctx, p.opts.Timeout)
	defer stop()
	var final error // of the first that was refused for good
	refuse := func(err error) { final = cmp.Or(final, err) }
	var waiting []entry
	for _, e := range events {
		one, err := p.entry(e)
		if err != nil {
			refuse(err)
			continue
		}
		waiting = append(waiting, one)
	}
	for len(waiting) > 0 {
		n := batch(waiting)
		if err := p.send(ctx, outer, waiting[:n], refuse); err != nil {
			return errors.Join(final, err)
		}
		waiting = waiting[n:]
	}
	return final
}

// entry is an event in EventBridge's terms.
func (p *Publisher) entry(e event.Event) (entry, error) {
	detail, err := json.Marshal(e)
	if err != nil {
		return entry{}, fault.Wrap(fault.Internal, "encode event "+e.ID, err)
	}
	one := entry{id: e.ID, bytes: len(Source) + len(e.Type) + len(detail), request: types.PutEventsRequestEntry{EventBusName: &p.bus, Source: aws.String(Source),
		DetailType: aws.String(string(e.Type)), Detail: aws.String(string(detail))}}
	if !e.Time.IsZero() {
		one.request.Time = aws.Time(e.Time)
		one.bytes += 14
	}
	if one.bytes > maxBytes {
		return entry{}, fault.New(fault.TooLarge, "event %s has %d bytes, %d are allowed", e.ID, one.bytes, maxBytes).WithHint("shorten the names of what it tells of")
	}
	return one, nil
}

// batch is how many of the first entries one request takes; one at least.
func batch(entries []entry) int {
	bytes := 0
	for n, e := range entries {
		if bytes += e.bytes; n == maxEntries || bytes > maxBytes {
			return n
		}
	}
	return len(entries)
}

// send sends entries, those that were refused for now again and again. refuse is told of those that were refused for good. An error says
// that some are not published.
func (p *Publisher) send(ctx, outer context.Context, entries []entry, refuse func(error)) error {
	return p.persist(ctx, outer, "publish events", func(ctx context.Context) error {
		in := &eventbridge.PutEventsInput{}
		for _, e := range entries {
			in.Entries = append(in.Entries, e.request)
		}
		out, err := p.client.PutEvents(ctx, in)
		if err == nil {
			entries, err = p.refused(entries, out, refuse)
		}
		return err
	})
}

// refused returns the entries that were refused for now, and why the last of them was.
func (p *Publisher) refused(entries []entry, out *eventbridge.PutEventsOutput, refuse func(error)) (again []entry, err error) {
	if out.FailedEntryCount == 0 {
		return nil, nil
	}
	if len(out.Entries) != len(entries) {
		return entries, &entryError{"", "the answer is about another number of events"}
	}
	for i, answer := range out.Entries {
		if answer.ErrorCode == nil {
			continue
		}
		why := &entryError{*answer.ErrorCode, aws.ToString(answer.ErrorMessage)}
		switch code, hint := p.meaning(why.code, 0); code {
		case fault.Throttled, fault.Unavailable:
			again, err = append(again, entries[i]), why
		default:
			refuse(&fault.Error{Op: "publish event " + entries[i].id, Code: code, Err: why, Hint: hint})
		}
	}
	return again, err
}

// rest waits before the next try, and reports whether there is time for one.
func rest(ctx context.Context, tries int) bool {
	ceiling := longestPause
	if tries < 5 {
		ceiling = firstPause << (tries - 1)
	}
	timer := time.NewTimer(rand.N(ceiling))
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}
