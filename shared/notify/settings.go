package notify

import (
	"context"
	"errors"
	"net/mail"
	"slices"
	"strconv"
	"strings"

	"waggle/shared/fault"
	"waggle/shared/secret"
)

// Variable is a variable of the environment that sets channels up.
type Variable struct {
	Name    string
	Meaning string
	Default string // what counts where it is not set; empty: nothing
}

// Variables is the table of them, in the order that people read it. What a channel's options say counts before them.
func Variables() []Variable {
	return []Variable{
		{"SLACK_WEBHOOK_URL", "the URL of an incoming webhook of Slack", ""},
		{"SLACK_BOT_TOKEN", "a token of a Slack app, with the scope chat:write; counts before the webhook", ""},
		{"SLACK_CHANNEL", "the id of the Slack channel that the bot posts to", ""},
		{"SMTP_HOST", "the mail server", ""},
		{"SMTP_PORT", "its port; 465 is encrypted from the first byte, others by STARTTLS", "587"},
		{"SMTP_USER", "the user to log in as; not set: no login", ""},
		{"SMTP_PASSWORD", "the user's password", ""},
		{"MAIL_FROM", "the sender of mails", "SMTP_USER"},
		{"MAIL_TO", "the recipients, separated by commas", ""},
	}
}

// Service is what a channel's messages leave by.
type Service string

// The services, each sent to by the package of its name.
const (
	SlackWebhook Service = "slackwebhook"
	SlackBot     Service = "slackbot"
	SMTP         Service = "smtpmail"
	SES          Service = "sesmail"
	HTTP         Service = "webhook"
)

// Settings are all that it takes to send to a channel: its options, what the environment adds, its secrets resolved.
type Settings struct {
	// Service is empty where the channel is not configured; Missing then names what would configure it.
	Service Service
	Missing []string

	URL     secret.Value // of SlackWebhook and HTTP
	Token   secret.Value // of SlackBot
	Channel string       // of SlackBot
	Key     secret.Value // of HTTP's signature; may be none
	SMTP    SMTPSettings
	SES     SESSettings
}

// SMTPSettings are those of a mail server and its mails.
type SMTPSettings struct {
	Host       string
	Port       int
	User       string
	Password   secret.Value
	Encryption Encryption // never empty
	From       string
	To         []string
}

// SESSettings are those of mails that Amazon SES sends.
type SESSettings struct {
	From string
	To   []string
}

// MaxSESRecipients is how many recipients SES takes for one mail.
const MaxSESRecipients = 50

// Environment is where a program finds settings.
type Environment struct {
	// Lookup reads a variable, empty for none.
	Lookup func(string) string
	// Secrets resolves references.
	Secrets *secret.Resolver
	// SES says that the program can send by Amazon SES: a mail channel without a mail server is sent by it.
	SES bool
}

// Settings resolves what a channel needs. A channel that nobody has begun to configure is no error: its Service is empty. One that
// is half configured is, and so is a secret that does not resolve, but for a variable that is not set; the error
// lists all that is wrong, and is fault.Unavailable where the same may work later, else fault.Invalid.
func (d *Definition) Settings(ctx context.Context, e Environment) (Settings, error) {
	r := &reading{ctx: ctx, env: e.Lookup, secrets: e.Secrets, ses: e.SES}
	switch d.Kind {
	case KindSlack:
		r.slack(d.Slack)
	case KindMail:
		r.mail(d.Mail)
	case KindWebhook:
		r.webhook(d.Webhook)
	}
	if len(r.wrong) > 0 {
		code := fault.Invalid
		if !slices.ContainsFunc(r.wrong, func(err error) bool { return !fault.Retryable(err) }) {
			code = fault.Unavailable // only a secret that could not be read: it may work later
		}
		return Settings{}, &fault.Error{Op: "channel " + d.Name, Code: code, Err: errors.Join(r.wrong...)}
	}
	return r.found, nil
}

// reading gathers settings and everything wrong with them.
type reading struct {
	ctx     context.Context
	env     func(string) string
	secrets *secret.Resolver
	ses     bool
	found   Settings
	wrong   []error
}

func (r *reading) fail(format string, args ...any) {
	r.wrong = append(r.wrong, fault.New(fault.Invalid, format, args...))
}

// resolve returns a secret. A variable that is not set is none: whether that is wrong depends on the others.
func (r *reading) resolve(ref secret.Ref) secret.Value {
	if scheme, name, _ := ref.Parts(); scheme == secret.SchemeEnv && strings.TrimSpace(r.env(name)) == "" {
		return secret.Value{}
	}
	v, err := r.secrets.Resolve(r.ctx, ref)
	if err != nil {
		r.wrong = append(r.wrong, err)
	}
	return v
}

