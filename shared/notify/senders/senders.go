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
	"strings"
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
	// Now is the clock. Nil: time.Now.
	Now func() time.Time
}

// Senders are those of a deployment. Safe for several goroutines.
type Senders struct {
	of     map[string]notify.Sender
	outbox map[string][]string // what would configure the channels that have none of their own
	masker *secret.Masker
}

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
	secrets := secret.NewResolver(sources)
	s := &Senders{of: map[string]notify.Sender{}, outbox: map[string][]string{}, masker: secrets.Masker()}
	var wrong []error
	open := func(d *notify.Definition) {
		if d == nil || s.of[d.Name] != nil {
			return
		}
		sender, err := s.open(ctx, d, secrets, opts)
		if err != nil {
			wrong = append(wrong, err)
			return
		}
		s.of[d.Name] = sender
	}
	for _, c := range channels {
		if d := c.Definition(); d != nil {
			open(d)
			open(d.Fallback)
		}
	}
	if len(wrong) > 0 {
		return nil, &fault.Error{Code: fault.Invalid, Err: errors.Join(wrong...)}
	}
	if len(s.of) > len(s.outbox) {
		// Reading the certificates of a system takes 20 ms and more, once in a process: not while the first message waits.
		go func() { _, _ = x509.SystemCertPool() }() // what is wrong with them, the first connection says
	}
	return s, nil
}

func (s *Senders) open(ctx context.Context, d *notify.Definition, secrets *secret.Resolver, opts Options) (notify.Sender, error) {
	lookup := func(name string) string { value, _ := opts.Lookup(name); return value }
	settings, err := d.Settings(ctx, lookup, secrets)
	if err != nil {
		return nil, err
	}
	post := httppost.Options{Masker: s.masker, Now: opts.Now}
	switch settings.Service {
	case notify.SlackWebhook:
		return slackwebhook.New(settings.URL, &post), nil
	case notify.SlackBot:
		return slackbot.New(settings.Token, settings.Channel, &slackbot.Options{HTTP: post}), nil
	case notify.SMTP:
		return smtpmail.New(settings.SMTP, &smtpmail.Options{Masker: s.masker, Now: opts.Now}), nil
	case notify.HTTP:
		return webhook.New(settings.URL, settings.Key, opts.Now, &post), nil
	}
	if opts.Outbox == "" {
		return nil, fault.New(fault.Invalid, "channel %q is not configured", d.Name).WithHint("set %s", strings.Join(settings.Missing, " or "))
	}
	s.outbox[d.Name] = settings.Missing
	return standIn{outbox.New(opts.Outbox, d, opts.Now), settings.Missing}, nil
}

// standIn is a notify.StandIn.
type standIn struct {
	*outbox.Sender
	missing []string
}

func (s standIn) Missing() []string { return s.missing }

// Of returns what sends to a channel; fault.NotFound for one that was not among those opened.
func (s *Senders) Of(d *notify.Definition) (notify.Sender, error) {
	if d == nil || s.of[d.Name] == nil {
		name := ""
		if d != nil {
			name = d.Name
		}
		return nil, fault.New(fault.NotFound, "channel %q is not in Definitions", name).WithHint("add it to Definitions.Channels")
	}
	return s.of[d.Name], nil
}

// Missing says what would configure a channel whose messages go to the outbox; nil for one that is configured.
func (s *Senders) Missing(d *notify.Definition) []string { return s.outbox[d.Name] }

// Masker takes every secret of the channels out of texts, for logs and errors of the program as a whole.
func (s *Senders) Masker() *secret.Masker { return s.masker }
