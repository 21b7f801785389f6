package courier

import (
	"context"
	"errors"
	"regexp"
	"time"

	"waggle/shared/fault"
	"waggle/shared/notice"
	"waggle/shared/notify"
	"waggle/shared/run"
	"waggle/shared/store"
)

// A thread is one subject on one channel for one sensor: the first failure opens an episode, the next ones update it, the first success
// resolves it. It is folded by when things happened, not by when they came.

// The decisions: what a report did to the episode of its subject.
const (
	DecisionOpened     = "opened"      // the subject fails, and people are told
	DecisionChanged    = "changed"     // it fails for another reason
	DecisionReminded   = "reminded"    // it still fails, and people were last told long ago
	DecisionEdited     = "edited"      // it still fails; the message that opened the episode says so now
	DecisionResolved   = "resolved"    // it works again
	DecisionFixedSince = "fixed_since" // it had failed, and works again by now: nothing was opened
	DecisionDigest     = "digest"      // several reports left together, since there were more than the channel takes
	DecisionCaughtUp   = "caught_up"   // those that had waited for a broken channel left together
)

// The reasons with which a report is folded: nothing is sent, as people know it.
const (
	ReasonSameFailure = "same_failure" // they were told that the subject fails so
	ReasonOlderEvent  = "older_event"  // they were told of something newer
	ReasonNothingOpen = "nothing_open" // they were not told of a failure, so not of its end
)

// outcome is what becomes of a report.
type outcome struct {
	thread   store.Thread // as it is once people were told, or need not be
	before   store.Thread
	decision string // empty: it is a message of its own
	folded   string // why nothing is sent; empty: it is sent
	fixed    store.Summary
}

// habits are how a channel wants its subjects told.
type habits struct {
	edits  bool          // a message can be edited
	remind time.Duration // since people were last told
	all    bool          // each failure is named, also one that says nothing new
}

// fold is what a report does to its thread. now is when people are told.
func fold(t store.Thread, o store.Out, now time.Time, h habits) outcome {
	out := outcome{thread: t, before: t}
	next := &out.thread
	older := o.Time.Before(t.Newest)
	if !older {
		next.Newest = o.Time
	}
	next.Name = o.About.Name
	sameStreak := t.Open() && !o.About.Since.After(t.Newest)
	switch {
	case o.About.Status == run.Success && t.Open() && !older:
		next.Fixed, next.Resolved, next.Told = o.Run, o.Time, now
		out.decision = DecisionResolved
	case o.About.Status == run.Success && !o.About.EndOnly:
	case o.About.Status == run.Success && t.Open():
		out.folded = ReasonOlderEvent
	case o.About.Status == run.Success:
		out.folded = ReasonNothingOpen
	case !sameStreak:
		next.Opener, next.Opened, next.Since, next.Failures = o.Run, o.Time, o.About.Since, 1
		next.Failed, next.Error, next.Told = o.Run, o.About.Error, now
		next.Root, next.Last, next.Fixed, next.Resolved = "", "", "", time.Time{}
		out.decision = DecisionOpened
	case older && !h.all:
		next.Failures++
		out.folded = ReasonOlderEvent
	default:
		next.Failures++
		if !older {
			next.Failed, next.Error = o.Run, o.About.Error
		}
		switch {
		case !sameError(t.Error, o.About.Error):
			next.Told = now
			out.decision = DecisionChanged
		case h.all || now.Sub(t.Told) >= h.remind:
			next.Told = now
			out.decision = DecisionReminded
		case h.edits && t.Root != "":
			out.decision = DecisionEdited
		default:
			out.folded = ReasonSameFailure
		}
	}
	return out
}

// varying is what differs between two errors of one cause: numbers, ids, addresses.
var varying = regexp.MustCompile(`[0-9a-fA-F]{8}[0-9a-fA-F-]*|[0-9]+`)

// sameError reports whether two errors are of one cause, as far as their words tell.
func sameError(a, b string) bool {
	return varying.ReplaceAllString(a, "#") == varying.ReplaceAllString(b, "#")
}

