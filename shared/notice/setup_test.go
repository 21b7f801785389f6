package notice_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
	"golang.org/x/net/html"

	"waggle/shared/notify"
)

// fatal is what both *testing.T and *rapid.T are.
type fatal interface {
	Helper()
	Fatalf(format string, args ...any)
}

// contents renders a report in every size and holds each against the rules of every channel.
func contents(t fatal, r notify.Sendable) map[notify.Rung]notify.Content {
	t.Helper()
	all := map[notify.Rung]notify.Content{}
	for _, rung := range notify.Rungs() {
		c, err := r.Content(rung)
		if err != nil {
			t.Fatalf("rung %d: %v", rung, err)
		}
		checkLines(t, c)
		checkText(t, c.Text)
		if !json.Valid(c.JSON) || len(c.JSON) > 256<<10 {
			t.Fatalf("rung %d: JSON of %d bytes", rung, len(c.JSON))
		}
		if !utf8.ValidString(c.Markdown) || strings.TrimSpace(c.Markdown) == "" {
			t.Fatalf("rung %d: Markdown %q", rung, c.Markdown)
		}
		if rung == notify.Line {
			if c.HTML != "" || c.Blocks != nil {
				t.Fatalf("one sentence has HTML or blocks")
			}
		} else {
			checkHTML(t, c.HTML)
			if c.Blocks != nil {
				checkBlocks(t, c.Blocks)
			}
		}
		all[rung] = c
	}
	brief, line := utf8.RuneCountInString(all[notify.Brief].Text), utf8.RuneCountInString(all[notify.Line].Text)
	if brief > 4_000 || line > 600 {
		t.Fatalf("the small sizes have %d and %d characters", brief, line)
	}
	return all
}

func checkLines(t fatal, c notify.Content) {
	t.Helper()
	for _, text := range []string{c.Subject, c.Line} {
		if text == "" || strings.ContainsAny(text, "\r\n\x00") || !utf8.ValidString(text) || utf8.RuneCountInString(text) > 150 {
			t.Fatalf("subject or line %q", text)
		}
	}
}

func checkText(t fatal, text string) {
	t.Helper()
	if !utf8.ValidString(text) || strings.ContainsAny(text, "\x1b\r\x00") {
		t.Fatalf("text %q", text)
	}
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		whole := strings.Contains(line, "waggle ") || strings.Contains(line, "https://") // what is to be copied
		if ansi.StringWidth(line) > 72 && !whole {
			t.Fatalf("%d columns: %q", ansi.StringWidth(line), line)
		}
	}
}

var void = map[string]bool{"meta": true, "br": true}

// checkHTML fails where an element is not closed, closed twice or not of those that a mail may have.
func checkHTML(t fatal, text string) {
	t.Helper()
	if len(text) >= 100<<10 {
		t.Fatalf("the mail has %d bytes", len(text))
	}
	var open []string
	z := html.NewTokenizer(strings.NewReader(text))
	for {
		kind := z.Next()
		token := z.Token()
		switch kind {
		case html.ErrorToken:
			if len(open) > 0 {
				t.Fatalf("%v are not closed", open)
			}
			return
		case html.StartTagToken:
			switch token.Data {
			case "html", "head", "title", "style", "body", "div", "table", "tbody", "tr", "td", "h1", "h2", "p", "span", "strong", "a", "meta", "br":
			default:
				t.Fatalf("element <%s>", token.Data)
			}
			for _, a := range token.Attr {
				if strings.HasPrefix(a.Key, "on") || a.Key == "href" && !strings.HasPrefix(a.Val, "https://") {
					t.Fatalf("attribute %s=%q", a.Key, a.Val)
				}
				if strings.Contains(a.Val, "ZgotmplZ") {
					t.Fatalf("a style was refused: %s", token)
				}
			}
			if !void[token.Data] {
				open = append(open, token.Data)
			}
		case html.EndTagToken:
			if len(open) == 0 || open[len(open)-1] != token.Data {
				t.Fatalf("</%s> in %v", token.Data, open)
			}
			open = open[:len(open)-1]
		}
	}
}

// shown is the text of a mail as a person reads it.
func shown(text string) string {
	var b strings.Builder
	z := html.NewTokenizer(strings.NewReader(text))
	for kind := z.Next(); kind != html.ErrorToken; kind = z.Next() {
		if kind == html.TextToken {
			b.WriteString(z.Token().Data)
		}
	}
	return b.String()
}

func checkBlocks(t fatal, data json.RawMessage) {
	t.Helper()
	type text struct {
		Type, Text string
	}
	var blocks []struct {
		Type     string
		Text     *text
		Elements []struct {
			Type string
			Text json.RawMessage
			URL  string
		}
	}
	if err := json.Unmarshal(data, &blocks); err != nil {
		t.Fatalf("blocks: %v", err)
	}
	if len(blocks) == 0 || len(blocks) > 50 || len(data) > 12_000 {
		t.Fatalf("%d blocks of %d bytes", len(blocks), len(data))
	}
	mrkdwn := func(s string) {
		n := utf8.RuneCountInString(s)
		if n == 0 || n > 3_000 {
			t.Fatalf("a text of %d characters", n)
		}
		for _, entity := range []string{"&amp;", "&lt;", "&gt;"} {
			s = strings.ReplaceAll(s, entity, "")
		}
		if strings.ContainsAny(s, "<>&") {
			t.Fatalf("not escaped: %q", s)
		}
		if strings.Count(s, "`")%2 != 0 {
			t.Fatalf("back-ticks are not paired: %q", s)
		}
	}
	for i, b := range blocks {
		switch b.Type {
		case "header":
			if i != 0 || b.Text.Type != "plain_text" || b.Text.Text == "" || utf8.RuneCountInString(b.Text.Text) > 150 {
				t.Fatalf("header %+v", b.Text)
			}
		case "section":
			if b.Text.Type != "mrkdwn" {
				t.Fatalf("section %+v", b.Text)
			}
			mrkdwn(b.Text.Text)
		case "context":
			var s string
			if len(b.Elements) != 1 || json.Unmarshal(b.Elements[0].Text, &s) != nil {
				t.Fatalf("context %+v", b)
			}
			mrkdwn(s)
		case "actions":
			var label text
			if len(b.Elements) != 1 || b.Elements[0].Type != "button" || !strings.HasPrefix(b.Elements[0].URL, "https://") ||
				json.Unmarshal(b.Elements[0].Text, &label) != nil || label.Type != "plain_text" || label.Text == "" {
				t.Fatalf("actions %+v", b)
			}
		default:
			t.Fatalf("block %q", b.Type)
		}
	}
}

func full(t *testing.T, r notify.Sendable) notify.Content {
	t.Helper()
	return contents(t, r)[notify.Full]
}
