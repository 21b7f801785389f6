package notify

import (
	"slices"
	"time"

	"waggle/shared/fault"
	"waggle/shared/secret"
)

// Kind is the kind of a channel.
type Kind string

// The kinds of channels.
const (
	KindSlack   Kind = "slack"
	KindMail    Kind = "mail"
	KindWebhook Kind = "webhook"
)

// Channel is where messages go. Declare it as a package variable.
type Channel struct{ def *Definition }

// Definition returns what was declared; nil for a nil channel.
func (c *Channel) Definition() *Definition {
	if c == nil {
		return nil
	}
	return c.def
}

// List is channels.
type List []*Channel

// Definition is a channel as declared: what engines and commands read.
type Definition struct {
	Name   string
	Kind   Kind
	Origin string // file:line of the constructor
	Limits Limits // with its defaults filled in
	// Fallback gets one note when the channel breaks. Nil: none.
	Fallback *Definition

	// Of the channel's kind; the other two are zero.
	Slack   SlackOptions
	Mail    MailOptions
	Webhook WebhookOptions

	mistakes []error
}

// Limits are what every kind of channel has. The zero value means all defaults.
type Limits struct {
	// Rate is how many messages a second may leave. Of what is beyond, messages with their own words wait, and reports leave together in
	// digests. Defaults to 1 for Slack, which allows that much, and to 10 for mail and webhooks.
	Rate float64
	// Burst is how many may leave at once after a pause. Defaults to 5.
	Burst int
	// Remind is after how long a subject that still fails is brought up again, at its next failure. Defaults to 24 h.
	Remind time.Duration
}

// SlackOptions are the optional parts of a Slack channel: an incoming webhook, or a bot token with a Slack channel, which can
// edit messages and use threads. Where neither is set here the environment decides: SLACK_BOT_TOKEN with
// SLACK_CHANNEL, else SLACK_WEBHOOK_URL.
type SlackOptions struct {
	Limits
	// Fallback gets one note when this channel breaks. Nil: none. It is listed in Definitions too, and has no fallback of its own.
	Fallback *Channel
	// Webhook refers to the URL of an incoming webhook.
	Webhook secret.Ref
	// BotToken refers to a token (xoxb-) with the scope chat:write.
	BotToken secret.Ref
	// Channel is the id of a Slack channel for BotToken, "C024BE91L". Defaults to SLACK_CHANNEL.
	Channel string
}

// MailOptions are the optional parts of a channel that sends mails. What is not set comes from the environment.
type MailOptions struct {
	Limits
	// Fallback gets one note when this channel breaks. Nil: none. It is listed in Definitions too, and has no fallback of its own.
	Fallback *Channel
	// To are the recipients: "team@example.com", "Ops <ops@example.com>". Defaults to MAIL_TO.
	To []string
	// From is the sender. Defaults to MAIL_FROM, else the user where that is an address.
	From string
	// Host is the SMTP server. Defaults to SMTP_HOST.
	Host string
	// Port defaults to SMTP_PORT, else 587.
	Port int
	// User defaults to SMTP_USER. Without one there is no authentication.
	User string
	// Password refers to the user's password. Defaults to env:SMTP_PASSWORD.
	Password secret.Ref
	// Encryption defaults to ImplicitTLS on port 465, else StartTLS.
	Encryption Encryption
}

// Encryption is how the connection to a mail server is made safe.
type Encryption string

// The ways. The zero value chooses by port.
const (
	StartTLS    Encryption = "starttls" // begins in the clear and must be encrypted before anything is said
	ImplicitTLS Encryption = "tls"      // encrypted from the first byte
	NoTLS       Encryption = "none"     // in the clear, for a server on the same machine; no password is sent to any other
)

// WebhookOptions are the optional parts of a channel that posts JSON to a program of yours.
type WebhookOptions struct {
	Limits
	// Fallback gets one note when this channel breaks. Nil: none. It is listed in Definitions too, and has no fallback of its own.
	Fallback *Channel
	// URL is where to post to, http or https, or a reference to it where the URL is secret.
	URL string
	// Secret refers to the key of the signature (HMAC-SHA256). Empty: not signed.
	Secret secret.Ref
}

// Slack declares a channel of Slack.
func Slack(name string, opts *SlackOptions) *Channel {
	d := &Definition{Name: name, Kind: KindSlack, Origin: fault.Origin(2)}
	if opts != nil {
		d.Slack = *opts
	}
	return d.declared(d.Slack.Limits, 1, d.Slack.Fallback)
}

// Mail declares a channel that sends mails.
func Mail(name string, opts *MailOptions) *Channel {
	d := &Definition{Name: name, Kind: KindMail, Origin: fault.Origin(2)}
	if opts != nil {
		d.Mail = *opts
		d.Mail.To = slices.Clone(opts.To)
	}
	return d.declared(d.Mail.Limits, 10, d.Mail.Fallback)
}

// Webhook declares a channel that posts JSON to a URL; see the package webhook for what it posts.
func Webhook(name string, opts *WebhookOptions) *Channel {
	d := &Definition{Name: name, Kind: KindWebhook, Origin: fault.Origin(2)}
	if opts != nil {
		d.Webhook = *opts
	}
	return d.declared(d.Webhook.Limits, 10, d.Webhook.Fallback)
}

func (d *Definition) declared(l Limits, rate float64, fallback *Channel) *Channel {
	d.Limits, d.Fallback = l, fallback.Definition()
	d.check()
	if d.Limits.Rate == 0 {
		d.Limits.Rate = rate
	}
	if d.Limits.Burst == 0 {
		d.Limits.Burst = 5
	}
	if d.Limits.Remind == 0 {
		d.Limits.Remind = 24 * time.Hour
	}
	return &Channel{d}
}
