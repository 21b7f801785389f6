package notify_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"waggle/shared/fault"
	"waggle/shared/notify"
	"waggle/shared/secret"
)

func ExampleMessage() {
	m := notify.Message{Subject: "gallery completed", Text: strings.Repeat("a line of forty characters, more or less\n", 30)}
	for _, rung := range notify.Rungs() {
		c, err := m.Content(rung)
		fmt.Println(len(c.Text), c.Line, err)
	}
	brief, _ := m.Content(notify.Brief)
	fmt.Println(brief.Text[strings.Index(brief.Text, "…"):])
	// Output:
	// 1230 gallery completed <nil>
	// 600 gallery completed <nil>
	// 17 gallery completed <nil>
	// … +654 more characters
}

func ExampleSlack() {
	slack := notify.Slack("slack", &notify.SlackOptions{Webhook: "env:SLACK_WEBHOOK_URL"})
	team := notify.Mail("team", &notify.MailOptions{To: []string{"team@example.com"}, Fallback: slack, Limits: notify.Limits{Rate: 2}})
	for _, c := range (notify.List{slack, team}) {
		d := c.Definition()
		fmt.Println(d.Name, d.Kind, d.Origin, d.Limits.Rate, d.Limits.Burst, d.Limits.Remind, d.Fallback != nil, d.Mistakes())
	}
	// Output:
	// slack slack shared/notify/notify_test.go:38 1 5 24h0m0s false []
	// team mail shared/notify/notify_test.go:39 2 5 24h0m0s true []
}

func TestEveryMistakeInAMessageIsNamed(t *testing.T) {
	t.Parallel()
	for want, m := range map[string]notify.Message{
		`the message with subject "s" is empty (set Text, HTML or Blocks)`:           {Subject: "s", Text: " \n"},
		`subject "a\r\nBcc: x@example.com" has a line break`:                         {Subject: "a\r\nBcc: x@example.com", Text: "x"},
		`subject "a\nb" has a line break`:                                            {Subject: "a\nb", Text: "x"},
		`To[1]: mail address "b@example.com\r\nBcc: c@example.com" has a line break`: {To: []string{"a@example.com", "b@example.com\r\nBcc: c@example.com"}, Text: "x"},
		`To[0]: "nobody" is no mail address`:                                         {To: []string{"nobody"}, Text: "x"},
		`key "a b" of a message`:                                                     {Key: "a b", Text: "x"},
		`Blocks are no JSON array of blocks`:                                         {Blocks: json.RawMessage(`{"type":"header"}`), Text: "x"},
		`Blocks are an empty array`:                                                  {Blocks: json.RawMessage(`[]`)},
		`Attachments[0] has the name "../x"`:                                         {Text: "x", Attachments: []notify.Attachment{{Name: "../x"}}},
		`Attachments[0] has the name ""`:                                             {Text: "x", Attachments: []notify.Attachment{{}}},
		`Attachments[0] has the content type "a\n`:                                   {Text: "x", Attachments: []notify.Attachment{{Name: "a", ContentType: "a\nb"}}},
	} {
		for _, rung := range notify.Rungs() {
			if _, err := m.Content(rung); !errors.Is(err, fault.Invalid) || !strings.Contains(err.Error(), want) {
				t.Errorf("rung %d: got %v, want %q", rung, err, want)
			}
		}
	}
}

func TestAnyTextHasContentOnEveryRung(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) })).Draw(t, "text")
		text = strings.Repeat(text, rapid.SampledFrom([]int{1, 1, 3, 1000}).Draw(t, "times"))
		m := notify.Message{Text: text + "x", Subject: strings.Map(noBreak, text)}
		last := -1
		for _, rung := range notify.Rungs() {
			c, err := m.Content(rung)
			if err != nil {
				t.Fatal(err)
			}
			n := utf8.RuneCountInString(c.Text)
			if c.Line == "" || c.Text == "" || !utf8.ValidString(c.Line+c.Text+c.Subject) || strings.ContainsAny(c.Line+c.Subject, "\r\n\x00\x1b") || utf8.RuneCountInString(c.Line) > 150 ||
				rung == notify.Brief && n > 600 || rung == notify.Line && (n > 150 || len(c.Attachments) > 0) || last >= 0 && rung == notify.Brief && n > last {
				t.Errorf("rung %d: %d characters, %.200q", rung, n, c.Line)
			}
			last = n
		}
	})
}

func noBreak(r rune) rune {
	if r == '\r' || r == '\n' {
		return ' '
	}
	return r
}

