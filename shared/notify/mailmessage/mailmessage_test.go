package mailmessage_test

import (
	"bytes"
	"mime"
	"net/mail"
	"strings"
	"testing"
	"time"

	gomail "github.com/wneessen/go-mail"

	"waggle/shared/notify"
	"waggle/shared/notify/mailmessage"
)

var envelope = mailmessage.Envelope{From: "alerts@example.com", To: []string{"team@example.com"}, Key: "run#7", Time: time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)}

// check reports a mail that is not 7-bit, or does not read back as what went in.
func check(t *testing.T, c notify.Content) {
	t.Helper()
	m, err := mailmessage.MIME(c, envelope)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.ContainsFunc(m.Data, func(r rune) bool { return r > 126 || r < ' ' && r != '\r' && r != '\n' && r != '\t' }) {
		t.Error("not 7-bit")
	}
	for line := range bytes.SplitSeq(m.Data, []byte("\r\n")) {
		if len(line) > 998 || bytes.ContainsAny(line, "\r\n") {
			t.Errorf("a line of %d bytes: %.80q", len(line), line)
		}
	}
	read, err := gomail.EMLToMsgFromReader(bytes.NewReader(m.Data))
	if err != nil {
		t.Fatalf("it does not parse: %v", err)
	}
	head, err := mail.ReadMessage(bytes.NewReader(m.Data))
	if err != nil {
		t.Fatal(err)
	}
	c = c.Filled()
	if got, err := new(mime.WordDecoder).DecodeHeader(head.Header.Get("Subject")); err != nil || strings.Join(strings.Fields(got), " ") != strings.Join(strings.Fields(notify.Cut(c.Subject, 250)), " ") {
		t.Errorf("subject %q, want %q: %v", got, c.Subject, err)
	}
	if n := len(head.Header["Bcc"]) + len(head.Header["Cc"]); n > 0 || len(head.Header["To"]) != 1 {
		t.Errorf("header %v", head.Header)
	}
	text, err := read.GetParts()[0].GetContent()
	if err != nil || strings.ReplaceAll(string(text), "\r\n", "\n") != strings.TrimRight(c.Text, "\n")+"\n" {
		t.Errorf("text %.100q, want %.100q: %v", text, c.Text, err)
	}
}

func FuzzAnyTextIsAMail(f *testing.F) {
	f.Add("[Waggle] gallery failed", "text", "<p>html</p>")
	f.Add("a\r\nBcc: x@example.com", ".\r\n.\r\n", "=20=")
	f.Add("🐝\xff", "\x00\x1b\xffü\u2028", "\xff<")
	f.Add(strings.Repeat("é", 500), strings.Repeat("long ", 1000)+"\n \n", strings.Repeat("x", 5000))
	f.Fuzz(func(t *testing.T, subject, text, html string) {
		check(t, notify.Content{Subject: subject, Text: text, HTML: html, Line: "x"})
	})
}

func TestAMegabyteIsAMail(t *testing.T) {
	t.Parallel()
	check(t, notify.Content{Subject: strings.Repeat("é", 1<<19), Line: "x", Text: strings.Repeat("é🐝 ", 1<<17), HTML: strings.Repeat("<b>é</b>", 1<<16)})
}

func TestAReferenceThatIsNoMessageIDIsNotWritten(t *testing.T) {
	t.Parallel()
	e := envelope
	e.Thread = notify.Thread{Root: "C1/170.1", Last: "<a@b>\r\nBcc: x@example.com"}
	m, err := mailmessage.MIME(notify.Content{Line: "x"}, e)
	if err != nil || strings.Contains(string(m.Data), "References") || strings.Contains(string(m.Data), "Bcc") {
		t.Errorf("%s %v", m.Data, err)
	}
}

func TestAddressesAreCheckedAgain(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(*mailmessage.Envelope){
		`sender "x"`:         func(e *mailmessage.Envelope) { e.From = "x" },
		"no recipients":      func(e *mailmessage.Envelope) { e.To = nil },
		`recipient "a@b\r\n`: func(e *mailmessage.Envelope) { e.To = []string{"a@b\r\nBcc: c@d"} },
	} {
		e := envelope
		change(&e)
		if _, err := mailmessage.MIME(notify.Content{Line: "x"}, e); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func TestOddAttachmentsAreHarmless(t *testing.T) {
	t.Parallel()
	m, err := mailmessage.MIME(notify.Content{Line: "x", Attachments: []notify.Attachment{
		{Name: "../../etc/passwd", Data: []byte("a")}, {Name: "a\r\nX-Bad: 1", ContentType: "text/plain\r\nX-Bad: 2", Data: []byte("b")}, {Name: "Übersicht 🐝.csv"}, {},
	}}, envelope)
	if err != nil {
		t.Fatal(err)
	}
	read, err := gomail.EMLToMsgFromReader(bytes.NewReader(m.Data))
	if err != nil || len(read.GetAttachments()) != 4 || strings.Contains(string(m.Data), "\nX-Bad") || strings.Contains(string(m.Data), "etc/passwd") {
		t.Errorf("%v %s", err, m.Data)
	}
}
