// Package outbox is where messages go while their channel is not configured: a folder that shows a person what would
// be sent. Open its index.html.
//
//	outbox/index.html                          the newest 100 messages, mails and Slack as they would look
//	outbox/20260701T120000.000-5f0c….html      one message as it would look
//	outbox/20260701T120000.000-5f0c….json      one message as data
//	outbox/20260701T120000.000-5f0c….eml       a mail as mail programs open it, with its attachments
//	outbox/cards/20260701T120000.000-5f0c….html  its part of index.html
//
// Files are written whole or not at all, and several processes may write into one folder. It imports mailmessage, notify and
// slackmessage of ours.
package outbox

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"waggle/shared/notify"
	"waggle/shared/notify/mailmessage"
	"waggle/shared/notify/slackmessage"
)

// shown is how many messages index.html has.
const shown = 100

// Sender writes the messages of one channel into a folder. Safe for several goroutines.
type Sender struct {
	dir string
	def *notify.Definition
	now func() time.Time
}

// New returns what writes the messages of a channel into a folder, which is made with the first of them. now is the clock; nil is time.Now.
func New(dir string, def *notify.Definition, now func() time.Time) *Sender {
	if now == nil {
		now = time.Now
	}
	return &Sender{dir, def, now}
}

// Message is a message as its .json has it.
type Message struct {
	Channel string                `json:"channel"`
	Kind    notify.Kind           `json:"kind"`
	Key     string                `json:"key"`
	Time    time.Time             `json:"time"`
	To      []string              `json:"to,omitempty"`    // of a mail
	Slack   *slackmessage.Payload `json:"slack,omitempty"` // what Slack would get
	// Content is without the data of its attachments, which are in the .eml.
	Content     notify.Content `json:"content"`
	Attachments []file         `json:"attachments,omitempty"`
	Thread      *notify.Thread `json:"thread,omitempty"`
}

type file struct {
	Name  string `json:"name"`
	Bytes int    `json:"bytes"`
}

// Send writes a message. A message that comes again, by its key, replaces its files. What is too large for the channel's kind is
// answered as the service would: Smaller.
func (s *Sender) Send(_ context.Context, key string, c notify.Content, t notify.Thread) notify.Answer {
	m := Message{Channel: s.def.Name, Kind: s.def.Kind, Key: key, Time: s.now().UTC(), Content: c.Filled()}
	if t != (notify.Thread{}) {
		m.Thread = &t
	}
	for _, a := range c.Attachments {
		m.Attachments = append(m.Attachments, file{notify.Clean(a.Name), len(a.Data)})
	}
	var eml mailmessage.Mail
	var err error
	switch s.def.Kind {
	case notify.KindMail:
		if eml, err = s.mail(m, c); err != nil {
			a := notify.Answer{Kind: notify.Park, Reason: notify.ReasonRejected, Error: notify.ErrorText(err.Error(), nil)}
			if len(c.To) > 0 {
				a.Kind = notify.Smaller // the message's own recipients are no good; the channel is not to blame
			}
			return a
		}
	case notify.KindSlack:
		p, err := slackmessage.Of(c)
		if err != nil {
			return notify.Answer{Kind: notify.Smaller, Reason: notify.ReasonTooLarge, Error: notify.ErrorText(err.Error(), nil)}
		}
		m.Slack = &p
	}
	m.Content.Attachments = nil
	page, err := s.store(m, eml)
	if err != nil {
		if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) || errors.Is(err, syscall.ENOTDIR) {
			return notify.Answer{Kind: notify.Park, Reason: notify.ReasonDenied, Error: notify.ErrorText(err.Error(), nil)}
		}
		return notify.Answer{Kind: notify.Retry, Reason: notify.ReasonNotWritten, Error: notify.ErrorText(err.Error(), nil)}
	}
	answer := notify.Answer{Kind: notify.Sent, Reason: notify.ReasonStored, Ref: key, Where: page, Note: eml.LeftOut}
	if s.def.Kind == notify.KindMail {
		answer.Ref = eml.ID
	}
	return answer
}

// mail is the message as bytes; where nobody said from whom and to whom, the addresses say that.
func (s *Sender) mail(m Message, c notify.Content) (mailmessage.Mail, error) {
	e := mailmessage.Envelope{From: s.def.Mail.From, To: s.def.Mail.To, Key: m.Key, Time: m.Time}
	if e.From == "" {
		e.From = "Waggle <waggle@outbox.invalid>"
	}
	if len(e.To) == 0 {
		e.To = []string{s.def.Name + "@outbox.invalid"}
	}
	if m.Thread != nil {
		e.Thread = *m.Thread
	}
	return mailmessage.MIME(c, e)
}

// store writes the files of a message, and returns the path of its page: its card last, as the card is what makes it part of the inbox.
func (s *Sender) store(m Message, eml mailmessage.Mail) (page string, err error) {
	cards := filepath.Join(s.dir, "cards")
	if err := os.MkdirAll(cards, 0o755); err != nil {
		return "", err
	}
	names, err := list(cards)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(m.Channel + "\x00" + m.Key))
	suffix := "-" + hex.EncodeToString(sum[:8])
	name := m.Time.Format("20060102T150405.000") + suffix
	if i := slices.IndexFunc(names, func(n string) bool { return strings.HasSuffix(n, suffix) }); i >= 0 {
		name = names[i]
	}
	m.To = eml.To
	data, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return "", err
	}
	card := cardOf(m, name)
	files := map[string][]byte{name + ".json": append(data, '\n'), name + ".html": pageOf(m, card, eml), filepath.Join("cards", name+".html"): card}
	if eml.Data != nil {
		files[name+".eml"] = eml.Data
	}
	for _, ending := range []string{name + ".eml", name + ".json", name + ".html", filepath.Join("cards", name+".html")} {
		if data, ok := files[ending]; ok {
			if err := write(filepath.Join(s.dir, ending), data); err != nil {
				return "", err
			}
		}
	}
	return filepath.Join(s.dir, name+".html"), s.index()
}

// index writes index.html from the cards. It looks at them again once that is written, and starts over if there are others: of several
// processes the last to write has seen them all.
func (s *Sender) index() error {
	cards := filepath.Join(s.dir, "cards")
	names, err := list(cards)
	for err == nil {
		newest := names[max(0, len(names)-shown):]
		var parts [][]byte
		for _, name := range slices.Backward(newest) {
			card, err := os.ReadFile(filepath.Join(cards, name+".html"))
			if errors.Is(err, fs.ErrNotExist) {
				continue // somebody empties the outbox
			}
			if err != nil {
				return err
			}
			parts = append(parts, card)
		}
		if err := write(filepath.Join(s.dir, "index.html"), inbox(parts, len(names)-len(newest))); err != nil {
			return err
		}
		var again []string
		if again, err = list(cards); slices.Equal(names, again) {
			return err
		}
		names = again
	}
	return err
}

// list returns the names of the cards, the oldest first.
func list(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	var names []string
	for _, e := range entries {
		if name, ok := strings.CutSuffix(e.Name(), ".html"); ok && !strings.HasPrefix(name, ".") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, err
}

// write writes a file whole or not at all.
func write(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".*.tmp")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Chmod(0o644), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}
