//go:build aws

package e2e_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/mail"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"waggle/shared/run"
	"waggle/shared/store"
)

// patience is how long a test waits for what must come; it is never waited out. A lease in the cloud is a minute.
const patience = 3 * time.Minute

// stopWithin is how long an interrupted command may take to end.
const stopWithin = 10 * time.Second

// place is where the suite runs: a home on this machine, or a deployment.
type place struct {
	t       *testing.T
	program string
	folder  string   // where commands are called
	where   []string // flags that name the place
	env     []string
	slack   *slack
	mails   func() []letter          // all that came so far
	read    func(path string) []byte // a file that a pipeline wrote, by the path that it told of
	write   func(name string, data []byte)
	url     func(name string) string // of a file or folder, where pipelines find what write wrote

	store func() *store.Store
	died  func(id run.ID)                       // says of a run's owner that its process is dead, where the platform would say so
	look  func()                                // has what is due looked after once, as a clock does each minute
	fire  func(schedule string, prepare func()) // has the clock of schedules call one, from when it is prepared
}

// flags returns the arguments of waggle with those that name the place.
func (p *place) flags(args []string) []string { return append(slices.Clone(p.where), args...) }

// call calls waggle, and returns what it wrote and its exit status.
func (p *place) call(args ...string) (out, talk string, status int) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, p.program, p.flags(args)...)
	cmd.Dir, cmd.Env = p.folder, append(os.Environ(), p.env...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		p.t.Fatalf("waggle %s: %v", strings.Join(args, " "), err)
	}
	return stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()
}

// must calls waggle, which is to end with a status.
func (p *place) must(want int, args ...string) (out, talk string) {
	p.t.Helper()
	out, talk, status := p.call(args...)
	if status != want {
		p.t.Fatalf("waggle %s ended with %d, want %d\n%s%s", strings.Join(args, " "), status, want, out, talk)
	}
	return out, talk
}

// started is a command that is on.
type started struct {
	p     *place
	cmd   *exec.Cmd
	ended chan struct{}

	out, talk bytes.Buffer // once it has ended
}

// start calls waggle and does not wait. What is left of the command at the end of the test is interrupted.
func (p *place) start(args ...string) *started {
	p.t.Helper()
	s := &started{p: p, cmd: exec.Command(p.program, p.flags(args)...), ended: make(chan struct{})}
	s.cmd.Dir, s.cmd.Env = p.folder, append(os.Environ(), p.env...)
	s.cmd.Stdout, s.cmd.Stderr = &s.out, &s.talk
	if err := s.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	go func() {
		_ = s.cmd.Wait()
		close(s.ended)
	}()
	p.t.Cleanup(func() {
		_ = s.cmd.Process.Signal(os.Interrupt)
		kill := time.AfterFunc(stopWithin, func() { _ = s.cmd.Process.Kill() })
		<-s.ended
		kill.Stop()
	})
	return s
}

// end waits for the end of the command, and returns its exit status: -1 where a signal ended it.
func (s *started) end() int {
	s.p.t.Helper()
	select {
	case <-s.ended:
	case <-time.After(patience):
		s.p.t.Fatalf("waggle %s does not end", strings.Join(s.cmd.Args[1:], " "))
	}
	return s.cmd.ProcessState.ExitCode()
}

// decode reads the JSON of a command.
func (p *place) decode(into any, args ...string) {
	p.t.Helper()
	out, _ := p.must(0, append(args, "--json")...)
	if err := json.Unmarshal([]byte(out), into); err != nil {
		p.t.Fatalf("waggle %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// until waits for something to become true.
func (p *place) until(what string, is func() bool, state func() any) {
	p.t.Helper()
	for deadline := time.Now().Add(patience); !is(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			p.t.Fatalf("%s did not come; there is %v", what, state())
		}
	}
}

// slack stands for Slack: it takes what a webhook posts.
type slack struct {
	*httptest.Server
	mu    sync.Mutex
	posts []string
}

func newSlack(t *testing.T) *slack {
	s := &slack{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		s.mu.Lock()
		s.posts = append(s.posts, string(body))
		s.mu.Unlock()
		_, _ = io.WriteString(w, "ok")
	}))
	t.Cleanup(s.Close)
	return s
}

// all returns what was posted since the last forget.
func (s *slack) all() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.posts...)
}

func (s *slack) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.posts = nil
}

// letter is a mail as a person has it.
type letter struct {
	subject, text string
	attachments   map[string][]byte // by name
}

func open(t *testing.T, data []byte) letter {
	t.Helper()
	m, err := mail.ReadMessage(bytes.NewReader(data))
	if err != nil {
		t.Fatalf("a mail does not parse: %v", err)
	}
	l := letter{attachments: map[string][]byte{}}
	if l.subject, err = (&mime.WordDecoder{}).DecodeHeader(m.Header.Get("Subject")); err != nil {
		t.Fatal(err)
	}
	l.part(t, m.Header.Get("Content-Type"), m.Header.Get("Content-Disposition"), m.Header.Get("Content-Transfer-Encoding"), m.Body)
	return l
}

func (l *letter) part(t *testing.T, kind, disposition, encoding string, body io.Reader) {
	t.Helper()
	media, parameters, err := mime.ParseMediaType(kind)
	if err != nil {
		t.Fatal(err)
	}
	if strings.HasPrefix(media, "multipart/") {
		r := multipart.NewReader(body, parameters["boundary"])
		for {
			p, err := r.NextPart() // decodes quoted-printable
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			l.part(t, p.Header.Get("Content-Type"), p.Header.Get("Content-Disposition"), p.Header.Get("Content-Transfer-Encoding"), p)
		}
	}
	if strings.EqualFold(encoding, "base64") {
		body = base64.NewDecoder(base64.StdEncoding, body)
	}
	data, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	if _, attached, err := mime.ParseMediaType(disposition); err == nil && attached["filename"] != "" {
		l.attachments[attached["filename"]] = data
	} else if media == "text/plain" {
		l.text += string(data)
	}
}

// letterOf returns the mail whose subject begins so, once it has come.
func (p *place) letterOf(subject string) letter {
	p.t.Helper()
	var found letter
	p.until("a mail "+subject, func() bool {
		for _, l := range p.mails() {
			if strings.HasPrefix(l.subject, subject) {
				found = l
				return true
			}
		}
		return false
	}, func() any {
		var subjects []string
		for _, l := range p.mails() {
			subjects = append(subjects, l.subject)
		}
		return subjects
	})
	return found
}

// postWith returns the post that has a text, once it has come.
func (p *place) postWith(text string) string {
	p.t.Helper()
	var found string
	p.until("a post with "+text, func() bool {
		for _, post := range p.slack.all() {
			if strings.Contains(post, text) {
				found = post
				return true
			}
		}
		return false
	}, func() any { return p.slack.all() })
	return found
}
