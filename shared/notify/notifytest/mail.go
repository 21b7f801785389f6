package notifytest

import (
	"bytes"
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/mail"
	"slices"
	"sync"
	"testing"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"waggle/shared/loopback"
)

var quiet = log.New(io.Discard, "", 0)

// MailOptions are how a mail server behaves. The zero value takes every mail in the clear, from anybody.
type MailOptions struct {
	// Address is where it listens. Defaults to a free port of 127.0.0.1.
	Address  string
	StartTLS bool // offers it
	Implicit bool // is encrypted from the first byte
	// User and Password are what a client must log in with; it must be encrypted then.
	User, Password string
	// Recipient decides on each recipient; nil takes all.
	Recipient func(to string) error
	// Sender decides on the sender; nil takes all.
	Sender func(from string) error
	// Data decides on a mail that was received whole; nil takes all.
	Data func(data []byte) error
	// HangUp closes the connection in place of the answer to a mail: after so many bytes of it, or after all where it is negative.
	HangUp int
}

// Reject is an answer of a mail server: Reject(550, "5.1.1 no such user").
func Reject(code int, text string) error {
	return &smtp.SMTPError{Code: code, EnhancedCode: smtp.NoEnhancedCode, Message: text}
}

// Received is a mail that the server took.
type Received struct {
	From string
	To   []string
	Data []byte
	User string // who was logged in
}

// Message reads the mail.
func (r Received) Message(t testing.TB) *mail.Message {
	t.Helper()
	m, err := mail.ReadMessage(bytes.NewReader(r.Data))
	if err != nil {
		t.Fatalf("the mail does not parse: %v", err)
	}
	return m
}

// Mail is a mail server.
type Mail struct {
	Host  string // 127.0.0.1
	Port  int
	Roots *x509.CertPool // verify it
	opts  MailOptions
	t     testing.TB

	mu  sync.Mutex
	got []Received
}

// NewMail starts a server. At the end of the test it fails it for every mail that nobody took out.
func NewMail(t testing.TB, opts MailOptions) *Mail {
	t.Helper()
	certificate, roots := Certificate(t)
	s := &Mail{Roots: roots, opts: opts, t: t}
	server := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) { return &session{s: s, c: c}, nil }))
	server.Domain, server.ErrorLog, server.EnableSMTPUTF8, server.MaxMessageBytes = "mail.example.com", quiet, true, 64<<20
	config := &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	if opts.StartTLS {
		server.TLSConfig = config
	}
	listener, err := net.Listen("tcp", cmp.Or(opts.Address, "127.0.0.1:0"))
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().(*net.TCPAddr)
	s.Host, s.Port = address.IP.String(), address.Port
	if opts.Implicit {
		listener = tls.NewListener(listener, config)
	}
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(listener) }()
	t.Cleanup(func() {
		_ = server.Close()
		_ = listener.Close()
		<-done
		for _, m := range s.Take() {
			t.Errorf("nobody looked at a mail to %v: %.300s", m.To, m.Data)
		}
	})
	return s
}

// Take returns the mails since the last Take.
func (s *Mail) Take() []Received {
	s.mu.Lock()
	defer s.mu.Unlock()
	got := s.got
	s.got = nil
	return got
}

// One returns the only mail since the last Take.
func (s *Mail) One() Received {
	s.t.Helper()
	got := s.Take()
	if len(got) != 1 {
		s.t.Fatalf("%d mails, want 1", len(got))
	}
	return got[0]
}

// session is one connection.
type session struct {
	s    *Mail
	c    *smtp.Conn
	user string
	mail Received
}

func (c *session) AuthMechanisms() []string {
	if c.s.opts.User == "" {
		return nil
	}
	return []string{sasl.Plain}
}

func (c *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != c.s.opts.User || password != c.s.opts.Password {
			return smtp.ErrAuthFailed
		}
		c.user = user
		return nil
	}), nil
}

func (c *session) Mail(from string, _ *smtp.MailOptions) error {
	if c.user != c.s.opts.User {
		return Reject(530, "5.7.0 log in first")
	}
	if decide := c.s.opts.Sender; decide != nil {
		if err := decide(from); err != nil {
			return err
		}
	}
	c.mail = Received{From: from, User: c.user}
	return nil
}

func (c *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	if decide := c.s.opts.Recipient; decide != nil {
		if err := decide(to); err != nil {
			return err
		}
	}
	c.mail.To = append(c.mail.To, to)
	return nil
}

func (c *session) Data(r io.Reader) error {
	limit := int64(c.s.opts.HangUp)
	if limit > 0 {
		_, _ = io.CopyN(io.Discard, r, limit)
		_ = c.c.Conn().Close()
		return errors.New("hung up")
	}
	data, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if limit < 0 {
		_ = c.c.Conn().Close()
		return errors.New("hung up")
	}
	if decide := c.s.opts.Data; decide != nil {
		if err := decide(data); err != nil {
			return err
		}
	}
	c.mail.Data = data
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	c.s.got = append(c.s.got, Received{c.mail.From, slices.Clone(c.mail.To), data, c.mail.User})
	return nil
}

func (c *session) Reset()        { c.mail = Received{} }
func (c *session) Logout() error { return nil }

// Certificate makes a certificate of 127.0.0.1 and localhost, and what verifies it.
func Certificate(t testing.TB) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	certificate, err := loopback.Certificate()
	if err != nil {
		t.Fatal(err)
	}
	return certificate, loopback.Roots(certificate)
}
