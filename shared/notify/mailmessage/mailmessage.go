// Package mailmessage makes the bytes of a mail: text, HTML and attachments, 7 bits wide, with the headers that keep a
// conversation together. Whoever sends mails shares it.
//
// It imports notify of ours.
package mailmessage

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"html"
	"mime"
	"net/mail"
	"path"
	"regexp"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	gomail "github.com/wneessen/go-mail"

	"waggle/shared/notify"
)

// DefaultAttachments is how many bytes of files go with a mail: 10 MB, which most servers take with the third that encoding adds.
const DefaultAttachments = 10 << 20

// maxSubject is the length of a subject in characters.
const maxSubject = 250

// Envelope is from whom, to whom and after what a mail goes.
type Envelope struct {
	// From and To are addresses, "Team <team@example.com>". Content.To counts before To.
	From string
	To   []string
	// Key is the message's own: it makes the Message-ID, the same for every try, by which mail programs drop a repeat.
	Key    string
	Thread notify.Thread
	Time   time.Time
	// Attachments is how many bytes of files may go along. Defaults to DefaultAttachments.
	Attachments int
}

// Mail is a mail ready to be sent.
type Mail struct {
	ID      string   // "<...@example.com>", for Thread
	From    string   // the address alone
	To      []string // the addresses alone
	Data    []byte   // headers and body, ASCII, lines end with CR LF
	Text    string   // as its reader sees it, with the footer
	HTML    string   // the same; empty where the mail has none
	LeftOut string   // which attachments were too large; also said in the mail itself
}

// MIME makes a mail. An error is a mistake in an address, which no smaller mail mends.
func MIME(c notify.Content, e Envelope) (Mail, error) {
	c = c.Filled()
	if len(c.To) > 0 {
		e.To = c.To
	}
	m := gomail.NewMsg(gomail.WithNoDefaultUserAgent(), gomail.WithEncoding(gomail.EncodingQP))
	out, err := address(m, e)
	if err != nil {
		return Mail{}, err
	}
	m.Subject(notify.Cut(c.Subject, maxSubject))
	m.SetDateWithValue(e.Time)
	m.SetMessageIDWithValue(strings.Trim(out.ID, "<>"))
	follow(m, e.Thread)
	// Nobody's absence assistant answers, and no list software retries on it: RFC 3834.
	m.SetGenHeader("Auto-Submitted", "auto-generated")
	m.SetGenHeader("X-Auto-Response-Suppress", "All")
	files, leftOut := fitting(c.Attachments, e.Attachments)
	out.LeftOut, out.Text = leftOut, plain(c, leftOut)
	m.SetBodyString(gomail.TypeTextPlain, out.Text)
	if c.HTML != "" {
		out.HTML = page(c, leftOut)
		m.AddAlternativeString(gomail.TypeTextHTML, out.HTML)
	}
	for _, f := range files {
		if err := m.AttachReader(name(f.Name), bytes.NewReader(f.Data), gomail.WithFileContentType(contentType(f)), gomail.WithFileEncoding(gomail.EncodingB64)); err != nil {
			return Mail{}, fmt.Errorf("attachment %q: %w", f.Name, err)
		}
	}
	var b bytes.Buffer
	if _, err := m.WriteTo(&b); err != nil {
		return Mail{}, fmt.Errorf("make mail: %w", err)
	}
	out.Data = b.Bytes()
	return out, nil
}

// address sets sender and recipients, and the id that follows from them.
func address(m *gomail.Msg, e Envelope) (Mail, error) {
	from, err := mail.ParseAddress(e.From)
	if err != nil {
		return Mail{}, fmt.Errorf("sender %q is no mail address: %w", e.From, err)
	}
	if from.Name == "" {
		from.Name = "Waggle"
	}
	m.FromMailAddress(from)
	if len(e.To) == 0 {
		return Mail{}, fmt.Errorf("the mail has no recipients")
	}
	out := Mail{From: from.Address, ID: ID(e.Key, from.Address)}
	for _, text := range e.To {
		to, err := mail.ParseAddress(text)
		if err != nil || strings.ContainsAny(text, "\r\n") {
			return Mail{}, fmt.Errorf("recipient %q is no mail address", text)
		}
		m.AddToMailAddress(to)
		out.To = append(out.To, to.Address)
	}
	return out, nil
}

