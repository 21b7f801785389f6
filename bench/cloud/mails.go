package main

import (
	"context"
	"errors"
	"sync"

	"waggle/shared/notify"
)

// mails counts those that leave.
type mails struct {
	mu             sync.Mutex
	sent, attached int
}

// counted wraps the senders of mail channels.
func (m *mails) counted(open func(*notify.Definition) (notify.Sender, error)) func(*notify.Definition) (notify.Sender, error) {
	return func(d *notify.Definition) (notify.Sender, error) {
		sender, err := open(d)
		if err != nil || d.Kind != notify.KindMail {
			return sender, err
		}
		return counting{sender, m}, nil
	}
}

type counting struct {
	notify.Sender
	mails *mails
}

// Send implements notify.Sender.
func (s counting) Send(ctx context.Context, key string, c notify.Content, t notify.Thread) notify.Answer {
	answer := s.Sender.Send(ctx, key, c, t)
	if answer.Kind.Delivered() {
		s.mails.mu.Lock()
		defer s.mails.mu.Unlock()
		s.mails.sent++
		for _, a := range c.Attachments {
			s.mails.attached += len(a.Data)
		}
	}
	return answer
}

// problems are errors of several goroutines.
type problems struct {
	mu   sync.Mutex
	list []error
}

func (p *problems) add(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.list = append(p.list, err)
}

func (p *problems) all() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return errors.Join(p.list...)
}
