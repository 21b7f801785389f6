package smtpmail_test

import (
	"context"
	"encoding/base64"
	"io"
	"mime"
	"mime/multipart"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"waggle/shared/notify"
	"waggle/shared/notify/notifytest"
	"waggle/shared/notify/smtpmail"
	"waggle/shared/secret"
)

var now = time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)

const password = "pass-SECRET-word"

func settings(server *notifytest.Mail) notify.SMTPSettings {
	return notify.SMTPSettings{Host: server.Host, Port: server.Port, User: "waggle", Password: secret.New(password), Encryption: notify.StartTLS,
		From: "Waggle <alerts@example.com>", To: []string{"a@example.com", "Bé <b@example.com>", "c@example.com"}}
}

// setup starts a server with STARTTLS and login, changed as a test wants it.
func setup(t *testing.T, change func(*notifytest.MailOptions)) (*notifytest.Mail, *smtpmail.Sender) {
	t.Helper()
	opts := notifytest.MailOptions{StartTLS: true, User: "waggle", Password: password}
	if change != nil {
		change(&opts)
	}
	server := notifytest.NewMail(t, opts)
	return server, sender(server, settings(server))
}

func sender(server *notifytest.Mail, s notify.SMTPSettings) *smtpmail.Sender {
	return smtpmail.New(s, &smtpmail.Options{RootCAs: server.Roots, Now: func() time.Time { return now }, Timeout: 5 * time.Second})
}

var content = notify.Content{Subject: "[Waggle] gallery failed – ж", Line: "FAILED gallery: 3 steps", Text: "sales_raw: no file 🐝\n.a line that begins with a dot\n",
	HTML: "<html><body><p>sales_raw 🐝</p></body></html>", Footer: "You get this because of on_run_failure.",
	Attachments: []notify.Attachment{{Name: "validation_warnings.json", Data: []byte(`{"warnings":[]}`)}}}

