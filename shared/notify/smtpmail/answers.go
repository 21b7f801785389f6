package smtpmail

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/textproto"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"

	"waggle/shared/notify"
)

func (s *Sender) tls() *tls.Config {
	return &tls.Config{ServerName: s.settings.Host, RootCAs: s.opts.RootCAs, MinVersion: tls.VersionTLS12}
}

// connect opens the connection; with ImplicitTLS an encrypted one.
func (s *Sender) connect(ctx context.Context, network, address string) (net.Conn, error) {
	if s.settings.Encryption == notify.ImplicitTLS {
		return (&tls.Dialer{Config: s.tls()}).DialContext(ctx, network, address)
	}
	return (&net.Dialer{}).DialContext(ctx, network, address)
}

func (s *Sender) answer(kind notify.AnswerKind, reason notify.Reason, err error) notify.Answer {
	return notify.Answer{Kind: kind, Reason: reason, Error: notify.ErrorText(err.Error(), s.opts.Masker)}
}

// undialed is the answer where no mail could be begun.
func (s *Sender) undialed(ctx context.Context, err error) notify.Answer {
	var unverified *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	c := code(err)
	switch {
	case errors.As(err, &unverified), errors.As(err, &record):
		return s.answer(notify.Park, notify.ReasonTLS, err)
	case strings.Contains(err.Error(), "does not support STARTTLS"): // go-mail has no value for it
		return s.answer(notify.Park, notify.ReasonNoStartTLS, hinted{err, "set Encryption: notify.NoTLS if the server is on this machine, or use its port 465"})
	case errors.Is(err, gomail.ErrNoSupportedAuthDiscovered), errors.Is(err, smtp.ErrUnencrypted), strings.Contains(err.Error(), "does not support SMTP AUTH"):
		return s.answer(notify.Park, notify.ReasonDenied, hinted{err, "the server offers no login that is safe on this connection"})
	case c >= 500 && strings.Contains(err.Error(), "AUTH"):
		return s.answer(notify.Park, notify.ReasonDenied, err)
	case c >= 500:
		return s.answer(notify.Park, notify.ReasonRejected, err)
	case c >= 400:
		return s.answer(notify.Retry, notify.ReasonServerError, err)
	case errors.Is(ctx.Err(), context.Canceled):
		return s.answer(notify.Retry, notify.ReasonCanceled, err)
	}
	return s.answer(notify.Retry, notify.ReasonNoAnswer, err)
}

// hinted adds the next step to an error.
type hinted struct {
	error
	hint string
}

func (h hinted) Error() string { return h.error.Error() + " (" + h.hint + ")" }

// refused is the answer to an error of a command: by its reply code where the server gave one. 552 is a mail too large, 550 to
// 554 and 535 at the sender are about us, all else that begins with 5 about this mail.
func (s *Sender) refused(what string, err error) notify.Answer {
	text := errors.Join(errors.New(what+": "), err)
	switch c := code(err); {
	case c == 0:
		reason := notify.ReasonCutOff
		if timeout := net.Error(nil); errors.As(err, &timeout) && timeout.Timeout() {
			reason = notify.ReasonNoAnswer
		}
		return s.answer(notify.Retry, reason, text)
	case c == 421 || c == 450 || c == 451 && strings.Contains(err.Error(), "4.7."):
		a := s.answer(notify.Retry, notify.ReasonRateLimited, text)
		a.After = time.Minute // greylisting and limits of servers pass in minutes, and the reply says no time
		return a
	case c < 500:
		return s.answer(notify.Retry, notify.ReasonServerError, text)
	case c == 552 || c == 523 || strings.Contains(err.Error(), "5.3.4"):
		return s.answer(notify.Smaller, notify.ReasonTooLarge, text)
	case what == "the mail":
		return s.answer(notify.Smaller, notify.ReasonRefused, text)
	case c == 530 || c == 535 || c == 550 || c == 553 || c == 554:
		return s.answer(notify.Park, notify.ReasonDenied, text)
	}
	return s.answer(notify.Park, notify.ReasonRejected, text)
}

// nobody is the answer where every recipient was refused: for now if one of them was.
func (s *Sender) nobody(refused, later []string, err error) notify.Answer {
	a := s.answer(notify.Park, notify.ReasonNoRecipients, err)
	if len(later) > 0 {
		a = s.answer(notify.Retry, notify.ReasonServerError, err)
		a.After = time.Minute
	}
	a.Refused, a.Later = refused, later
	return a
}

// own turns a park into an answer about the message alone, where the message names its recipients itself.
func (s *Sender) own(c notify.Content, a notify.Answer) notify.Answer {
	if len(c.To) > 0 && a.Kind == notify.Park {
		a.Kind = notify.Smaller
	}
	return a
}

// code is the reply code of a server's refusal; 0 where the error is none of its answers.
func code(err error) int {
	var reply *textproto.Error
	if errors.As(err, &reply) {
		return reply.Code
	}
	return 0
}