func TestACutSaysHowMuchItLeftOut(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOfN(rapid.SampledFrom([]rune("aé漢🐝")), 0, 3000, -1).Draw(t, "text")
		n := rapid.IntRange(1, 800).Draw(t, "n")
		got, have := notify.Cut(text, n), utf8.RuneCountInString(text)
		kept, said, cut := strings.Cut(got, "… +")
		switch {
		case have <= n:
			if got != text {
				t.Errorf("a text that fits was cut")
			}
		case utf8.RuneCountInString(got) > n:
			t.Errorf("%d characters, want %d", utf8.RuneCountInString(got), n)
		case !strings.HasPrefix(text, kept) && !strings.HasPrefix(text, strings.TrimSuffix(kept, "…")):
			t.Errorf("%q is not the start", kept)
		case cut:
			number := strings.ReplaceAll(strings.TrimSuffix(said, " more characters"), ",", "")
			if number != fmt.Sprint(have-utf8.RuneCountInString(kept)) {
				t.Errorf("it says %q and left out %d", said, have-utf8.RuneCountInString(kept))
			}
		case n > 100:
			t.Errorf("nothing is said: %q", got)
		}
	})
}

func TestMistakesOfADeclarationAreReportedAllAtOnceAndShowNoSecret(t *testing.T) {
	t.Parallel()
	fallback := notify.Mail("b", &notify.MailOptions{Fallback: notify.Slack("c", nil)})
	for name, c := range map[string]struct {
		channel *notify.Channel
		want    []string
	}{
		"slack": {notify.Slack("my slack", &notify.SlackOptions{Limits: notify.Limits{Rate: -1, Burst: -1, Remind: -time.Second}, Fallback: fallback,
			Webhook: "https://hooks.slack.com/services/S3CRET", BotToken: "xoxb-S3CRET", Channel: "C 1"}),
			[]string{"a name has letters", "Rate is -1", "Burst is -1", "Remind is -1s", `its fallback "b" has a fallback of its own, "c"`, "Webhook holds 39 characters that are no reference",
				"BotToken holds 11 characters", "a Webhook and a BotToken", `Channel is "C 1"`}},
		"mail": {notify.Mail("m", &notify.MailOptions{To: []string{"x", "y@example.com\n"}, From: "z", Host: "smtp://h", Port: 70000, Password: "S3CRET", Encryption: "ssl"}),
			[]string{`To[0]: "x"`, `To[1]: mail address "y@example.com\n"`, `From: "z"`, `Host is "smtp://h"`, "Port is 70000", "Password holds 6", `Encryption is "ssl"`}},
		"webhook":       {notify.Webhook("w", &notify.WebhookOptions{URL: "ftp://S3CRET", Secret: "S3CRET"}), []string{"Secret holds 6", "URL: its 12 characters are no URL"}},
		"empty webhook": {notify.Webhook("w", nil), []string{"it has no URL"}},
		"none":          {notify.Slack("s", nil), nil},
	} {
		var got []string
		for _, err := range c.channel.Definition().Mistakes() {
			got = append(got, err.Error())
			if strings.Contains(err.Error(), "S3CRET") {
				t.Errorf("%s: a secret shows: %v", name, err)
			}
		}
		if len(got) != len(c.want) {
			t.Errorf("%s: %d mistakes, want %d: %q", name, len(got), len(c.want), got)
		}
		for _, want := range c.want {
			if !slices.ContainsFunc(got, func(s string) bool { return strings.Contains(s, want) }) {
				t.Errorf("%s: %q is not in %q", name, want, got)
			}
		}
	}
	if (*notify.Channel)(nil).Definition() != nil {
		t.Error("a nil channel has a definition")
	}
}

func TestOptionsAreCopied(t *testing.T) {
	t.Parallel()
	o := &notify.MailOptions{To: []string{"a@example.com"}}
	d := notify.Mail("m", o).Definition()
	o.To[0], o.From = "x", "y"
	if d.Mail.To[0] != "a@example.com" || d.Mail.From != "" {
		t.Errorf("%+v", d.Mail)
	}
}

// settings reads a channel's settings in an environment.
func settings(t *testing.T, c *notify.Channel, environment map[string]string) (notify.Settings, error) {
	t.Helper()
	return c.Definition().Settings(context.Background(), notify.Environment{Lookup: func(name string) string { return environment[name] }, Secrets: resolver(environment, nil)})
}

