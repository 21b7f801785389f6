package outbox

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"time"

	template "github.com/DataDog/datadog-agent/pkg/template/html"
	"github.com/dustin/go-humanize"

	"waggle/shared/notify"
	"waggle/shared/notify/mailmessage"
)

//go:embed page.html.tmpl
var pageText string

var templates = template.Must(template.New("page").Parse(pageText))

// card is a message as the template shows it.
type card struct {
	Message
	Name    string
	Moment  string        // Time for programs
	Shown   string        // Time for people
	Clock   string        // Time of day
	Picture template.HTML // of Slack
	JSON    string        // of a webhook
	Height  int           // of a mail's frame, in pixels
	Files   []string
}

// cardOf is a message as part of the inbox.
func cardOf(m Message, name string) []byte {
	c := card{Message: m, Name: url.PathEscape(name), Moment: m.Time.Format(time.RFC3339), Shown: m.Time.Format("2006-01-02 15:04:05 UTC"), Clock: m.Time.Format("15:04")}
	for _, f := range m.Attachments {
		c.Files = append(c.Files, fmt.Sprintf("%s (%s)", notify.Cut(f.Name, 80), humanize.Bytes(uint64(f.Bytes))))
	}
	switch m.Kind {
	case notify.KindSlack:
		c.Picture = template.HTML(slackPicture(*m.Slack)) //nolint:gosec // every text in it is escaped where it is put in
	case notify.KindMail:
		// A frame cannot grow with its page without scripts: by lines, and a person can drag its corner.
		c.Height = min(max(180+24*strings.Count(m.Content.Text, "\n"), 240), 720)
		if m.Content.HTML == "" {
			c.Height = min(100+20*strings.Count(m.Content.Text, "\n"), 720)
		}
	default:
		var b bytes.Buffer
		data := m.Content.JSON
		if len(data) == 0 {
			data, _ = json.Marshal(m.Content)
		}
		if json.Indent(&b, data, "", "  ") != nil {
			b.Write(data)
		}
		c.JSON = notify.Cut(b.String(), 4_000)
	}
	return executed("card", c)
}

// pageOf is a message on a page of its own: a mail as its reader sees it, all else its card.
func pageOf(m Message, card []byte, mail mailmessage.Mail) []byte {
	if m.Kind != notify.KindMail {
		return executed("page", map[string]any{"Title": m.Content.Line, "Cards": []template.HTML{template.HTML(card)}})
	}
	if mail.HTML == "" {
		return executed("text", map[string]string{"Subject": m.Content.Subject, "Text": mail.Text})
	}
	return harmless(mail.HTML)
}

var headStart = regexp.MustCompile(`(?i)<head[^>]*>`)

// harmless is a mail's HTML as mail programs show it: no script runs, and nothing is fetched.
func harmless(page string) []byte {
	const policy = `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:"><base target="_blank">`
	if at := headStart.FindStringIndex(page); at != nil {
		return []byte(page[:at[1]] + policy + page[at[1]:])
	}
	return []byte("<!DOCTYPE html><html><head><meta charset=\"utf-8\">" + policy + "</head><body>" + page + "</body></html>")
}

// inbox is index.html.
func inbox(cards [][]byte, older int) []byte {
	var parts []template.HTML
	for _, c := range cards {
		parts = append(parts, template.HTML(c))
	}
	return executed("page", map[string]any{"Title": "Waggle outbox", "Index": true, "Count": len(cards) + older, "Older": older, "Cards": parts})
}

func executed(name string, data any) []byte {
	var b bytes.Buffer
	if err := templates.ExecuteTemplate(&b, name, data); err != nil {
		fmt.Fprintf(&b, "<p>This message cannot be shown: %s</p>", template.HTMLEscapeString(err.Error()))
	}
	return b.Bytes()
}
