package outbox_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	gomail "github.com/wneessen/go-mail"

	"waggle/shared/notify"
	"waggle/shared/notify/outbox"
)

var now = time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)

func clock() time.Time { return now }

var (
	slack = notify.Slack("slack", nil).Definition()
	team  = notify.Mail("team", &notify.MailOptions{To: []string{"team@example.com"}}).Definition()
	hook  = notify.Webhook("hook", &notify.WebhookOptions{URL: "env:URL"}).Definition()
)

func send(t *testing.T, dir string, d *notify.Definition, key string, c notify.Content) notify.Answer {
	t.Helper()
	a := outbox.New(dir, d, clock).Send(t.Context(), key, c, notify.Thread{})
	if a.Kind != notify.Sent || a.Reason != notify.ReasonStored {
		t.Fatalf("%+v", a)
	}
	return a
}

// files returns the content of the only file of each ending in a folder, index.html aside.
func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	got := map[string]string{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.IsDir() || e.Name() == "index.html" {
			continue
		}
		ending := filepath.Ext(e.Name())
		if got[ending] != "" {
			t.Errorf("a second %s: %s", ending, e.Name())
		}
		got[ending] = read(t, dir, e.Name())
	}
	return got
}

func read(t *testing.T, dir, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestAMailIsAFileAPageAndDataWithItsAttachment(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "outbox")
	a := send(t, dir, team, "run#7", notify.Content{Subject: "[Waggle] 3 validation warnings in gallery", Line: "WARNING gallery: 3", Text: "text", HTML: "<html><head></head><body><b>HTML</b></body></html>",
		Footer: "You get this because.", Attachments: []notify.Attachment{{Name: "validation_warnings.json", Data: []byte(`{"warnings":[]}`)}}})
	got := files(t, dir)
	m, err := gomail.EMLToMsgFromReader(strings.NewReader(got[".eml"]))
	if err != nil || len(m.GetAttachments()) != 1 || m.GetAttachments()[0].Name != "validation_warnings.json" || m.GetMessageID() != a.Ref || m.GetToString()[0] != "<team@example.com>" {
		t.Errorf("%v %s", err, got[".eml"])
	}
	var data outbox.Message
	if err := json.Unmarshal([]byte(got[".json"]), &data); err != nil || data.Channel != "team" || data.Key != "run#7" || data.Content.HTML == "" || !data.Time.Equal(now) || data.Attachments[0].Bytes != 15 {
		t.Errorf("%v %s", err, got[".json"])
	}
	if page, err := os.ReadFile(a.Where); err != nil || string(page) != got[".html"] {
		t.Errorf("where: %q, %v", a.Where, err)
	}
	if !strings.Contains(got[".html"], "<b>HTML</b>") || !strings.Contains(got[".html"], "You get this because.</div>\n</body>") || !strings.Contains(got[".html"], "default-src 'none'") {
		t.Errorf("%s", got[".html"])
	}
	index := read(t, dir, "index.html")
	for _, want := range []string{"1 message,", "[Waggle] 3 validation warnings in gallery", "team@example.com", "validation_warnings.json (15 B)", `sandbox="allow-popups`, ".eml", "2026-11-22 02:00:00 UTC"} {
		if !strings.Contains(index, want) {
			t.Errorf("the inbox lacks %q", want)
		}
	}
}

