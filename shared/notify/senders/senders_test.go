package senders_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"waggle/shared/fault"
	"waggle/shared/notify"
	"waggle/shared/notify/notifytest"
	"waggle/shared/notify/senders"
	"waggle/shared/notify/smtpmail"
	"waggle/shared/secret"
)

var (
	slack  = notify.Slack("slack", nil)
	team   = notify.Mail("team", &notify.MailOptions{Encryption: notify.NoTLS, Fallback: notify.Webhook("pager", &notify.WebhookOptions{URL: "env:PAGER_URL", Secret: "env:PAGER_KEY"})})
	secure = notify.Slack("secure", &notify.SlackOptions{Webhook: "ssm:/waggle/slack"})
)

func in(pairs ...string) func(string) (string, bool) {
	environment := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		environment[pairs[i]] = pairs[i+1]
	}
	return func(name string) (string, bool) { v, ok := environment[name]; return v, ok }
}

func TestEachChannelAndItsFallbackSendByWhatIsConfigured(t *testing.T) {
	t.Parallel()
	web := notifytest.NewWeb(t, notifytest.Reply(200, "ok"), notifytest.Reply(200, ""))
	server := notifytest.NewMail(t, notifytest.MailOptions{})
	s, err := senders.Open(t.Context(), notify.List{slack, team}, senders.Options{Lookup: in("SLACK_WEBHOOK_URL", web.URL+"/slack", "SMTP_HOST", server.Host, "SMTP_PORT", strconv.Itoa(server.Port),
		"MAIL_FROM", "f@example.com", "MAIL_TO", "t@example.com", "PAGER_URL", web.URL+"/pager", "PAGER_KEY", "a-long-key")})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range []*notify.Definition{slack.Definition(), team.Definition(), team.Definition().Fallback} {
		sender, err := s.Of(d)
		if err != nil {
			t.Fatal(err)
		}
		if a := sender.Send(t.Context(), "k", notify.Content{Line: d.Name}, notify.Thread{}); a.Kind != notify.Sent || s.Missing(d) != nil {
			t.Errorf("%s: %+v", d.Name, a)
		}
	}
	_ = server.One()
	if got := web.Take(); len(got) != 2 || got[0].Path != "/slack" || got[1].Path != "/pager" || got[1].Header.Get("Webhook-Signature") == "" {
		t.Errorf("%v", got)
	}
	if got := s.Masker().Mask("the key is a-long-key"); got != "the key is [masked]" {
		t.Error(got)
	}
}

func TestWhatIsNotConfiguredGoesToTheOutboxOrIsAnErrorWhereThereIsNone(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "outbox")
	s, err := senders.Open(t.Context(), notify.List{slack, team}, senders.Options{Outbox: dir})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []*notify.Channel{slack, team} {
		sender, err := s.Of(c.Definition())
		if err != nil {
			t.Fatal(err)
		}
		if a := sender.Send(t.Context(), "k", notify.Content{Line: "x"}, notify.Thread{}); a.Reason != notify.ReasonStored || len(s.Missing(c.Definition())) == 0 || !slices.Equal(sender.(notify.StandIn).Missing(), s.Missing(c.Definition())) {
			t.Errorf("%+v", a)
		}
	}
	if index, err := os.ReadFile(filepath.Join(dir, "index.html")); err != nil || strings.Count(string(index), "<article>") != 2 {
		t.Errorf("%s %v", index, err)
	}
	_, err = senders.Open(t.Context(), notify.List{slack, team}, senders.Options{})
	for _, want := range []string{`channel "slack" is not configured (set env:SLACK_WEBHOOK_URL or env:SLACK_BOT_TOKEN)`, `"team" is not configured (set SMTP_HOST)`, `"pager"`} {
		if !errors.Is(err, fault.Invalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v lacks %q", err, want)
		}
	}
}

func TestEverythingWrongIsSaidAtStart(t *testing.T) {
	t.Parallel()
	_, err := senders.Open(t.Context(), notify.List{secure, team}, senders.Options{Outbox: t.TempDir(), Lookup: in("SMTP_HOST", "h", "PAGER_URL", "nonsense")})
	for _, want := range []string{"channel secure: ", "reads no ssm: references", "channel team: ", "no sender", "no recipients", "channel pager: ", "no URL"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v lacks %q", err, want)
		}
	}
}

