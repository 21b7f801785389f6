// Package settings is what a deployment may choose: the object `waggle` among the context of cdk.json. It finds every mistake in it at
// once.
//
// It knows no CDK. It imports fault, manifest, notify, runlog and secret of ours.
package settings

import (
	"errors"
	"fmt"
	"maps"
	"net/mail"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"waggle/shared/fault"
	"waggle/shared/manifest"
	"waggle/shared/notify"
	"waggle/shared/runlog"
	"waggle/shared/secret"
)

// Settings are those of a deployment, with their defaults filled in.
type Settings struct {
	// Environment tells the deployments of an account apart and is in every name: waggle-ENVIRONMENT. Required.
	Environment string
	// Architecture is Go's name of what the functions run on. Defaults to arm64, which costs less.
	Architecture string
	// Sender is the sender of mails, "Waggle <waggle@example.com>". Empty: no mail is sent by SES.
	Sender string
	// SenderVerified says that SES knows the sender's address or domain already. By default the deployment makes an identity of the
	// address, and AWS mails it a link that somebody must follow.
	SenderVerified bool
	// Recipients get the mails of channels that name none.
	Recipients []string
	// LinkBase begins links to runs in messages. Empty: messages carry commands.
	LinkBase string
	// LogLevel is what functions write to their own logs from: debug, info, warning, error or critical. Defaults to info.
	LogLevel string
	// LogRetentionDays is how long these logs are kept. Defaults to 30.
	LogRetentionDays int
	// AlarmMail is told when the deployment itself is in trouble. Empty: nobody is, and alarms are only shown.
	AlarmMail string
	// MemoryMB are functions' sizes, by name. What is not here is as in the manifest.
	MemoryMB map[string]int
	// Variables are further variables of the functions' environment. A secret is a reference: ssm:/path, secretsmanager:name.
	Variables map[string]string
}

// Address is the address alone of a sender or recipient that From took: waggle@example.com of "Waggle <waggle@example.com>".
func Address(text string) string {
	a, err := mail.ParseAddress(text)
	if err != nil { // From would have said so
		return text
	}
	return a.Address
}

// retentions are the days that CloudWatch Logs takes.
var retentions = []int{1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}

// From reads settings from the object that cdk.json has, and holds them against the manifest of what was built. override returns what
// the command line says of environment, architecture and sender_verified (-c environment=dev), nil for nothing. Its error is fault.Invalid and lists all
// mistakes.
func From(object any, override func(key string) any, m manifest.Manifest) (Settings, error) {
	fields, ok := object.(map[string]any)
	if !ok {
		return Settings{}, fault.New(fault.Invalid, `cdk.json has no context "waggle"`).WithHint(`write {"context": {"waggle": {"environment": "dev"}}}, and start by the command cdk in the repository's root`)
	}
	fields = maps.Clone(fields)
	for _, key := range []string{"environment", "architecture", "sender_verified"} {
		value := override(key)
		if flag, err := strconv.ParseBool(fmt.Sprint(value)); err == nil && key == "sender_verified" { // the command line has texts alone
			value = flag
		}
		if value != nil {
			fields[key] = value
		}
	}
	r := reading{fields: fields}
	s := Settings{
		Environment:      r.text("environment", ""),
		Architecture:     r.text("architecture", "arm64"),
		Sender:           r.text("sender", ""),
		SenderVerified:   r.flag("sender_verified"),
		Recipients:       r.list("recipients"),
		LinkBase:         r.text("link_base", ""),
		LogLevel:         r.text("log_level", "info"),
		LogRetentionDays: r.number("log_retention_days", 30),
		AlarmMail:        r.text("alarm_mail", ""),
		MemoryMB:         r.numbers("memory_mb"),
		Variables:        r.texts("variables"),
	}
	r.unknown()
	r.check(s, m)
	if len(r.mistakes) > 0 {
		return Settings{}, fault.Wrap(fault.Invalid, "", errors.Join(r.mistakes...))
	}
	return s, nil
}

// environments keeps the longest name, of the bucket, under S3's 63 characters. Without a dash no environment's name is part of what
// another's things are called.
var environments = regexp.MustCompile(`^[a-z][a-z0-9]{0,19}$`)