// resolver resolves references to variables, and to parameters.
func resolver(environment, parameters map[string]string) *secret.Resolver {
	sources := map[string]secret.Source{secret.SchemeEnv: secret.Env(func(name string) (string, bool) { v, ok := environment[name]; return v, ok })}
	if parameters != nil {
		sources[secret.SchemeSSM] = func(_ context.Context, name string) (string, error) {
			if v, ok := parameters[name]; ok {
				return v, nil
			}
			return "", fault.New(fault.NotFound, "no parameter").WithHint("store it")
		}
	}
	return secret.NewResolver(sources)
}

func TestAProgramThatHasSESSendsMailsByItUnlessAServerIsSet(t *testing.T) {
	t.Parallel()
	read := func(o *notify.MailOptions, pairs ...string) (notify.Settings, error) {
		environment := map[string]string{}
		for i := 0; i < len(pairs); i += 2 {
			environment[pairs[i]] = pairs[i+1]
		}
		return notify.Mail("m", o).Definition().Settings(t.Context(), notify.Environment{Lookup: func(name string) string { return environment[name] }, Secrets: resolver(environment, nil), SES: true})
	}
	s, err := read(nil, "MAIL_FROM", "Waggle <f@example.com>", "MAIL_TO", "t@example.com")
	if err != nil || s.Service != notify.SES || s.SES.From != "Waggle <f@example.com>" || !slices.Equal(s.SES.To, []string{"<t@example.com>"}) {
		t.Errorf("%+v, %v", s, err)
	}
	if s, err := read(&notify.MailOptions{From: "f@example.com", To: []string{"o@example.com"}}, "MAIL_FROM", "other@example.com"); err != nil || s.SES.From != "f@example.com" || !slices.Equal(s.SES.To, []string{"o@example.com"}) {
		t.Errorf("%+v, %v", s, err)
	}
	if s, err := read(nil, "MAIL_FROM", "f@example.com", "MAIL_TO", "t@example.com", "SMTP_HOST", "h"); err != nil || s.Service != notify.SMTP {
		t.Errorf("%+v, %v", s, err)
	}
	if s, err := read(nil, "MAIL_TO", "t@example.com"); err != nil || s.Service != "" || !slices.Equal(s.Missing, []string{"MAIL_FROM", "SMTP_HOST"}) {
		t.Errorf("%+v, %v", s, err)
	}
	_, err = read(nil, "MAIL_FROM", "nobody", "MAIL_TO", strings.Repeat("t@example.com,", 51))
	for _, want := range []string{"MAIL_FROM: ", "51 recipients, and SES takes 50"} {
		if !errors.Is(err, fault.Invalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v lacks %q", err, want)
		}
	}
	if _, err := read(nil, "MAIL_FROM", "f@example.com"); err == nil || !strings.Contains(err.Error(), "no recipients (set MAIL_TO or To)") {
		t.Error(err)
	}
}

func TestAVariableMayNameWhereItsSecretIsKept(t *testing.T) {
	t.Parallel()
	parameters := map[string]string{"/waggle/test/slack": "https://hooks.slack.com/S3CRET", "/waggle/test/smtp": "pw12"}
	read := func(c *notify.Channel, pairs ...string) (notify.Settings, error) {
		environment := map[string]string{}
		for i := 0; i < len(pairs); i += 2 {
			environment[pairs[i]] = pairs[i+1]
		}
		return c.Definition().Settings(t.Context(), notify.Environment{Lookup: func(name string) string { return environment[name] }, Secrets: resolver(environment, parameters)})
	}
	if s, err := read(notify.Slack("s", nil), "SLACK_WEBHOOK_URL", "ssm:/waggle/test/slack"); err != nil || s.Service != notify.SlackWebhook || s.URL.Reveal() != parameters["/waggle/test/slack"] {
		t.Errorf("%+v, %v", s, err)
	}
	if s, err := read(notify.Slack("s", nil), "SLACK_BOT_TOKEN", "ssm:/waggle/test/smtp", "SLACK_CHANNEL", "C1"); err != nil || s.Token.Reveal() != "pw12" {
		t.Errorf("%+v, %v", s, err)
	}
	if s, err := read(notify.Mail("m", nil), "SMTP_HOST", "h", "SMTP_USER", "u@example.com", "SMTP_PASSWORD", "ssm:/waggle/test/smtp", "MAIL_TO", "t@example.com"); err != nil || s.SMTP.Password.Reveal() != "pw12" {
		t.Errorf("%+v, %v", s, err)
	}
	if s, err := read(notify.Webhook("w", &notify.WebhookOptions{URL: "env:HOOK", Secret: "env:KEY"}), "HOOK", "ssm:/waggle/test/slack", "KEY", "ssm:/waggle/test/smtp"); err != nil || s.Key.Reveal() != "pw12" {
		t.Errorf("%+v, %v", s, err)
	}
	_, err := read(notify.Slack("s", nil), "SLACK_WEBHOOK_URL", "ssm:/waggle/test/none")
	if want := "channel s: variable SLACK_WEBHOOK_URL: secret ssm:/waggle/test/none: no parameter (store it)"; !errors.Is(err, fault.Invalid) || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	busy := secret.NewResolver(map[string]secret.Source{secret.SchemeSSM: func(context.Context, string) (string, error) { return "", fault.New(fault.Throttled, "slow down") }})
	for want, o := range map[fault.Code]notify.WebhookOptions{fault.Unavailable: {URL: "https://example.com/", Secret: "ssm:/key"}, fault.Invalid: {URL: "ftp://x", Secret: "ssm:/key"}} {
		if _, err := notify.Webhook("w", &o).Definition().Settings(t.Context(), notify.Environment{Lookup: func(string) string { return "" }, Secrets: busy}); fault.CodeOf(err) != want || !strings.Contains(err.Error(), "slow down") {
			t.Errorf("%v, want %s", err, want)
		}
	}
	// A text that is the secret itself and no URL is not shown.
	if _, err := read(notify.Slack("s", nil), "SLACK_WEBHOOK_URL", "ssm:/waggle/test/smtp"); err == nil || strings.Contains(err.Error(), "pw12") {
		t.Error(err)
	}
}