func (r *reading) slack(o SlackOptions) {
	webhook, token := o.Webhook, o.BotToken
	if webhook == "" && token == "" {
		webhook, token = "env:SLACK_WEBHOOK_URL", "env:SLACK_BOT_TOKEN"
	}
	channel := o.Channel
	if channel == "" && token != "" {
		channel = strings.TrimSpace(r.env("SLACK_CHANNEL"))
	}
	if r.found.Token = r.resolve(token); !r.found.Token.IsZero() {
		if channel == "" {
			r.fail("a bot token is set and no Slack channel (set SLACK_CHANNEL or Channel)")
		}
		r.found.Service, r.found.Channel = SlackBot, channel
		return
	}
	if r.found.URL = r.resolve(webhook); !r.found.URL.IsZero() {
		r.checkURL(string(webhook))
		r.found.Service = SlackWebhook
		return
	}
	for _, ref := range []secret.Ref{webhook, token} {
		if ref != "" {
			r.found.Missing = append(r.found.Missing, string(ref))
		}
	}
}

func (r *reading) webhook(o WebhookOptions) {
	if ref := secret.Ref(o.URL); ref.Check() == nil {
		r.found.URL = r.resolve(ref)
	} else {
		r.found.URL = secret.New(o.URL)
	}
	if r.found.URL.IsZero() {
		r.found.Missing = []string{o.URL}
		return
	}
	r.checkURL("URL")
	r.found.Service = HTTP
	known := len(r.wrong)
	if r.found.Key = r.resolve(o.Secret); o.Secret != "" && r.found.Key.IsZero() && len(r.wrong) == known {
		r.fail("the secret %q of the signature is not set", o.Secret)
	}
}

func (r *reading) checkURL(name string) {
	if err := CheckURL(r.found.URL.Reveal()); err != nil {
		r.fail("%s: %w", name, err)
	}
}

func (r *reading) mail(o MailOptions) {
	s := SMTPSettings{Host: r.or(o.Host, "SMTP_HOST"), User: r.or(o.User, "SMTP_USER"), From: r.or(o.From, "MAIL_FROM"), Port: o.Port, To: o.To, Encryption: o.Encryption}
	if s.Host == "" && r.ses {
		r.mailBySES(o)
		return
	}
	if s.Host == "" {
		r.found.Missing = []string{"SMTP_HOST"}
		return
	}
	if port := r.or("", "SMTP_PORT"); s.Port == 0 && port != "" {
		n, err := strconv.Atoi(port)
		if err != nil || n < 1 || n > 65535 {
			r.fail("SMTP_PORT is %q; it must be a number from 1 to 65535", port)
		}
		s.Port = n
	}
	if s.Port == 0 {
		s.Port = 587
	}
	if s.Encryption == "" {
		s.Encryption = StartTLS
		if s.Port == 465 {
			s.Encryption = ImplicitTLS
		}
	}
	password := o.Password
	if password == "" {
		password = "env:SMTP_PASSWORD"
	}
	if s.User != "" {
		known := len(r.wrong)
		if s.Password = r.resolve(password); s.Password.IsZero() && len(r.wrong) == known {
			r.fail("the mail user %q has no password (set %s)", s.User, strings.TrimPrefix(string(password), "env:"))
		}
	}
	if s.From == "" && CheckAddress(s.User) == nil {
		s.From = s.User
	}
	if s.From == "" {
		r.fail("mails have no sender (set MAIL_FROM)")
	} else {
		r.checkSender(s.From)
	}
	if len(s.To) == 0 {
		s.To = r.recipients()
	}
	r.found.Service, r.found.SMTP = SMTP, s
}

func (r *reading) mailBySES(o MailOptions) {
	s := SESSettings{From: r.or(o.From, "MAIL_FROM"), To: o.To}
	if s.From == "" {
		r.found.Missing = []string{"MAIL_FROM", "SMTP_HOST"}
		return
	}
	r.checkSender(s.From)
	if len(s.To) == 0 {
		s.To = r.recipients()
	}
	if n := len(s.To); n > MaxSESRecipients {
		r.fail("%d recipients, and SES takes %d for a mail (send to a list's address)", n, MaxSESRecipients)
	}
	r.found.Service, r.found.SES = SES, s
}

func (r *reading) checkSender(from string) {
	if err := CheckAddress(from); err != nil {
		r.fail("MAIL_FROM: %w", err)
	}
}

// recipients reads MAIL_TO.
func (r *reading) recipients() []string {
	list := r.or("", "MAIL_TO")
	if list == "" {
		r.fail("mails have no recipients (set MAIL_TO or To)")
		return nil
	}
	addresses, err := mail.ParseAddressList(strings.Trim(list, ", "))
	if err != nil || strings.ContainsAny(list, "\r\n") {
		r.fail("MAIL_TO is %q; it must be mail addresses, separated by commas", list)
		return nil
	}
	var to []string
	for _, a := range addresses {
		to = append(to, a.String())
	}
	return to
}

// or is an option, else a variable of the environment.
func (r *reading) or(option, variable string) string {
	if option != "" {
		return option
	}
	return strings.TrimSpace(r.env(variable))
}
