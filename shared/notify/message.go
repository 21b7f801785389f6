package notify

import (
	"encoding/json"
	"net/mail"
	"regexp"
	"strings"

	"waggle/shared/fault"
)

// Message is a plain message. It needs a Text, an HTML or Blocks; each channel takes the form it knows, and makes the
// others from Text.
type Message struct {
	// Key names the message among those of one event: of two with the same key for one channel, one is sent. Empty: each
	// call is a message of its own.
	Key string
	// To is who gets a mail, in place of the channel's recipients.
	To []string
	// Subject of a mail; elsewhere the first line. Empty: the first line of Text.
	Subject string
	Text    string
	// HTML of a mail.
	HTML string
	// Blocks are an array of Slack's Block Kit.
	Blocks json.RawMessage
	// Attachments go with mails; other channels name them.
	Attachments []Attachment
}

// MaxLine is how long the first line of a message is at most, in characters.
const MaxLine = 150

// briefText is how many characters of a text are on the rung Brief.
const briefText = 600

var keyPattern = regexp.MustCompile(`^[A-Za-z0-9_.-]*$`)

// Content makes a Message Sendable: a smaller rung has the start of the text, and says how much was left out.
func (m Message) Content(r Rung) (Content, error) {
	if err := m.check(); err != nil {
		return Content{}, err
	}
	text := Clean(m.Text)
	c := Content{Subject: oneLine(m.Subject), Line: m.line(text), To: m.To}
	switch r {
	case Full:
		c.Text, c.HTML, c.Blocks, c.Attachments = text, Clean(m.HTML), m.Blocks, m.Attachments
	case Brief:
		c.Text = Cut(text, briefText)
		if n := len(m.Attachments); n > 0 {
			c.Text = strings.TrimSpace(c.Text + "\n\n" + left(n, "attachment") + " left out")
		}
	default:
		c.Subject = Cut(c.Subject, MaxLine)
		c.Text = c.Line
	}
	return c, nil
}

// line is the subject, else the first line of the text that says something.
func (m Message) line(text string) string {
	line := oneLine(m.Subject)
	if line == "" {
		first, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
		line = oneLine(first)
	}
	if line == "" {
		line = "A message without text"
	}
	return Cut(line, MaxLine)
}

// check reports the first mistake of the call, by field.
func (m Message) check() error {
	if strings.TrimSpace(m.Text) == "" && strings.TrimSpace(m.HTML) == "" && len(m.Blocks) == 0 {
		return fault.New(fault.Invalid, "the message with subject %q is empty", m.Subject).WithHint("set Text, HTML or Blocks")
	}
	if !keyPattern.MatchString(m.Key) || len(m.Key) > 100 {
		return fault.New(fault.Invalid, "key %q of a message: a key has letters, digits, dots, dashes and underscores, 100 at most", m.Key)
	}
	if strings.ContainsAny(m.Subject, "\r\n") {
		return fault.New(fault.Invalid, "subject %q has a line break", m.Subject).WithHint("put what follows into Text")
	}
	for i, to := range m.To {
		if err := CheckAddress(to); err != nil {
			return fault.New(fault.Invalid, "To[%d]: %w", i, err)
		}
	}
	if len(m.Blocks) > 0 {
		var blocks []map[string]any
		if err := json.Unmarshal(m.Blocks, &blocks); err != nil {
			return fault.New(fault.Invalid, "Blocks are no JSON array of blocks: %w", err)
		}
		if len(blocks) == 0 && m.Text == "" && m.HTML == "" {
			return fault.New(fault.Invalid, "Blocks are an empty array").WithHint("set Text, HTML or Blocks")
		}
	}
	for i, a := range m.Attachments {
		if a.Name == "" || strings.ContainsAny(a.Name, "/\\\r\n\x00") {
			return fault.New(fault.Invalid, "Attachments[%d] has the name %q; it must be a file name without folders and line breaks", i, a.Name)
		}
		if strings.ContainsAny(a.ContentType, "\r\n") {
			return fault.New(fault.Invalid, "Attachments[%d] has the content type %q with a line break", i, a.ContentType)
		}
	}
	return nil
}

// CheckAddress reports what is no mail address. "team@example.com" and "Team <team@example.com>" are.
func CheckAddress(address string) error {
	if strings.ContainsAny(address, "\r\n") {
		return fault.New(fault.Invalid, "mail address %q has a line break", address)
	}
	if _, err := mail.ParseAddress(address); err != nil {
		return fault.New(fault.Invalid, "%q is no mail address: %w", address, err)
	}
	return nil
}