func (r *reading) check(s Settings, m manifest.Manifest) {
	if !environments.MatchString(s.Environment) && r.whole("environment") {
		r.mistake("environment", "is %q; it has 1 to 20 small letters and digits, a letter first", s.Environment)
	}
	r.checkArchitecture(s.Architecture, m)
	if s.Sender != "" {
		if err := notify.CheckAddress(s.Sender); err != nil {
			r.mistake("sender", "%w", err)
		}
	}
	for i, to := range s.Recipients {
		if err := notify.CheckAddress(to); err != nil {
			r.mistake("recipients", "of number %d: %w", i+1, err)
		}
	}
	if s.AlarmMail != "" {
		if a, err := mail.ParseAddress(s.AlarmMail); err != nil || a.Address != s.AlarmMail {
			r.mistake("alarm_mail", "is %q; write an address alone, ops@example.com", s.AlarmMail)
		}
	}
	if s.LinkBase != "" {
		if u, err := url.Parse(s.LinkBase); err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
			r.mistake("link_base", "is %q; write a URL, https://waggle.example.com", s.LinkBase)
		}
	}
	if _, err := runlog.ParseLevel(s.LogLevel); err != nil {
		r.mistake("log_level", "has the %w", err)
	}
	if !slices.Contains(retentions, s.LogRetentionDays) && r.whole("log_retention_days") {
		r.mistake("log_retention_days", "is %d; CloudWatch Logs takes %s", s.LogRetentionDays, numbers(retentions))
	}
	r.checkMemory(s.MemoryMB, m)
	r.checkVariables(s.Variables, m)
}

func (r *reading) checkArchitecture(name string, m manifest.Manifest) {
	if !r.whole("architecture") {
		return
	}
	if !slices.Contains([]string{"arm64", "amd64"}, name) {
		r.mistake("architecture", "is %q; Lambda has arm64 and amd64", name)
		return
	}
	for _, f := range m.Functions {
		if _, built := f.Zip(name); !built {
			r.mistake("architecture", "is %s, and the functions are not built for it (go run ./functions/build -architectures %s)", name, name)
			return
		}
	}
}

func (r *reading) checkMemory(sizes map[string]int, m manifest.Manifest) {
	var names []string
	for _, f := range m.Functions {
		names = append(names, f.Name)
	}
	for _, name := range slices.Sorted(maps.Keys(sizes)) {
		if !slices.Contains(names, name) {
			r.mistake("memory_mb", "has the %w", fault.Unknown("function", name, names))
		}
		if n := sizes[name]; n < 128 || n > 10240 {
			r.mistake("memory_mb", "of %s is %d; Lambda takes 128 to 10240", name, n)
		}
	}
}

var variableName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]+$`)

func (r *reading) checkVariables(variables map[string]string, m manifest.Manifest) {
	for _, name := range slices.Sorted(maps.Keys(variables)) {
		switch {
		case !variableName.MatchString(name):
			r.mistake("variables", "has the name %q; Lambda takes letters, digits and underscores, at least two, a letter first", name)
		case name == "MAIL_FROM":
			r.mistake("variables", "has MAIL_FROM; set sender")
		case name == "MAIL_TO":
			r.mistake("variables", "has MAIL_TO; set recipients")
		case strings.HasPrefix(name, "WAGGLE_"), strings.HasPrefix(name, "AWS_"):
			r.mistake("variables", "has %s, which the deployment itself sets", name)
		case isSecret(name, m) && !isStored(variables[name]):
			r.mistake("variables", "has a value for %s, which is secret and would stand in the template; write a reference, ssm:/path or secretsmanager:name", name)
		}
	}
}

// isSecret reports whether a channel keeps a secret in the variable.
func isSecret(name string, m manifest.Manifest) bool {
	return slices.ContainsFunc(m.Channels, func(c manifest.Channel) bool {
		return slices.Contains(c.Variables, manifest.Variable{Name: name, Secret: true})
	})
}

// isStored reports whether the text is a reference to a secret in AWS.
func isStored(text string) bool {
	scheme, _, ok := secret.Ref(text).Parts()
	return ok && scheme != secret.SchemeEnv
}
