package notice_test

import (
	"strings"
	"testing"

	"waggle/shared/notice/noticetest"
	"waggle/shared/notify"
	"waggle/shared/notify/mailmessage"
	"waggle/shared/notify/slackmessage"
)

func TestEveryReportIsTakenByEveryChannelInEverySize(t *testing.T) {
	t.Parallel()
	for _, s := range noticetest.Samples() {
		for _, rung := range notify.Rungs() {
			c, err := s.Report.Content(rung)
			if err != nil {
				t.Fatal(err)
			}
			c.Footer = "You get this because sensor on_run_failure tells channel team."
			p, err := slackmessage.Of(c)
			if err != nil || len(p.Blocks) > 13_000 || p.Text == "" {
				t.Errorf("%s, rung %d, Slack: %v, %d bytes of blocks", s.Name, rung, err, len(p.Blocks))
			}
			m, err := mailmessage.MIME(c, mailmessage.Envelope{From: "waggle@example.com", To: []string{"team@example.com"}, Key: "k", Time: at})
			if err != nil || m.LeftOut != "" {
				t.Errorf("%s, rung %d, mail: %v, left out %q", s.Name, rung, err, m.LeftOut)
			}
			if html := strings.Contains(string(m.Data), "text/html"); html != (c.HTML != "") {
				t.Errorf("%s, rung %d: the mail has HTML: %t", s.Name, rung, html)
			}
		}
	}
}
