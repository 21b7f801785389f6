// Package smtpmail sends mails to an SMTP server.
//
// It imports mailmessage, notify and secret of ours.
package smtpmail

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"time"

	gomail "github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"

	"waggle/shared/notify"
	"waggle/shared/notify/mailmessage"
	"waggle/shared/secret"
)

// Timeout is how long the server may take for each of its answers, and for each piece of a message.
const Timeout = 10 * time.Second

// total bounds a send as a whole: 14 MB over a slow line take a while.
const total = 2 * time.Minute

// Options are the optional parts of a Sender. The zero value and nil mean all defaults.
type Options struct {
	// Timeout defaults to Timeout.
	Timeout time.Duration
	// RootCAs verify the server. Nil: the system's.
	RootCAs *x509.CertPool
	// Masker takes secrets out of errors. Nil: only the password is.
	Masker *secret.Masker
	// Now is the clock of the Date header. Nil: time.Now.
	Now func() time.Time
}

// Sender sends by one server. Safe for several goroutines; each send is a connection of its own.
type Sender struct {
	settings notify.SMTPSettings
	opts     Options
}

// New returns a sender with these settings.
func New(settings notify.SMTPSettings, opts *Options) *Sender {
	s := &Sender{settings: settings}
	if opts != nil {
		s.opts = *opts
	}
	if s.opts.Timeout == 0 {
		s.opts.Timeout = Timeout
	}
	if s.opts.Masker == nil {
		s.opts.Masker = secret.NewMasker()
	}
	if s.opts.Now == nil {
		s.opts.Now = time.Now
	}
	s.opts.Masker.Add(settings.Password)
	return s
}

// Send sends one mail to all recipients. Its Ref is the Message-ID. A recipient that the server refuses does not keep the mail from the
// others: the answer then is Recipient. Where a message names recipients of its own and none of them is any good, the answer is Smaller, as
// the channel is not to blame and no other message has to wait.
func (s *Sender) Send(ctx context.Context, key string, c notify.Content, t notify.Thread) notify.Answer {
	mail, err := mailmessage.MIME(c, mailmessage.Envelope{From: s.settings.From, To: s.settings.To, Key: key, Thread: t, Time: s.opts.Now()})
	if err != nil {
		return s.own(c, s.answer(notify.Park, notify.ReasonRejected, err))
	}
	ctx, cancel := context.WithTimeout(ctx, total)
	defer cancel()
	client, conn, err := s.dial(ctx)
	if err != nil {
		return s.undialed(ctx, err)
	}
	defer func() { _ = conn.Close() }()
	answer := s.transfer(ctx, client, mail)
	if answer.Reason == notify.ReasonNoRecipients {
		answer = s.own(c, answer)
	}
	if answer.Kind == notify.Retry && errors.Is(ctx.Err(), context.Canceled) {
		answer.Reason = notify.ReasonCanceled
	}
	if answer.Kind.Delivered() {
		_ = client.UpdateDeadline(time.Second)
		_ = client.Quit() // the mail is taken; a server that says no good-bye changes nothing
	}
	return answer
}

// transfer hands the mail over: sender, recipients, data.
func (s *Sender) transfer(ctx context.Context, client *smtp.Client, mail mailmessage.Mail) notify.Answer {
	step := func(do func() error) error {
		if err := client.UpdateDeadline(s.opts.Timeout); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err // it may have ended before the new deadline, and its own was overwritten
		}
		return do()
	}
	if err := step(func() error { return client.Mail("<" + mail.From + ">") }); err != nil {
		return s.refused("the sender "+mail.From, err)
	}
	var refused, later []string
	var first error // of the refusals
	for _, to := range mail.To {
		err := step(func() error { return client.Rcpt("<" + to + ">") })
		switch c := code(err); {
		case err == nil:
			continue
		case c == 0:
			return s.refused("the recipient "+to, err)
		case c >= 500:
			refused = append(refused, to)
		default:
			later = append(later, to)
		}
		if first == nil || code(first) >= 500 {
			first = fmt.Errorf("recipient %s: %w", to, err)
		}
	}
	if len(refused)+len(later) == len(mail.To) {
		return s.nobody(refused, later, first)
	}
	var w interface {
		Write([]byte) (int, error)
		Close() error
	}
	if err := step(func() (err error) { w, err = client.Data(); return err }); err != nil {
		return s.refused("the mail", err)
	}
	const piece = 64 << 10
	for data := mail.Data; len(data) > 0; {
		n := min(len(data), piece)
		if err := step(func() error { _, err := w.Write(data[:n]); return err }); err != nil {
			return s.refused("the mail", err) // the dot that ends it was not sent: nobody has it
		}
		data = data[n:]
	}
	if err := step(w.Close); err != nil {
		answer := s.refused("the mail", err)
		if code(err) == 0 { // the dot may have arrived: only an answer would say
			answer.Reason, answer.Ambiguous = notify.ReasonCutOff, true
		}
		return answer
	}
	answer := notify.Answer{Kind: notify.Sent, Reason: notify.ReasonTaken, Ref: mail.ID, Note: mail.LeftOut}
	if first != nil {
		answer.Later = later
		answer.Kind, answer.Reason, answer.Refused = notify.Recipient, notify.ReasonRecipientsRefused, refused
		answer.Error = notify.ErrorText(first.Error(), s.opts.Masker)
	}
	return answer
}

// dial connects, encrypts and logs in. The connection is of no use any more when sending ends.
func (s *Sender) dial(sending context.Context) (*smtp.Client, net.Conn, error) {
	var conn net.Conn
	opts := []gomail.Option{
		gomail.WithPort(s.settings.Port), gomail.WithTimeout(s.opts.Timeout), gomail.WithTLSConfig(s.tls()),
		gomail.WithDialContextFunc(func(ctx context.Context, network, address string) (net.Conn, error) {
			var err error
			if conn, err = s.connect(ctx, network, address); err == nil {
				open := conn
				context.AfterFunc(sending, func() { _ = open.SetDeadline(time.Unix(1, 0)) }) // whoever waits for the server stops waiting
			}
			return conn, err
		}),
	}
	switch s.settings.Encryption {
	case notify.ImplicitTLS:
		opts = append(opts, gomail.WithSSL())
	case notify.NoTLS:
		opts = append(opts, gomail.WithTLSPolicy(gomail.NoTLS))
	default:
		opts = append(opts, gomail.WithTLSPolicy(gomail.TLSMandatory))
	}
	if s.settings.User != "" {
		opts = append(opts, gomail.WithUsername(s.settings.User), gomail.WithPassword(s.settings.Password.Reveal()),
			gomail.WithOpportunisticSMTPAuth(gomail.SMTPAuthSCRAMSHA256PLUS, gomail.SMTPAuthSCRAMSHA256, gomail.SMTPAuthPlain, gomail.SMTPAuthLogin, gomail.SMTPAuthCramMD5))
	}
	client, err := gomail.NewClient(s.settings.Host, opts...)
	if err != nil {
		return nil, nil, err
	}
	out, err := client.DialToSMTPClientWithContext(sending)
	if err != nil && conn != nil {
		_ = conn.Close()
	}
	return out, conn, err
}