// outcomeOf decides what becomes of what waits, before any of the channel's rate is spent on it.
func (d *drainer) outcomeOf(ctx context.Context, o store.Out, all bool) (outcome, error) {
	if o.About == nil {
		return outcome{}, nil
	}
	t, err := d.store.Thread(ctx, d.name, o.Source, o.About.Subject)
	if err != nil {
		return outcome{}, err
	}
	return d.follow(ctx, t, o, all)
}

// follow folds a report into a thread. Who opens an episode asks once whether the subject works again by now.
func (d *drainer) follow(ctx context.Context, t store.Thread, o store.Out, all bool) (outcome, error) {
	editor, edits := d.sender.(notify.Editor)
	out := fold(t, o, d.store.Now().UTC(), habits{edits: edits && editor.Edits(), remind: d.def.Limits.Remind, all: all})
	if out.decision != DecisionOpened {
		return out, nil
	}
	page, _, err := d.store.Runs(ctx, store.Filter{Job: o.About.Name, Status: run.Success}, 1, "")
	if err != nil || len(page) == 0 || !page[0].Ended.After(o.Time) {
		return out, err
	}
	out.decision, out.fixed, out.thread = DecisionFixedSince, page[0], t
	if o.Time.After(t.Newest) {
		out.thread.Newest = o.Time
	}
	out.thread.Name = o.About.Name
	return out, nil
}

// place is where in the channel a message goes.
func (o outcome) place() notify.Thread {
	switch o.decision {
	case DecisionEdited:
		return notify.Thread{Root: o.before.Root, Last: o.before.Last, Edit: true}
	case DecisionChanged, DecisionReminded, DecisionResolved:
		return notify.Thread{Root: o.before.Root, Last: o.before.Last, Broadcast: true}
	}
	return notify.Thread{}
}

// told is the thread once the service took the message.
func (o outcome) told(ref string) []store.Thread {
	if o.thread.Source == "" {
		return nil
	}
	switch o.decision {
	case DecisionOpened:
		o.thread.Root, o.thread.Last = ref, ref
	case DecisionChanged, DecisionReminded, DecisionResolved:
		o.thread.Last = ref
	case DecisionEdited:
		if ref != "" && ref != o.before.Root { // it was gone, and is posted anew
			o.thread.Root, o.thread.Last = ref, ref
		}
	}
	return []store.Thread{o.thread}
}

// write is a message as it is sent: as its sensor gave it, or, where it follows others, in the words for that.
func (d *drainer) write(ctx context.Context, o store.Out, s outcome) (p payload, own bool, err error) {
	var follows func(notice.Run) notify.Sendable
	switch s.decision {
	case DecisionChanged:
		follows = func(r notice.Run) notify.Sendable { return notice.Update{Run: r, Before: s.before.Error} }
	case DecisionReminded, DecisionEdited:
		follows = func(r notice.Run) notify.Sendable { return notice.Update{Run: r} }
	case DecisionResolved:
		follows = func(r notice.Run) notify.Sendable {
			return notice.Resolved{Run: r, Since: s.before.Since, Failures: s.before.Failures, LastError: s.before.Error}
		}
	case DecisionFixedSince:
		follows = func(r notice.Run) notify.Sendable { return notice.FixedSince(r, s.fixed.ID, s.fixed.Ended) }
	default:
		body, err := d.store.MessageBody(ctx, o)
		if err == nil {
			p, err = d.packer.unpack(body)
		}
		return p, true, err
	}
	r, err := d.runOf(ctx, o)
	if err != nil {
		return p, false, err
	}
	p, err = d.render(follows(r))
	return p, false, err
}

// runOf is what is known of the run that a report is about; of one whose log has expired, what the report itself says.
func (d *drainer) runOf(ctx context.Context, o store.Out) (notice.Run, error) {
	log, _, err := d.store.Fold(ctx, o.Run)
	if err == nil && !log.Expired {
		return d.Courier.told(ctx, log.Record, &recent{})
	}
	if err != nil && !errors.Is(err, fault.NotFound) {
		return notice.Run{}, err
	}
	return notice.Run{ID: o.Run, Job: o.About.Name, Name: o.About.Name, Status: o.About.Status, Error: o.About.Error, Ended: o.Time,
		FailingSince: o.About.Since, Place: d.opts.Place}, nil
}
