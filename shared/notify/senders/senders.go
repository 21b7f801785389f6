// Package senders opens what sends to the channels of a deployment: it resolves their settings and secrets when a program
// starts, and picks the adapter of each. It is wiring: programs call it, the library does not.
//
// It imports notify, its adapters and secret of ours.
package senders

import (
	"context"
	"crypto/x509"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"waggle/shared/fault"
	"waggle/shared/notify"
	"waggle/shared/notify/httppost"
	"waggle/shared/notify/outbox"
	"waggle/shared/notify/slackbot"
	"waggle/shared/notify/slackwebhook"
	"waggle/shared/notify/smtpmail"
	"waggle/shared/notify/webhook"
	"waggle/shared/secret"
)

// Options say where settings come from. The zero value finds nothing.
type Options struct {
	// Lookup reads a variable of the environment: os.LookupEnv. Nil: there are none.
	Lookup func(string) (string, bool)
	// Sources read the secrets of schemes other than env, by scheme.
	Sources map[string]secret.Source
	// Outbox is the folder that takes the messages of channels that are not configured. Empty: such a channel is an error.
	Outbox string
	// SES makes what sends mails by Amazon SES, for mail channels without a mail server: sesmail.New, in programs that link the SDK of
	// AWS. Nil: none does.
	SES func(notify.SESSettings) notify.Sender
	// Apart has a channel that cannot be opened keep none of the others from it: Open does not fail for it, Of says what is wrong, and
	// tries again to open it, once a minute at most, so that a secret that is stored meanwhile is found. For programs that run
	// unattended; where a person looks on, a start that fails says it sooner.
	Apart bool
	// Now is the clock. Nil: time.Now.
	Now func() time.Time
}

// Senders are those of a deployment. Safe for several goroutines.
type Senders struct {
	opts    Options
	secrets *secret.Resolver

	mu     sync.Mutex
	of     map[string]notify.Sender
	broken map[string]broken // with Apart
}

// broken is why a channel could not be opened, and when that was.
type broken struct {
	err error
	at  time.Time
}

const (
	again  = time.Minute      // after which a channel that could not be opened is tried again
	within = 10 * time.Second // how long that may take
)

// Open opens the senders of channels and of their fallbacks. Its error lists everything that is wrong with any of
// them: no message is needed to find that a secret does not resolve.
func Open(ctx context.Context, channels notify.List, opts Options) (*Senders, error) {
	if opts.Lookup == nil {
		opts.Lookup = func(string) (string, bool) { return "", false }
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	sources := map[string]secret.Source{secret.SchemeEnv: secret.Env(opts.Lookup)}
	maps.Copy(sources, opts.Sources)
	s := &Senders{opts: opts, secrets: secret.NewResolver(sources), of: map[string]notify.Sender{}, broken: map[string]broken{}}
	var wrong []error
	open := func(d *notify.Definition) {
		if d == nil || s.of[d.Name] != nil || s.broken[d.Name].err != nil {
			return
		}
		if err := s.open(ctx, d); err != nil {
			wrong = append(wrong, err)
		}
	}
	for _, c := range channels {
		if d := c.Definition(); d != nil {
			open(d)
			open(d.Fallback)
		}
	}
	if ctx.Err() != nil {
		return nil, fault.Wrap(fault.Canceled, "open the channels", context.Cause(ctx))
	}
	if len(wrong) > 0 && !opts.Apart {
		return nil, &fault.Error{Code: fault.Invalid, Err: errors.Join(wrong...)}
	}
	if slices.ContainsFunc(slices.Collect(maps.Values(s.of)), func(sender notify.Sender) bool { _, out := sender.(standIn); return !out }) {
		// Reading the certificates of a system takes 20 ms and more, once in a process: not while the first message waits.
		go func() { _, _ = x509.SystemCertPool() }() // what is wrong with them, the first connection says
	}
	return s, nil
}

// open opens a channel, or keeps why it cannot be opened. It holds no lock while it reads secrets: other channels need not wait.
func (s *Senders) open(ctx context.Context, d *notify.Definition) error {
	sender, err := s.sender(ctx, d)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.broken[d.Name] = broken{err, s.opts.Now()}
		return err
	}
	delete(s.broken, d.Name)
	s.of[d.Name] = sender
	return nil
}

// sender picks the adapter of a channel.
func (s *Senders) sender(ctx context.Context, d *notify.Definition) (notify.Sender, error) {
	lookup := func(name string) string { value, _ := s.opts.Lookup(name); return value }
	settings, err := d.Settings(ctx, notify.Environment{Lookup: lookup, Secrets: s.secrets, SES: s.opts.SES != nil})
	if err != nil {
		return nil, err
	}
	post := httppost.Options{Masker: s.Masker(), Now: s.opts.Now}
	switch settings.Service {
	case notify.SlackWebhook:
		return slackwebhook.New(settings.URL, &post), nil
	case notify.SlackBot:
		return slackbot.New(settings.Token, settings.Channel, &slackbot.Options{HTTP: post}), nil
	case notify.SMTP:
		return smtpmail.New(settings.SMTP, &smtpmail.Options{Masker: s.Masker(), Now: s.opts.Now}), nil
	case notify.SES:
		return s.opts.SES(settings.SES), nil
	case notify.HTTP:
		return webhook.New(settings.URL, settings.Key, s.opts.Now, &post), nil
	}
	if s.opts.Outbox == "" {
		return nil, fault.New(fault.Invalid, "channel %q is not configured", d.Name).WithHint("set %s", strings.Join(settings.Missing, " or "))
	}
	return standIn{outbox.New(s.opts.Outbox, d, s.opts.Now), settings.Missing}, nil
}

// standIn is a notify.StandIn.
type standIn struct {
	*outbox.Sender
	missing []string
}

func (s standIn) Missing() []string { return s.missing }

// Of returns what sends to a channel; fault.NotFound for one that was not among those opened, and with Options.Apart what keeps it from
// being opened.
func (s *Senders) Of(d *notify.Definition) (notify.Sender, error) {
	if d == nil {
		return nil, notListed("")
	}
	sender, err := s.opened(d.Name)
	if sender != nil || err != nil {
		return sender, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	if err := s.open(ctx, d); err != nil {
		return nil, err
	}
	return s.opened(d.Name)
}

// opened returns a channel's sender or why there is none; neither where the caller is to open it now.
func (s *Senders) opened(name string) (notify.Sender, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if sender := s.of[name]; sender != nil {
		return sender, nil
	}
	was := s.broken[name]
	if was.err == nil {
		return nil, notListed(name)
	}
	now := s.opts.Now()
	if since := now.Sub(was.at); since >= 0 && since < again {
		return nil, was.err
	}
	s.broken[name] = broken{was.err, now} // others do not try at the same time
	return nil, nil
}

func notListed(name string) error {
	return fault.New(fault.NotFound, "channel %q is not in Definitions", name).WithHint("add it to Definitions.Channels")
}

// Missing says what would configure a channel whose messages go to the outbox; nil for one that is configured.
func (s *Senders) Missing(d *notify.Definition) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if out, ok := s.of[d.Name].(standIn); ok {
		return out.missing
	}
	return nil
}

// Masker takes every secret of the channels out of texts, for logs and errors of the program as a whole.
func (s *Senders) Masker() *secret.Masker { return s.secrets.Masker() }