func TestMailsLeaveBySESInAProgramThatHasIt(t *testing.T) {
	t.Parallel()
	server := notifytest.NewMail(t, notifytest.MailOptions{})
	var given notify.SESSettings
	s, err := senders.Open(t.Context(), notify.List{notify.Mail("team", nil)}, senders.Options{Lookup: in("MAIL_FROM", "f@example.com", "MAIL_TO", "t@example.com"),
		SES: func(settings notify.SESSettings) notify.Sender {
			given = settings
			return smtpmail.New(notify.SMTPSettings{Host: server.Host, Port: server.Port, Encryption: notify.NoTLS, From: settings.From, To: settings.To}, nil)
		}})
	if err != nil {
		t.Fatal(err)
	}
	sender, err := s.Of(notify.Mail("team", nil).Definition())
	if err != nil {
		t.Fatal(err)
	}
	if a := sender.Send(t.Context(), "k", notify.Content{Line: "x"}, notify.Thread{}); a.Kind != notify.Sent || given.From != "f@example.com" {
		t.Errorf("%+v by %+v", a, given)
	}
	_ = server.One()
}

func TestAChannelApartKeepsNoneOfTheOthersFromItAndIsTriedAgain(t *testing.T) {
	t.Parallel()
	web := notifytest.NewWeb(t, notifytest.Reply(200, "ok"))
	var mu sync.Mutex
	stored, reads, now := "", 0, time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)
	parameters := func(context.Context, string) (string, error) {
		mu.Lock()
		defer mu.Unlock()
		if reads++; stored == "" {
			return "", fault.New(fault.NotFound, "there is no such parameter").WithHint("store it")
		}
		return stored, nil
	}
	s, err := senders.Open(t.Context(), notify.List{secure, slack, notify.Mail("team", nil)}, senders.Options{Apart: true, Lookup: in("SLACK_WEBHOOK_URL", web.URL),
		Sources: map[string]secret.Source{"ssm": parameters}, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Of(slack.Definition()); err != nil {
		t.Error(err)
	}
	if _, err := s.Of(notify.Mail("team", nil).Definition()); !errors.Is(err, fault.Invalid) || !strings.Contains(err.Error(), `"team" is not configured (set SMTP_HOST)`) {
		t.Error(err)
	}
	for range 3 { // asked once a minute
		if _, err := s.Of(secure.Definition()); !errors.Is(err, fault.Invalid) || err.Error() != "channel secure: secret ssm:/waggle/slack: there is no such parameter (store it)" {
			t.Error(err)
		}
	}
	if reads != 1 {
		t.Errorf("read %d times", reads)
	}
	stored, now = web.URL, now.Add(time.Minute)
	sender, err := s.Of(secure.Definition())
	if err != nil || reads != 2 {
		t.Fatalf("%v after %d reads", err, reads)
	}
	if a := sender.Send(t.Context(), "k", notify.Content{Line: "x"}, notify.Thread{}); a.Kind != notify.Sent {
		t.Errorf("%+v", a)
	}
	_ = web.One()
	if _, err := s.Of(secure.Definition()); err != nil || reads != 2 {
		t.Errorf("%v after %d reads", err, reads)
	}
	// Where a person looks on, one that is broken keeps the program from starting.
	stored = ""
	if _, err := senders.Open(t.Context(), notify.List{secure, slack}, senders.Options{Lookup: in("SLACK_WEBHOOK_URL", web.URL), Sources: map[string]secret.Source{"ssm": parameters}}); !errors.Is(err, fault.Invalid) {
		t.Error(err)
	}
}

func TestAChannelThatWasNotOpenedIsNotFound(t *testing.T) {
	t.Parallel()
	s, err := senders.Open(t.Context(), nil, senders.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Of(slack.Definition()); !errors.Is(err, fault.NotFound) {
		t.Error(err)
	}
	if _, err := s.Of(nil); !errors.Is(err, fault.NotFound) {
		t.Error(err)
	}
}
