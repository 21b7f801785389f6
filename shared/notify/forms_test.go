package notify_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"waggle/shared/notice/noticetest"
	"waggle/shared/notify"
	"waggle/shared/notify/mailmessage"
	"waggle/shared/notify/notifytest"
	"waggle/shared/notify/slackmessage"
	"waggle/shared/notify/webhook"
	"waggle/shared/secret"
)

// TestAChannelSendsTheSameOfTheFormsForItsKind has each kind of channel send every report on every rung, of all forms and of those for it.
func TestAChannelSendsTheSameOfTheFormsForItsKind(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)
	for _, s := range noticetest.Samples() {
		for _, rung := range notify.Rungs() {
			all, err := s.Report.Content(rung)
			if err != nil {
				t.Fatal(err)
			}
			same := func(kind notify.Kind, of func(notify.Content) any) {
				if diff := cmp.Diff(of(all), of(all.For(kind))); diff != "" {
					t.Errorf("%s, rung %d, %s: %s", s.Name, rung, kind, diff)
				}
			}
			same(notify.KindMail, func(c notify.Content) any {
				m, err := mailmessage.MIME(c, mailmessage.Envelope{From: "a@example.com", To: []string{"b@example.com"}, Key: "k", Time: now})
				if err != nil {
					t.Fatal(err)
				}
				m.Data = nil // has a boundary of its own
				return m
			})
			same(notify.KindSlack, func(c notify.Content) any {
				p, err := slackmessage.Of(c)
				if err != nil {
					t.Fatal(err)
				}
				return p
			})
			same(notify.KindWebhook, func(c notify.Content) any {
				server := notifytest.NewWeb(t, notifytest.Reply(204, ""))
				hook := webhook.New(secret.New(server.URL+notifytest.Secret), secret.Value{}, func() time.Time { return now }, nil)
				if answer := hook.Send(t.Context(), "k", c, notify.Thread{}); answer.Kind != notify.Sent {
					t.Fatalf("%+v", answer)
				}
				return string(server.Take()[0].Body)
			})
			if c := all.For("unknown"); !cmp.Equal(c, all) {
				t.Errorf("a kind that is unknown gets %+v", c)
			}
		}
	}
}