func TestASlackMessageIsShownAsSlackShowsIt(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	send(t, dir, slack, "k", notify.Content{Line: "FAILED gallery", Text: "x", Blocks: json.RawMessage(`[
		{"type":"header","text":{"type":"plain_text","text":"✗ FAILED gallery & <co>"}},
		{"type":"section","text":{"type":"mrkdwn","text":"*bold* _it_ ~no~ ` + "`a_b_c`" + ` &lt;b&gt; <https://example.com/?a=1&amp;b=2|the run> snake_case_name 2*3*4 :x:\n&gt; said\n` + "```\\nx *y*\\n```" + `"}},
		{"type":"section","fields":[{"type":"mrkdwn","text":"Since"},{"type":"plain_text","text":"*02:00*"}]},
		{"type":"divider"},
		{"type":"actions","elements":[{"type":"button","style":"primary","url":"https://example.com/run","text":{"type":"plain_text","text":"Open"}},{"type":"button","url":"javascript:alert(1)","text":{"type":"plain_text","text":"Bad"}}]},
		{"type":"image","image_url":"https://example.com/a.png","alt_text":"a chart"},
		{"type":"context","elements":[{"type":"mrkdwn","text":"<!channel> <@U1> <javascript:alert(1)|z>"}]}]`)})
	page := files(t, dir)[".html"]
	for _, want := range []string{
		`<div class="header">✗ FAILED gallery &amp; &lt;co&gt;</div>`, "<b>bold</b> <i>it</i> <s>no</s> <code>a_b_c</code> &lt;b&gt; ",
		`<a href="https://example.com/?a=1&amp;b=2" target="_blank" rel="noreferrer">the run</a> snake_case_name 2*3*4 ❌`, "<blockquote>said</blockquote>", "<pre>x *y*</pre>",
		`<div class="fields"><div>Since</div><div>*02:00*</div></div>`, "<hr>", `<a class="button primary" href="https://example.com/run"`, `href="#"`, "[image: a chart]", `<span class="mention">@channel</span>`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the picture lacks %s", want)
		}
	}
	if strings.Contains(page, `"javascript:`) || strings.Contains(page, "<img") {
		t.Errorf("the picture runs or fetches something")
	}
	if !strings.Contains(read(t, dir, "index.html"), `<div class="header">✗`) || !strings.Contains(files(t, dir)[".json"], `"slack": {`) {
		t.Error("the inbox or the data lack the message")
	}
}

func TestAWebhooksMessageIsItsData(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	send(t, dir, hook, "k", notify.Content{Line: "x", JSON: json.RawMessage(`{"kind":"failure","text":"<script>"}`)})
	if page := read(t, dir, "index.html"); !strings.Contains(page, "&#34;kind&#34;: &#34;failure&#34;") || strings.Contains(page, "<script") {
		t.Errorf("%s", page)
	}
}

func TestAMessageSentAgainReplacesItsFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	at := now
	s := outbox.New(dir, slack, func() time.Time { at = at.Add(time.Hour); return at })
	for _, line := range []string{"line-one", "line-two"} {
		if a := s.Send(t.Context(), "k", notify.Content{Line: line}, notify.Thread{}); a.Kind != notify.Sent {
			t.Fatal(a)
		}
	}
	if got := files(t, dir); !strings.Contains(got[".json"], "line-two") {
		t.Error("the first is still there")
	}
	if index := read(t, dir, "index.html"); strings.Contains(index, "line-one") || !strings.Contains(index, "1 message,") {
		t.Error("the inbox has both")
	}
}

func TestTheInboxHasTheNewestAndCountsTheOthers(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	at := now
	s := outbox.New(dir, slack, func() time.Time { at = at.Add(time.Second); return at })
	for i := range 103 {
		if a := s.Send(t.Context(), fmt.Sprint(i), notify.Content{Line: fmt.Sprintf("message-%d-", i)}, notify.Thread{}); a.Kind != notify.Sent {
			t.Fatal(a)
		}
	}
	index := read(t, dir, "index.html")
	if n := strings.Count(index, "<article>"); n != 100 || strings.Contains(index, "message-2-") || !strings.Contains(index, "message-3-") || strings.Index(index, "message-102-") > strings.Index(index, "message-101-") ||
		!strings.Contains(index, "103 messages") || !strings.Contains(index, "3 older ones") {
		t.Errorf("%d messages", n)
	}
}

