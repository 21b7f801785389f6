package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"sync/atomic"
	"time"

	"github.com/charmbracelet/x/ansi"
	"golang.org/x/term"

	"waggle/shared/courier"
	"waggle/shared/notify"
	"waggle/shared/report"
	"waggle/shared/store"
)

// session is one call of a command.
type session struct {
	app      App
	out, err io.Writer
	env      func(string) string

	format format
	home   string // as --home gives it; empty: not given

	address     string // as --store gives it; empty: not given
	environment string // as --env gives it; empty: no deployment

	paint, errPaint report.Paint
	outTTY, errTTY  *os.File // nil: no terminal

	opened   *store.Store
	deployed *Deployed                                       // of --env; nil: not opened, or none
	senders  func(*notify.Definition) (notify.Sender, error) // nil: not opened
	messages *courier.Courier
	polls    bool                  // the command calls polled sensors; set before the courier is made
	trouble  atomic.Pointer[error] // of deliveries; nil: there was none
	children children
}

func newSession(app App, streams Streams) *session {
	s := &session{app: app, out: streams.Out, err: streams.Err, env: streams.Env}
	if s.out == nil {
		s.out = os.Stdout
	}
	if s.err == nil {
		s.err = os.Stderr
	}
	if s.env == nil {
		s.env = os.Getenv
	}
	fill(&s.app.Home, ".waggle")
	fill(&s.app.Worker, "unknown")
	fill(&s.app.Version, "devel")
	fill(&s.app.Program, "waggle")
	if s.app.Settle <= 0 {
		s.app.Settle = 30 * time.Second
	}
	s.outTTY, s.errTTY = terminal(s.out), terminal(s.err)
	s.paint, s.errPaint = s.painter(s.outTTY), s.painter(s.errTTY)
	return s
}

func fill(text *string, value string) {
	if *text == "" {
		*text = value
	}
}

// terminal returns the terminal behind a stream, or nil.
func terminal(w io.Writer) *os.File {
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return f
	}
	return nil
}

// size is the width and height of a terminal; 80 by 24 where it does not say.
func size(tty *os.File) (width, height int) {
	width, height, err := term.GetSize(int(tty.Fd()))
	if err != nil || width <= 0 || height <= 0 {
		return 80, 24
	}
	return width, height
}

// width is what a line of stdout may have; 0 is any.
func (s *session) width() int {
	if s.outTTY == nil {
		return 0
	}
	w, _ := size(s.outTTY)
	return w
}

// say writes a line of talk.
func (s *session) say(format string, args ...any) { _, _ = fmt.Fprintf(s.err, format+"\n", args...) }

// warn writes a warning.
func (s *session) warn(format string, args ...any) {
	s.say("%s %s", s.errPaint(report.Warn, "waggle: warning:"), fmt.Sprintf(format, args...))
}

// write writes lines of data.
func (s *session) write(lines ...string) error {
	if len(lines) == 0 {
		return nil
	}
	_, err := io.WriteString(s.out, strings.Join(lines, "\n")+"\n")
	return err
}

// writeText writes lines of text, those that are wider than the terminal folded between words.
func (s *session) writeText(lines ...string) error {
	width := s.width()
	if width == 0 {
		return s.write(lines...)
	}
	var folded []string
	for _, line := range lines {
		if ansi.StringWidth(line) <= width {
			folded = append(folded, line)
			continue
		}
		indent := strings.Repeat(" ", len(line)-len(strings.TrimLeft(line, " "))+2)
		text := unit.ReplaceAllString(strings.TrimLeft(line, " "), "$1\u00a0$2") // a number stays with its unit
		text = strings.ReplaceAll(ansi.Wrap(text, max(20, width-len(indent)), ""), "\u00a0", " ")
		for i, part := range strings.Split(text, "\n") {
			if i == 0 {
				part = indent[2:] + part
			} else {
				part = indent + part
			}
			folded = append(folded, part)
		}
	}
	return s.write(folded...)
}

var unit = regexp.MustCompile(`(\d) (ns|µs|ms|s|min|h|d)\b`)

// homeDir is the folder of the store.
func (s *session) homeDir() string {
	switch {
	case s.home != "":
		return s.home
	case s.env("WAGGLE_HOME") != "":
		return s.env("WAGGLE_HOME")
	default:
		return s.app.Home
	}
}

// call is a command as the person would type it.
func (s *session) call(words ...string) string {
	parts := []string{s.app.Program}
	parts = append(parts, words...)
	if s.home != "" {
		parts = append(parts, "--home", quoted(s.home))
	}
	if s.address != "" {
		parts = append(parts, "--store", quoted(s.address))
	}
	if s.environment != "" {
		parts = append(parts, "--env", quoted(s.environment))
	}
	return strings.Join(parts, " ")
}

// quoted is a word as a shell takes it.
func quoted(word string) string {
	if word != "" && !strings.ContainsAny(word, " \t\n'\"\\$&|;<>()*?[]{}~`#!") {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// storeAddress is the store's kind and name; empty: the home folder's.
func (s *session) storeAddress() string {
	if s.address != "" {
		return s.address
	}
	return s.env("WAGGLE_STORE")
}

// open opens the store that was asked for.
func (s *session) open(ctx context.Context) (*store.Store, error) {
	if s.environment != "" {
		deployed, err := s.app.Deployed(ctx, s.environment)
		if err != nil {
			return nil, err
		}
		s.deployed = deployed
		return deployed.Store, nil
	}
	address := s.storeAddress()
	if address == "" {
		return s.app.Open(ctx, s.homeDir())
	}
	kind, name, ok := strings.Cut(address, ":")
	if !ok || name == "" {
		return nil, usage("write it as KIND:NAME, such as dynamodb:waggle", "store %q has no name", address)
	}
	open := s.app.Stores[kind]
	if open == nil {
		return nil, usage("the laptop's binary links no cloud; `make waggle-aws` builds one that does", "this waggle has no stores of kind %q", kind)
	}
	return open(ctx, name, s.homeDir())
}

// store opens the store, once.
func (s *session) store(ctx context.Context) (*store.Store, error) {
	if s.opened != nil {
		return s.opened, nil
	}
	opened, err := s.open(ctx)
	s.opened = opened
	return opened, err
}

// look opens the store for a command that reads, and tells of runs whose process died.
func (s *session) look(ctx context.Context) (*store.Store, error) {
	st, err := s.store(ctx)
	if err != nil || s.deployed != nil { // which resumes them itself
		return st, err
	}
	return st, s.tellOfDead(ctx, st)
}

func (s *session) close() error {
	if s.opened == nil {
		return nil
	}
	return s.opened.Close()
}