func TestTheEnvironmentConfiguresWhatOptionsLeaveOpen(t *testing.T) {
	t.Parallel()
	env := func(pairs ...string) map[string]string {
		m := map[string]string{}
		for i := 0; i < len(pairs); i += 2 {
			m[pairs[i]] = pairs[i+1]
		}
		return m
	}
	hook, bot := "https://hooks.slack.com/services/x", "xoxb-1"
	mail := env("SMTP_HOST", "mail.example.com", "SMTP_USER", "u@example.com", "SMTP_PASSWORD", "pw12", "MAIL_TO", "a@example.com, B <b@example.com>")
	for name, c := range map[string]struct {
		channel *notify.Channel
		env     map[string]string
		check   func(notify.Settings) bool
	}{
		"slack by webhook": {notify.Slack("s", nil), env("SLACK_WEBHOOK_URL", hook), func(s notify.Settings) bool { return s.Service == notify.SlackWebhook && s.URL.Reveal() == hook }},
		"the bot comes first": {notify.Slack("s", nil), env("SLACK_WEBHOOK_URL", hook, "SLACK_BOT_TOKEN", bot, "SLACK_CHANNEL", "C1"),
			func(s notify.Settings) bool {
				return s.Service == notify.SlackBot && s.Token.Reveal() == bot && s.Channel == "C1"
			}},
		"an option comes first": {notify.Slack("s", &notify.SlackOptions{Webhook: "env:OTHER"}), env("OTHER", hook, "SLACK_BOT_TOKEN", bot),
			func(s notify.Settings) bool { return s.Service == notify.SlackWebhook }},
		"slack not configured": {notify.Slack("s", nil), nil, func(s notify.Settings) bool {
			return s.Service == "" && slices.Equal(s.Missing, []string{"env:SLACK_WEBHOOK_URL", "env:SLACK_BOT_TOKEN"})
		}},
		"named and not configured": {notify.Slack("s", &notify.SlackOptions{Webhook: "env:OTHER"}), env("SLACK_WEBHOOK_URL", hook),
			func(s notify.Settings) bool { return s.Service == "" && slices.Equal(s.Missing, []string{"env:OTHER"}) }},
		"mail": {notify.Mail("m", nil), mail, func(s notify.Settings) bool {
			return s.Service == notify.SMTP && s.SMTP.Port == 587 && s.SMTP.Encryption == notify.StartTLS && s.SMTP.From == "u@example.com" && s.SMTP.Password.Reveal() == "pw12" &&
				slices.Equal(s.SMTP.To, []string{"<a@example.com>", `"B" <b@example.com>`})
		}},
		"mail by options": {notify.Mail("m", &notify.MailOptions{Host: "h", Port: 465, User: "me", Password: "env:P", From: "f@example.com", To: []string{"t@example.com"}}), env("P", "word"),
			func(s notify.Settings) bool {
				return s.SMTP.Host == "h" && s.SMTP.Encryption == notify.ImplicitTLS && s.SMTP.User == "me" && s.SMTP.Password.Reveal() == "word" && s.SMTP.From == "f@example.com" && s.SMTP.To[0] == "t@example.com"
			}},
		"mail not configured": {notify.Mail("m", nil), nil, func(s notify.Settings) bool { return s.Service == "" && slices.Equal(s.Missing, []string{"SMTP_HOST"}) }},
		"webhook":             {notify.Webhook("w", &notify.WebhookOptions{URL: "http://localhost:1/x", Secret: "env:K"}), env("K", "key1"), func(s notify.Settings) bool { return s.Service == notify.HTTP && s.Key.Reveal() == "key1" }},
		"webhook by reference": {notify.Webhook("w", &notify.WebhookOptions{URL: "env:U"}), env("U", "https://example.com/x"), func(s notify.Settings) bool {
			return s.Service == notify.HTTP && s.URL.Reveal() == "https://example.com/x" && s.Key.IsZero()
		}},
		"webhook not configured": {notify.Webhook("w", &notify.WebhookOptions{URL: "env:U"}), nil, func(s notify.Settings) bool { return s.Service == "" && slices.Equal(s.Missing, []string{"env:U"}) }},
	} {
		if d := c.channel.Definition(); len(d.Mistakes()) > 0 {
			t.Errorf("%s: %v", name, d.Mistakes())
		}
		s, err := settings(t, c.channel, c.env)
		if err != nil || !c.check(s) {
			t.Errorf("%s: %+v, %v", name, s, err)
		}
	}
	for want, c := range map[string]struct {
		channel *notify.Channel
		env     map[string]string
	}{
		"no Slack channel":                               {notify.Slack("s", nil), env("SLACK_BOT_TOKEN", bot)},
		"no URL that begins with":                        {notify.Slack("s", nil), env("SLACK_WEBHOOK_URL", "hooks.slack.com/S3CRET")},
		"reads no ssm: references":                       {notify.Slack("s", &notify.SlackOptions{Webhook: "ssm:/x"}), nil},
		`"u" has no password (set SMTP_PASSWORD)`:        {notify.Mail("m", nil), env("SMTP_HOST", "h", "SMTP_USER", "u", "MAIL_FROM", "f@example.com", "MAIL_TO", "t@example.com")},
		"no sender (set MAIL_FROM)":                      {notify.Mail("m", nil), env("SMTP_HOST", "h", "MAIL_TO", "t@example.com")},
		"no recipients (set MAIL_TO or To)":              {notify.Mail("m", nil), env("SMTP_HOST", "h", "MAIL_FROM", "f@example.com")},
		`MAIL_TO is "x y"`:                               {notify.Mail("m", nil), env("SMTP_HOST", "h", "MAIL_FROM", "f@example.com", "MAIL_TO", "x y")},
		`SMTP_PORT is "x"`:                               {notify.Mail("m", nil), env("SMTP_HOST", "h", "MAIL_FROM", "f@example.com", "MAIL_TO", "t@example.com", "SMTP_PORT", "x")},
		`the secret "env:K" of the signature is not set`: {notify.Webhook("w", &notify.WebhookOptions{URL: "http://h/", Secret: "env:K"}), nil},
	} {
		if _, err := settings(t, c.channel, c.env); !errors.Is(err, fault.Invalid) || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "S3CRET") || !strings.HasPrefix(err.Error(), "channel ") {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func TestTheTableOfVariablesHasAllThatIsRead(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("settings.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range notify.Variables() {
		if v.Meaning == "" || strings.Count(string(source), v.Name) < 2 {
			t.Errorf("%s is in the table and not read", v.Name)
		}
	}
}

func TestFilledContentLacksNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		any := rapid.Map(rapid.SliceOfN(rapid.Byte(), 0, 40), func(b []byte) string { return string(b) })
		c := notify.Content{Subject: any.Draw(t, "subject"), Line: any.Draw(t, "line"), Text: any.Draw(t, "text"), Footer: any.Draw(t, "footer")}.Filled()
		if c.Line == "" || c.Subject == "" || strings.TrimSpace(c.Text) == "" || strings.ContainsAny(c.Line+c.Subject+c.Footer, "\r\n") || !utf8.ValidString(c.Line+c.Subject+c.Text+c.Footer) {
			t.Errorf("%+q", c)
		}
		if fmt.Sprintf("%+v", c.Filled()) != fmt.Sprintf("%+v", c) {
			t.Error("filling twice changes it")
		}
	})
}
