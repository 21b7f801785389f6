package notify

import (
	"fmt"
	"math"
	"net/url"
	"regexp"
	"strings"

	"waggle/shared/secret"
)

var namePattern = regexp.MustCompile(`^[A-Za-z0-9_]+$`)

// Mistakes lists what is wrong with the declaration on its own: a bad name, a secret in place of a reference, an
// address that is none.
func (d *Definition) Mistakes() []error { return d.mistakes }

func (d *Definition) mistake(format string, args ...any) {
	d.mistakes = append(d.mistakes, fmt.Errorf(format, args...))
}

// check collects what the compiler could not see; Mistakes reports it.
func (d *Definition) check() {
	if !namePattern.MatchString(d.Name) || len(d.Name) > 200 {
		d.mistake("a name has letters, digits and underscores, 200 at most")
	}
	if r := d.Limits.Rate; r < 0 || math.IsNaN(r) || math.IsInf(r, 0) {
		d.mistake("Rate is %g; it must be above 0 messages a second, or 0 for the default", r)
	}
	if d.Limits.Burst < 0 {
		d.mistake("Burst is %d; it must be 1 or more, or 0 for the default", d.Limits.Burst)
	}
	if d.Limits.Remind < 0 {
		d.mistake("Remind is %s; it must be above 0, or 0 for the default", d.Limits.Remind)
	}
	if f := d.Fallback; f != nil && f.Fallback != nil {
		// Which rules cycles out as well: a cycle needs a fallback that has one.
		d.mistake("its fallback %q has a fallback of its own, %q; a fallback has none", f.Name, f.Fallback.Name)
	}
	switch d.Kind {
	case KindSlack:
		d.checkSlack()
	case KindMail:
		d.checkMail()
	case KindWebhook:
		d.checkWebhook()
	}
}

func (d *Definition) checkSlack() {
	o := d.Slack
	d.checkRef("Webhook", o.Webhook)
	d.checkRef("BotToken", o.BotToken)
	switch {
	case o.Webhook != "" && o.BotToken != "":
		d.mistake("it has a Webhook and a BotToken; keep one")
	case o.Webhook != "" && o.Channel != "":
		d.mistake("it has a Webhook and a Channel; a webhook always posts to the Slack channel it was made for")
	}
	if strings.ContainsFunc(o.Channel, isBlankOrControl) {
		d.mistake("Channel is %q; it must be an id like C024BE91L", o.Channel)
	}
}

func (d *Definition) checkMail() {
	o := d.Mail
	for i, to := range o.To {
		if err := CheckAddress(to); err != nil {
			d.mistake("To[%d]: %w", i, err)
		}
	}
	if o.From != "" {
		if err := CheckAddress(o.From); err != nil {
			d.mistake("From: %w", err)
		}
	}
	if strings.ContainsFunc(o.Host, isBlankOrControl) || strings.ContainsAny(o.Host, "/@") {
		d.mistake("Host is %q; it must be a name or an address, without scheme and port", o.Host)
	}
	if o.Port < 0 || o.Port > 65535 {
		d.mistake("Port is %d; it must be from 1 to 65535, or 0 for the default", o.Port)
	}
	d.checkRef("Password", o.Password)
	switch o.Encryption {
	case "", StartTLS, ImplicitTLS, NoTLS:
	default:
		d.mistake("Encryption is %q; it must be StartTLS, ImplicitTLS or NoTLS", o.Encryption)
	}
}

func (d *Definition) checkWebhook() {
	o := d.Webhook
	d.checkRef("Secret", o.Secret)
	if o.URL == "" {
		d.mistake("it has no URL")
	} else if secret.Ref(o.URL).Check() != nil {
		if err := CheckURL(o.URL); err != nil {
			d.mistake("URL: %w", err)
		}
	}
}

func (d *Definition) checkRef(field string, ref secret.Ref) {
	if ref == "" {
		return
	}
	if err := ref.Check(); err != nil {
		d.mistake("%s %w", field, err)
	}
}

// CheckURL reports a text that is no http or https URL. The text is not in the error: URLs of webhooks are secret.
func CheckURL(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return fmt.Errorf("its %d characters are no URL that begins with https:// or http://", len(text))
	}
	return nil
}

func isBlankOrControl(r rune) bool { return r <= ' ' || r == 0x7f }
