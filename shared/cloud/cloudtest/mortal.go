package cloudtest

import (
	"context"
	"errors"
	"strings"
	"sync"

	"waggle/shared/fault"
	"waggle/shared/notify"
	"waggle/shared/store/driver"
)

// life is that of one invocation: how many calls to the table it has left, and what it sent.
type life struct {
	mu   sync.Mutex
	left int // negative: any number
	cut  bool
	sent int // messages that left, and that are not stored as sent
	// ambiguous are those of them after which a call to the table failed.
	ambiguous int
}

// alive takes one call of those that are left.
func (l *life) alive() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.left < 0 {
		return nil
	}
	if l.left > 0 {
		l.left--
		return nil
	}
	l.cut = true
	l.failed()
	return fault.New(fault.Unavailable, "this invocation is cut off")
}

func (l *life) failed() { l.ambiguous, l.sent = l.ambiguous+l.sent, 0 }

// called says how a call that was let through ended.
func (l *life) called(err error) error {
	if errors.Is(err, fault.Unavailable) || errors.Is(err, fault.Throttled) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.failed()
	}
	return err
}

// wrote takes what a write says of messages: those that it stored as sent have left for good.
func (l *life) wrote(ops []driver.Op, err error) error {
	if err != nil {
		return l.called(err)
	}
	for _, op := range ops {
		if op.Put != nil && strings.HasPrefix(op.Put.Partition, "CHANNEL#") && strings.HasPrefix(op.Put.Sort, "MSG#") {
			l.mu.Lock()
			l.sent = max(l.sent-1, 0)
			l.mu.Unlock()
		}
	}
	return nil
}

func (l *life) ended() (cut bool, ambiguous int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.cut, l.ambiguous
}

// noted counts what a sender sends, and may cut its invocation off after a send.
type noted struct {
	notify.Sender
	life *life
	dies func() bool
}

// Send implements notify.Sender.
func (n noted) Send(ctx context.Context, key string, c notify.Content, t notify.Thread) notify.Answer {
	answer := n.Sender.Send(ctx, key, c, t)
	if answer.Kind.Delivered() {
		dies := n.dies()
		n.life.mu.Lock()
		defer n.life.mu.Unlock()
		n.life.sent++
		if dies {
			n.life.left = 0
		}
	}
	return answer
}

// Edits implements notify.Editor.
func (n noted) Edits() bool {
	editor, ok := n.Sender.(notify.Editor)
	return ok && editor.Edits()
}

// mortal is the table as one invocation sees it: after some calls there is none any more.
type mortal struct {
	driver.Driver
	life *life
}

// Get implements driver.Driver.
func (m mortal) Get(ctx context.Context, key driver.Key) (driver.Item, error) {
	if err := m.life.alive(); err != nil {
		return driver.Item{}, err
	}
	item, err := m.Driver.Get(ctx, key)
	return item, m.life.called(err)
}

// Query implements driver.Driver.
func (m mortal) Query(ctx context.Context, q driver.Query) (driver.Page, error) {
	if err := m.life.alive(); err != nil {
		return driver.Page{}, err
	}
	page, err := m.Driver.Query(ctx, q)
	return page, m.life.called(err)
}

// Put implements driver.Driver.
func (m mortal) Put(ctx context.Context, item driver.Item, cond driver.Condition) error {
	if err := m.life.alive(); err != nil {
		return err
	}
	return m.life.called(m.Driver.Put(ctx, item, cond))
}

// Delete implements driver.Driver.
func (m mortal) Delete(ctx context.Context, key driver.Key, cond driver.Condition) error {
	if err := m.life.alive(); err != nil {
		return err
	}
	return m.life.called(m.Driver.Delete(ctx, key, cond))
}

// PutAll implements driver.Driver.
func (m mortal) PutAll(ctx context.Context, items []driver.Item) error {
	if err := m.life.alive(); err != nil {
		return err
	}
	return m.life.called(m.Driver.PutAll(ctx, items))
}

// Write implements driver.Driver.
func (m mortal) Write(ctx context.Context, ops []driver.Op) error {
	if err := m.life.alive(); err != nil {
		return err
	}
	return m.life.wrote(ops, m.Driver.Write(ctx, ops))
}
