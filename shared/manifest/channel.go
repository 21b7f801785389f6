package manifest

import (
	"slices"

	"waggle/shared/notify"
	"waggle/shared/secret"
)

// Channel is where messages go, and what of the deployment sets it up.
type Channel struct {
	Name string `json:"name"`
	Kind string `json:"kind"`
	// Variables are those of the environment that it reads.
	Variables []Variable `json:"variables"`
	// References are the secrets that it names itself, in Systems Manager or Secrets Manager.
	References []string `json:"references"`
}

// Variable is a variable of the environment. One that is secret holds, in the cloud, a reference to the secret.
type Variable struct {
	Name   string `json:"name"`
	Secret bool   `json:"secret"`
}

func channelOf(d *notify.Definition) Channel {
	c := Channel{Name: d.Name, Kind: string(d.Kind), Variables: []Variable{}, References: []string{}}
	switch d.Kind {
	case notify.KindSlack:
		c.slack(d.Slack)
	case notify.KindMail:
		c.mail(d.Mail)
	case notify.KindWebhook:
		if ref := secret.Ref(d.Webhook.URL); ref.Check() == nil {
			c.secret(ref)
		}
		c.secret(d.Webhook.Secret)
	}
	return c
}

func (c *Channel) slack(o notify.SlackOptions) {
	if o.Webhook == "" && o.BotToken == "" {
		o.Webhook, o.BotToken = "env:SLACK_WEBHOOK_URL", "env:SLACK_BOT_TOKEN"
	}
	c.secret(o.Webhook)
	c.secret(o.BotToken)
	c.unless(o.Channel != "" || o.BotToken == "", "SLACK_CHANNEL")
}

func (c *Channel) mail(o notify.MailOptions) {
	c.unless(o.Host != "", "SMTP_HOST")
	c.unless(o.Port != 0, "SMTP_PORT")
	c.unless(o.User != "", "SMTP_USER")
	c.unless(o.From != "", "MAIL_FROM")
	c.unless(len(o.To) > 0, "MAIL_TO")
	if o.Password == "" {
		o.Password = "env:SMTP_PASSWORD"
	}
	c.secret(o.Password)
}

// unless adds a variable that counts where an option says nothing.
func (c *Channel) unless(said bool, name string) {
	if !said {
		c.Variables = append(c.Variables, Variable{Name: name})
	}
}

func (c *Channel) secret(ref secret.Ref) {
	switch scheme, name, ok := ref.Parts(); {
	case !ok: // none
	case scheme == secret.SchemeEnv:
		c.Variables = append(c.Variables, Variable{name, true})
	case !slices.Contains(c.References, string(ref)):
		c.References = append(c.References, string(ref))
	}
}