func TestAMailArrivesWithTextHTMLAndAttachmentOverAnEncryptedConnection(t *testing.T) {
	t.Parallel()
	server, s := setup(t, nil)
	a := s.Send(t.Context(), "run#7", content, notify.Thread{})
	got := server.One()
	m := got.Message(t)
	if a.Kind != notify.Sent || a.Ref != m.Header.Get("Message-ID") || a.Ref == "" || a.Error != "" {
		t.Errorf("%+v", a)
	}
	if got.From != "alerts@example.com" || got.User != "waggle" || !slices.Equal(got.To, []string{"a@example.com", "b@example.com", "c@example.com"}) {
		t.Errorf("%s %s %v", got.From, got.User, got.To)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if date, dateErr := m.Header.Date(); err != nil || dateErr != nil || subject != content.Subject || !date.Equal(now) || m.Header.Get("Auto-Submitted") != "auto-generated" {
		t.Errorf("%v", m.Header)
	}
	if to, err := m.Header.AddressList("To"); err != nil || len(to) != 3 || to[1].Name != "Bé" {
		t.Errorf("to %v, %v", to, err)
	}
	for _, line := range strings.Split(string(got.Data), "\r\n") {
		if len(line) > 998 || strings.ContainsFunc(line, func(r rune) bool { return r > 126 }) {
			t.Errorf("line %.80q is not 7-bit or too long", line)
		}
	}
	parts := partsOf(t, m.Header.Get("Content-Type"), m.Body)
	if len(parts) != 3 || !strings.HasPrefix(parts[0].kind, "text/plain") || !strings.HasPrefix(parts[1].kind, "text/html") {
		t.Fatalf("%+v", parts)
	}
	if text := strings.ReplaceAll(parts[0].body, "\r\n", "\n"); text != content.Text+"\n-- \n"+content.Footer+"\n" {
		t.Errorf("text %q", text)
	}
	if !strings.Contains(parts[1].body, "<p>sales_raw 🐝</p>") || !strings.Contains(parts[1].body, content.Footer+"</div>\n</body>") && !strings.Contains(parts[1].body, content.Footer+"</div>\r\n</body>") {
		t.Errorf("HTML %q", parts[1].body)
	}
	if parts[2].name != "validation_warnings.json" || parts[2].body != `{"warnings":[]}` || !strings.HasPrefix(parts[2].kind, "application/json") {
		t.Errorf("%+v", parts[2])
	}
}

func TestAMailSentAgainHasTheSameIDAndAReplyNamesWhatItFollows(t *testing.T) {
	t.Parallel()
	server, s := setup(t, nil)
	first, again := s.Send(t.Context(), "run#7", content, notify.Thread{}), s.Send(t.Context(), "run#7", content, notify.Thread{})
	second := s.Send(t.Context(), "run#8", content, notify.Thread{Root: first.Ref})
	_ = s.Send(t.Context(), "run#9", content, notify.Thread{Root: first.Ref, Last: second.Ref})
	if first.Ref != again.Ref || first.Ref == second.Ref {
		t.Errorf("%q %q %q", first.Ref, again.Ref, second.Ref)
	}
	got := server.Take()
	if h := got[0].Message(t).Header; h.Get("In-Reply-To") != "" || h.Get("References") != "" {
		t.Errorf("the first follows %v", h)
	}
	if h := got[2].Message(t).Header; h.Get("In-Reply-To") != first.Ref || h.Get("References") != first.Ref {
		t.Errorf("the second follows %v", h)
	}
	if h := got[3].Message(t).Header; h.Get("In-Reply-To") != second.Ref || h.Get("References") != first.Ref+" "+second.Ref {
		t.Errorf("the third follows %v", h)
	}
}

func TestOneRefusedRecipientOfThreeKeepsTheMailFromNobodyElse(t *testing.T) {
	t.Parallel()
	server, s := setup(t, func(o *notifytest.MailOptions) {
		o.Recipient = func(to string) error {
			switch to {
			case "b@example.com":
				return notifytest.Reject(550, "5.1.1 no such user")
			case "c@example.com":
				return notifytest.Reject(450, "4.2.0 greylisted")
			}
			return nil
		}
	})
	a := s.Send(t.Context(), "k", content, notify.Thread{})
	if got := server.One(); !slices.Equal(got.To, []string{"a@example.com"}) {
		t.Errorf("sent to %v", got.To)
	}
	if a.Kind != notify.Recipient || a.Reason != notify.ReasonRecipientsRefused || a.Ref == "" || !slices.Equal(a.Refused, []string{"b@example.com"}) || !slices.Equal(a.Later, []string{"c@example.com"}) ||
		!strings.Contains(a.Error, "4.2.0") {
		t.Errorf("%+v", a)
	}
}

func TestWhatTheServerSaysDecidesWhatFollows(t *testing.T) {
	t.Parallel()
	all := func(code int, text string) func(string) error {
		return func(string) error { return notifytest.Reject(code, text) }
	}
	data := func(code int, text string) func([]byte) error {
		return func([]byte) error { return notifytest.Reject(code, text) }
	}
	for name, c := range map[string]struct {
		change func(*notifytest.MailOptions)
		want   notify.Answer // its Error: a part of it
	}{
		"no STARTTLS":       {func(o *notifytest.MailOptions) { o.StartTLS = false }, notify.Answer{Kind: notify.Park, Reason: notify.ReasonNoStartTLS, Error: "STARTTLS"}},
		"wrong password":    {func(o *notifytest.MailOptions) { o.Password = "another" }, notify.Answer{Kind: notify.Park, Reason: notify.ReasonDenied, Error: "Authentication failed"}},
		"sender refused":    {func(o *notifytest.MailOptions) { o.Sender = all(553, "5.7.1 not yours") }, notify.Answer{Kind: notify.Park, Reason: notify.ReasonDenied, Error: "not yours"}},
		"sender later":      {func(o *notifytest.MailOptions) { o.Sender = all(451, "4.3.0 busy") }, notify.Answer{Kind: notify.Retry, Reason: notify.ReasonServerError, Error: "busy"}},
		"limited":           {func(o *notifytest.MailOptions) { o.Sender = all(421, "4.7.0 too many") }, notify.Answer{Kind: notify.Retry, Reason: notify.ReasonRateLimited, After: time.Minute, Error: "too many"}},
		"nobody":            {func(o *notifytest.MailOptions) { o.Recipient = all(550, "5.1.1 no such user") }, notify.Answer{Kind: notify.Park, Reason: notify.ReasonNoRecipients, Error: "no such user"}},
		"nobody for now":    {func(o *notifytest.MailOptions) { o.Recipient = all(452, "4.2.2 full") }, notify.Answer{Kind: notify.Retry, Reason: notify.ReasonServerError, After: time.Minute, Error: "full"}},
		"too large":         {func(o *notifytest.MailOptions) { o.Data = data(552, "5.3.4 too big") }, notify.Answer{Kind: notify.Smaller, Reason: notify.ReasonTooLarge, Error: "too big"}},
		"content refused":   {func(o *notifytest.MailOptions) { o.Data = data(554, "5.6.0 spam") }, notify.Answer{Kind: notify.Smaller, Reason: notify.ReasonRefused, Error: "spam"}},
		"content later":     {func(o *notifytest.MailOptions) { o.Data = data(451, "4.3.0 disk") }, notify.Answer{Kind: notify.Retry, Reason: notify.ReasonServerError, Error: "disk"}},
		"hangs up in it":    {func(o *notifytest.MailOptions) { o.HangUp = 50 }, notify.Answer{Kind: notify.Retry, Reason: notify.ReasonCutOff, Ambiguous: true}},
		"hangs up after it": {func(o *notifytest.MailOptions) { o.HangUp = -1 }, notify.Answer{Kind: notify.Retry, Reason: notify.ReasonCutOff, Ambiguous: true, Error: "EOF"}},
		"echoes the secret": {func(o *notifytest.MailOptions) {
			o.Data = data(554, "I saw "+password+" and "+base64.StdEncoding.EncodeToString([]byte(password)))
		}, notify.Answer{Kind: notify.Smaller, Reason: notify.ReasonRefused, Error: "I saw [masked] and [masked]"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, s := setup(t, c.change) // takes no mail, or the server fails the test
			a := s.Send(t.Context(), "k", content, notify.Thread{})
			if !strings.Contains(a.Error, c.want.Error) || a.Error == "" || notifytest.Leaks(a.Error) {
				t.Errorf("the error is %q, want %q in it", a.Error, c.want.Error)
			}
			if a.Kind != c.want.Kind || a.Reason != c.want.Reason || a.After != c.want.After || a.Ambiguous != c.want.Ambiguous {
				t.Errorf("got %+v, want %+v", a, c.want)
			}
		})
	}
}

func TestAMailCutOffInItsMiddleHasReachedNobody(t *testing.T) {
	t.Parallel()
	_, s := setup(t, func(o *notifytest.MailOptions) { o.HangUp = 1000 })
	c := content
	c.Attachments = []notify.Attachment{{Name: "big.bin", Data: make([]byte, 9<<20)}} // more than sockets hold
	if a := s.Send(t.Context(), "k", c, notify.Thread{}); a.Kind != notify.Retry || a.Reason != notify.ReasonCutOff || a.Ambiguous {
		t.Errorf("%+v", a)
	}
}

func TestImplicitTLSAndNoTLSAreServedToo(t *testing.T) {
	t.Parallel()
	server := notifytest.NewMail(t, notifytest.MailOptions{Implicit: true, User: "waggle", Password: password})
	with := settings(server)
	with.Encryption = notify.ImplicitTLS
	if a := sender(server, with).Send(t.Context(), "k", content, notify.Thread{}); a.Kind != notify.Sent {
		t.Errorf("%+v", a)
	}
	if got := server.One(); got.User != "waggle" {
		t.Errorf("not logged in")
	}
	clear := notifytest.NewMail(t, notifytest.MailOptions{})
	without := settings(clear)
	without.Encryption, without.User = notify.NoTLS, ""
	if a := sender(clear, without).Send(t.Context(), "k", content, notify.Thread{}); a.Kind != notify.Sent {
		t.Errorf("%+v", a)
	}
	_ = clear.One()
}

func TestACertificateThatDoesNotVerifyParksTheChannel(t *testing.T) {
	t.Parallel()
	server, _ := setup(t, nil)
	stranger := smtpmail.New(settings(server), nil)
	if a := stranger.Send(t.Context(), "k", content, notify.Thread{}); a.Kind != notify.Park || a.Reason != notify.ReasonTLS || !strings.Contains(a.Error, "certificate") {
		t.Errorf("%+v", a)
	}
}

func TestAServerThatSaysNothingOrIsNotThereIsTriedAgain(t *testing.T) {
	t.Parallel()
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = silent.Close() }()
	s := notify.SMTPSettings{Host: "127.0.0.1", Port: silent.Addr().(*net.TCPAddr).Port, Encryption: notify.StartTLS, From: "a@example.com", To: []string{"b@example.com"}}
	if a := smtpmail.New(s, &smtpmail.Options{Timeout: 50 * time.Millisecond}).Send(t.Context(), "k", content, notify.Thread{}); a.Kind != notify.Retry || a.Reason != notify.ReasonNoAnswer || a.Ambiguous {
		t.Errorf("%+v", a)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if a := smtpmail.New(s, nil).Send(ctx, "k", content, notify.Thread{}); a.Kind != notify.Retry || a.Reason != notify.ReasonCanceled {
		t.Errorf("%+v", a)
	}
	_ = silent.Close()
	if a := smtpmail.New(s, nil).Send(t.Context(), "k", content, notify.Thread{}); a.Kind != notify.Retry || a.Reason != notify.ReasonNoAnswer {
		t.Errorf("%+v", a)
	}
	if smtpmail.Timeout != 10*time.Second {
		t.Errorf("the default is %s", smtpmail.Timeout)
	}
}

func TestFilesBeyondTheLimitAreLeftOutAndSaid(t *testing.T) {
	t.Parallel()
	server, s := setup(t, nil)
	c := content
	c.Attachments = []notify.Attachment{{Name: "big.csv", Data: make([]byte, 30<<20)}, {Name: "small.csv", Data: []byte("a,b\n")}}
	a := s.Send(t.Context(), "k", c, notify.Thread{})
	parts := partsOf(t, "", nil)
	if m := server.One().Message(t); m != nil {
		parts = partsOf(t, m.Header.Get("Content-Type"), m.Body)
	}
	if a.Kind != notify.Sent || !strings.Contains(a.Note, "big.csv (31 MB)") || len(parts) != 3 || parts[2].name != "small.csv" || !strings.HasPrefix(parts[2].kind, "text/csv") ||
		!strings.Contains(parts[0].body, a.Note) || !strings.Contains(parts[1].body, "big.csv") {
		t.Errorf("%+v", a)
	}
}

func TestAMessageMayNameItsOwnRecipients(t *testing.T) {
	t.Parallel()
	server, s := setup(t, nil)
	c := content
	c.To = []string{"Owner <owner@example.com>"}
	if a := s.Send(t.Context(), "k", c, notify.Thread{}); a.Kind != notify.Sent {
		t.Errorf("%+v", a)
	}
	if got := server.One(); !slices.Equal(got.To, []string{"owner@example.com"}) || strings.Contains(got.Message(t).Header.Get("To"), "a@example.com") {
		t.Errorf("%v", got.To)
	}
}

func TestAMessageWhoseOwnRecipientsAreNoGoodDoesNotParkTheChannel(t *testing.T) {
	t.Parallel()
	_, s := setup(t, func(o *notifytest.MailOptions) {
		o.Recipient = func(string) error { return notifytest.Reject(550, "5.1.1 no such user") }
	})
	for _, to := range []string{"gone@example.com", "no address"} {
		c := content
		c.To = []string{to}
		if a := s.Send(t.Context(), "k", c, notify.Thread{}); a.Kind != notify.Smaller || a.Error == "" {
			t.Errorf("%s: %+v", to, a)
		}
	}
}

func TestAProgramThatEndsInTheMiddleOfASendDoesNotWaitForTheServer(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	_, s := setup(t, func(o *notifytest.MailOptions) {
		o.Data = func([]byte) error { cancel(); <-t.Context().Done(); return notifytest.Reject(451, "4.3.0 too late") }
	})
	begun := time.Now()
	if a := s.Send(ctx, "k", content, notify.Thread{}); a.Kind != notify.Retry || a.Reason != notify.ReasonCanceled || !a.Ambiguous {
		t.Errorf("%+v", a)
	}
	if took := time.Since(begun); took > 4*time.Second { // the server's own time is 5 s
		t.Errorf("it took %s", took)
	}
}

type part struct{ kind, name, body string }

// partsOf are the leaves of a mail's tree.
func partsOf(t *testing.T, contentType string, body io.Reader) []part {
	t.Helper()
	if body == nil {
		return nil
	}
	_, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		t.Fatal(err)
	}
	var parts []part
	r := multipart.NewReader(body, params["boundary"])
	for {
		p, err := r.NextPart()
		if err == io.EOF {
			return parts
		}
		if err != nil {
			t.Fatal(err)
		}
		kind := p.Header.Get("Content-Type")
		if strings.HasPrefix(kind, "multipart/") {
			parts = append(parts, partsOf(t, kind, p)...)
			continue
		}
		data, err := io.ReadAll(p)
		if p.Header.Get("Content-Transfer-Encoding") == "base64" {
			data, err = base64.StdEncoding.DecodeString(strings.ReplaceAll(string(data), "\r\n", ""))
		}
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, part{kind, p.FileName(), string(data)})
	}
}