// ID is the Message-ID of a message by its key, in the domain of the sender's address.
func ID(key, from string) string {
	sum := sha256.Sum256([]byte(key))
	domain := from[strings.LastIndexByte(from, '@')+1:]
	if !isASCII(domain) || domain == "" {
		domain = "waggle.invalid"
	}
	return "<" + hex.EncodeToString(sum[:16]) + "@" + domain + ">"
}

func isASCII(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r >= 0x7f || r <= ' ' })
}

var idPattern = regexp.MustCompile(`^<[!-;=?-~]+>$`)

// follow sets the headers by which mail programs show one conversation. A reference that is no Message-ID is left out.
func follow(m *gomail.Msg, t notify.Thread) {
	var references []string
	for _, id := range []string{t.Root, t.Last} {
		if idPattern.MatchString(id) && len(id) < 900 && (len(references) == 0 || references[0] != id) {
			references = append(references, id)
		}
	}
	if len(references) == 0 {
		return
	}
	m.SetGenHeaderPreformatted("In-Reply-To", references[len(references)-1])
	m.SetGenHeaderPreformatted("References", strings.Join(references, "\r\n "))
}

// fitting returns the files that fit, in order, and says which do not.
func fitting(files []notify.Attachment, limit int) (fit []notify.Attachment, leftOut string) {
	if limit == 0 {
		limit = DefaultAttachments
	}
	room := limit
	var out []string
	for _, f := range files {
		if len(f.Data) > room {
			out = append(out, fmt.Sprintf("%s (%s)", notify.Cut(name(f.Name), 80), humanize.Bytes(uint64(len(f.Data)))))
			continue
		}
		room -= len(f.Data)
		fit = append(fit, f)
	}
	if len(out) == 0 {
		return fit, ""
	}
	const shown = 5
	if n := len(out) - shown; n > 0 {
		out = append(out[:shown], fmt.Sprintf("+%d more", n))
	}
	return fit, fmt.Sprintf("Not attached, as a mail carries %s of files: %s.", humanize.IBytes(uint64(limit)), strings.Join(out, ", "))
}

func name(text string) string {
	text = path.Base(strings.Join(strings.Fields(notify.Clean(text)), " "))
	if text == "." || text == "/" {
		return "attachment"
	}
	return text
}

func contentType(f notify.Attachment) gomail.ContentType {
	kind := f.ContentType
	if kind == "" {
		kind = mime.TypeByExtension(path.Ext(f.Name))
	}
	if _, _, err := mime.ParseMediaType(kind); err != nil || !isASCII(strings.ReplaceAll(kind, " ", "")) {
		kind = "application/octet-stream"
	}
	return gomail.ContentType(kind)
}

// plain is the text with its end; "-- " is where mail programs see a signature.
func plain(c notify.Content, leftOut string) string {
	text := strings.TrimRight(c.Text, "\n") + "\n"
	if leftOut != "" {
		text += "\n" + leftOut + "\n"
	}
	if c.Footer != "" {
		text += "\n-- \n" + c.Footer + "\n"
	}
	return text
}

var bodyEnd = regexp.MustCompile(`(?i)</body\s*>`)

// page is the HTML with its end, before </body> where there is one. The class is what pages of reports turn light by in the dark.
func page(c notify.Content, leftOut string) string {
	var end strings.Builder
	for _, text := range []string{leftOut, c.Footer} {
		if text != "" {
			end.WriteString(`<div class="muted" style="max-width:560px;margin:12px auto;padding:0 20px;font:13px/1.5 -apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;color:#6B6353">` +
				html.EscapeString(text) + "</div>\n")
		}
	}
	if end.Len() == 0 {
		return c.HTML
	}
	if at := bodyEnd.FindAllStringIndex(c.HTML, -1); at != nil {
		i := at[len(at)-1][0]
		return c.HTML[:i] + end.String() + c.HTML[i:]
	}
	return c.HTML + "\n" + end.String()
}
