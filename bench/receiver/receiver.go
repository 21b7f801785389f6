// Package receiver is where messages arrive in benches: a web server that answers as Slack's incoming webhooks do, and a mail server. Both
// note when each message had come in whole, before they answer.
//
// They take encrypted connections alone, as the real ones do, by a certificate that they make.
package receiver

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"waggle/shared/run"
)

// Message is what came in.
type Message struct {
	Time time.Time
	Path string // of the post; empty for a mail
	Body string // the JSON of the post, or the mail decoded
}

// id is that of a run.
var id = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}`)

// Runs are the ids of the runs that the message names, each once.
func (m Message) Runs() []run.ID {
	var ids []run.ID
	for _, name := range id.FindAllString(m.Body, -1) {
		if !slices.Contains(ids, run.ID(name)) {
			ids = append(ids, run.ID(name))
		}
	}
	return ids
}

// Options are how the servers behave. The zero value answers at once.
type Options struct {
	// Before is called when a post has come in, before it is answered. Nil: nothing.
	Before func(Message)
	// Refuse is asked of each post that Slack would take, before it has come in: the status with which it is not taken, 0 where it is. Nil: each is
	// taken.
	Refuse func() int
}

// Receiver is both servers. Safe for several goroutines.
type Receiver struct {
	// Certificate is a PEM file that verifies both, for SSL_CERT_FILE.
	Certificate string
	opts        Options
	web, mail   net.Listener
	stop        []func() error

	mu           sync.Mutex
	posts, mails []Message
	refused      []string
	open         map[string]bool // connections of the web server, by the other end
}

// Open starts both servers on the loopback. The certificate is put into a folder.
func Open(dir string, opts *Options) (*Receiver, error) {
	r := &Receiver{open: map[string]bool{}}
	if opts != nil {
		r.opts = *opts
	}
	certificate, file, err := certify(dir)
	if err != nil {
		return nil, err
	}
	r.Certificate = file
	config := &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	quiet := log.New(io.Discard, "", 0)
	if r.web, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return nil, err
	}
	web := &http.Server{Handler: http.HandlerFunc(r.post), ErrorLog: quiet, TLSConfig: config, ReadHeaderTimeout: 10 * time.Second, ConnState: r.state}
	go func() { _ = web.ServeTLS(r.web, "", "") }()
	r.stop = append(r.stop, web.Close)
	if r.mail, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	mail := r.mailServer(config, quiet)
	go func() { _ = mail.Serve(r.mail) }()
	r.stop = append(r.stop, mail.Close)
	return r, nil
}

// Close ends both.
func (r *Receiver) Close() (err error) {
	for _, stop := range r.stop {
		err = errors.Join(err, stop())
	}
	return err
}

// Environment is what configures a program for these servers; path is that of the webhook, from "/" on.
func (r *Receiver) Environment(path string) []string {
	host, port, _ := net.SplitHostPort(r.mail.Addr().String())
	return []string{
		"SSL_CERT_FILE=" + r.Certificate,
		"SLACK_WEBHOOK_URL=https://" + r.web.Addr().String() + path, "SLACK_BOT_TOKEN=", "SLACK_CHANNEL=",
		"SMTP_HOST=" + host, "SMTP_PORT=" + port, "SMTP_USER=", "SMTP_PASSWORD=", "MAIL_FROM=waggle@example.com", "MAIL_TO=team@example.com",
		"HTTPS_PROXY=", "https_proxy=",
	}
}

// Received returns what came in so far, and what was refused as something that no channel may send.
func (r *Receiver) Received() (posts, mails []Message, refused []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.posts), slices.Clone(r.mails), slices.Clone(r.refused)
}

// Await waits until there are so many posts and mails, and reports whether they came in time.
func (r *Receiver) Await(ctx context.Context, posts, mails int, within time.Duration) bool {
	for deadline := time.Now().Add(within); ; {
		r.mu.Lock()
		enough := len(r.posts) >= posts && len(r.mails) >= mails
		r.mu.Unlock()
		if enough || ctx.Err() != nil || time.Now().After(deadline) {
			return enough
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func (r *Receiver) state(c net.Conn, to http.ConnState) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch to {
	case http.StateNew:
		r.open[c.RemoteAddr().String()] = true
	case http.StateClosed, http.StateHijacked:
		r.open[c.RemoteAddr().String()] = false
	}
}

// Quiet waits until all that was posted by processes that have died has come in, as far as it ever will. It reports whether that was in time.
func (r *Receiver) Quiet(within time.Duration) (bool, error) {
	// Connections are accepted in their order: when one of ours has been, all before it have.
	last, err := net.Dial("tcp", r.web.Addr().String())
	if err != nil {
		return false, err
	}
	_ = last.Close()
	for deadline := time.Now().Add(within); ; time.Sleep(time.Millisecond) {
		r.mu.Lock()
		_, accepted := r.open[last.LocalAddr().String()]
		closed := true
		for _, open := range r.open {
			closed = closed && !open
		}
		if accepted && closed {
			clear(r.open)
		}
		r.mu.Unlock()
		if accepted && closed || time.Now().After(deadline) {
			return accepted && closed, nil
		}
	}
}

// mostPosted is how many bytes of a post are read: more than Slack takes.
const mostPosted = 1 << 20

// post takes what is posted, if Slack would.
func (r *Receiver) post(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(io.LimitReader(req.Body, mostPosted))
	if err != nil {
		return // the client died in the middle of it: nothing has come in
	}
	m := Message{Time: time.Now(), Path: req.URL.Path, Body: string(body)}
	var payload struct{ Text string }
	err = json.Unmarshal(body, &payload)
	if err == nil && (req.Method != http.MethodPost || strings.TrimSpace(payload.Text) == "") {
		err = errors.New("no_text")
	}
	if err != nil {
		r.refuse(req.Method + " " + req.URL.Path + ": " + err.Error())
		http.Error(w, "invalid_payload", http.StatusBadRequest)
		return
	}
	if r.opts.Refuse != nil {
		if status := r.opts.Refuse(); status != 0 {
			http.Error(w, http.StatusText(status), status)
			return
		}
	}
	r.mu.Lock()
	r.posts = append(r.posts, m)
	r.mu.Unlock()
	if r.opts.Before != nil {
		r.opts.Before(m)
	}
	_, _ = io.WriteString(w, "ok")
}

func (r *Receiver) refuse(why string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refused = append(r.refused, why)
}