func TestSeveralProcessesShareAnOutbox(t *testing.T) {
	t.Parallel()
	dir := os.Getenv("WAGGLE_TEST_OUTBOX")
	const processes, each = 4, 10
	if dir != "" { // one of the processes below
		for i := range each {
			send(t, dir, slack, fmt.Sprintf("%d-%d", os.Getpid(), i), notify.Content{Line: fmt.Sprintf("%d-%d-", os.Getpid(), i)})
		}
		return
	}
	dir = t.TempDir()
	var wg sync.WaitGroup
	for range processes {
		wg.Go(func() {
			cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
			cmd.Env = append(os.Environ(), "WAGGLE_TEST_OUTBOX="+dir)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
	wg.Wait()
	index := read(t, dir, "index.html")
	if n := strings.Count(index, "<article>"); n != processes*each || !strings.HasSuffix(strings.TrimSpace(index), "</html>") {
		t.Errorf("the inbox has %d messages, want %d", n, processes*each)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".*.tmp")); len(left) > 0 {
		t.Errorf("temporary files stayed: %v", left)
	}
}

func TestTheLastToWriteTheInboxHasSeenEveryMessage(t *testing.T) {
	t.Parallel()
	for range 20 {
		dir := t.TempDir()
		start := make(chan struct{})
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				<-start
				if a := outbox.New(dir, slack, clock).Send(t.Context(), fmt.Sprint(i), notify.Content{Line: "x"}, notify.Thread{}); a.Kind != notify.Sent {
					t.Errorf("%+v", a)
				}
			})
		}
		close(start)
		wg.Wait()
		if n := strings.Count(read(t, dir, "index.html"), "<article>"); n != 8 {
			t.Fatalf("the inbox has %d of 8 messages", n)
		}
	}
}

func TestAFolderThatCannotBeWrittenParksTheChannel(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if a := outbox.New(file, slack, clock).Send(t.Context(), "k", notify.Content{Line: "x"}, notify.Thread{}); a.Kind != notify.Park || a.Error == "" {
		t.Errorf("%+v", a)
	}
}

func TestWhatSlackWouldRefuseTheOutboxRefusesToo(t *testing.T) {
	t.Parallel()
	a := outbox.New(t.TempDir(), slack, clock).Send(t.Context(), "k", notify.Content{Line: "x", Text: strings.Repeat("x", 1<<20)}, notify.Thread{})
	if a.Kind != notify.Smaller {
		t.Errorf("%+v", a)
	}
}

var tags = regexp.MustCompile(`</?([a-z0-9]+)[^>]*>`)

// FuzzNoTextBecomesATag holds for every text: on the page are only tags that the picture makes.
func FuzzNoTextBecomesATag(f *testing.F) {
	for _, text := range []string{"<img src=x onerror=alert(1)>", "`<b>`", "*<b>*", "<https://x|<b>>", "&lt;script&gt;", "```<i>```", "\x01" + "0\x02", "<a`b|c`d>", `<https://x" onclick="y|z>`, "> q\n> r", "*a* *b* _c_ ~d~ :x: <!here>"} {
		f.Add(text)
	}
	known := map[string]bool{"b": true, "i": true, "s": true, "code": true, "pre": true, "a": true, "br": true, "blockquote": true, "span": true, "div": true}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.TrimSpace(text) == "" || len(text) > 2000 {
			return
		}
		block, err := json.Marshal([]any{map[string]any{"type": "section", "text": map[string]string{"type": "mrkdwn", "text": text}}})
		if err != nil {
			return
		}
		dir := t.TempDir()
		if a := outbox.New(dir, slack, clock).Send(t.Context(), "k", notify.Content{Line: "x", Blocks: block}, notify.Thread{}); a.Kind != notify.Sent {
			return
		}
		_, picture, _ := strings.Cut(files(t, dir)[".html"], `<time>02:00</time></div>`)
		picture, _, _ = strings.Cut(picture, "</article>")
		for _, tag := range tags.FindAllStringSubmatch(picture, -1) {
			if !known[tag[1]] || strings.Contains(tag[0], " on") && !strings.Contains(html.UnescapeString(tag[0]), `&`) && regexp.MustCompile(`"\s+on\w+=`).MatchString(tag[0]) {
				t.Errorf("%q became %s", text, tag[0])
			}
		}
		if bytes.ContainsAny([]byte(picture), "\x01\x02") {
			t.Errorf("%q left a marker", text)
		}
	})
}
