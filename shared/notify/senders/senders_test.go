package senders_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"waggle/shared/fault"
	"waggle/shared/notify"
	"waggle/shared/notify/notifytest"
	"waggle/shared/notify/senders"
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
