// Package secret keeps secrets out of code and out of what people read: definitions name them by reference, wiring
// resolves the references when a program starts, and what came out prints as [masked] wherever it turns up.
//
// It knows no cloud: whoever wires a program hands it the sources of the other schemes. It imports fault of ours.
package secret

import (
	"log/slog"
	"slices"
	"strings"

	"waggle/shared/fault"
)

// Ref names a secret: where it is kept, a colon, what it is called there. Empty: none.
//
//	env:SLACK_WEBHOOK_URL           a variable of the environment
//	ssm:/waggle/slack/webhook       a parameter of AWS Systems Manager
//	secretsmanager:waggle/smtp      a secret of AWS Secrets Manager
//	secretsmanager:smtp#password    a field of one that is a JSON object
type Ref string

// The schemes of references.
const (
	SchemeEnv            = "env"
	SchemeSSM            = "ssm"
	SchemeSecretsManager = "secretsmanager"
)

// Schemes lists the schemes that a reference may have.
func Schemes() []string { return []string{SchemeEnv, SchemeSSM, SchemeSecretsManager} }

// Parts are the scheme and the name; ok is false where the text is no reference.
func (r Ref) Parts() (scheme, name string, ok bool) {
	scheme, name, found := strings.Cut(string(r), ":")
	ok = found && slices.Contains(Schemes(), scheme) && name != "" && !strings.ContainsAny(name, " \t\r\n\x00") &&
		!(scheme == SchemeEnv && strings.ContainsAny(name, "=/:"))
	return scheme, name, ok
}

// kept reports a reference to where secrets are kept, not to a variable of the environment.
func (r Ref) kept() bool {
	scheme, _, ok := r.Parts()
	return ok && scheme != SchemeEnv
}

// Check reports a text that is no reference. The text is not in the error: it may be the secret itself.
func (r Ref) Check() error {
	if _, _, ok := r.Parts(); !ok {
		return fault.New(fault.Invalid, "holds %d characters that are no reference to a secret", len(r)).
			WithHint("write env:NAME, ssm:/path or secretsmanager:name, and keep the secret itself out of the code")
	}
	return nil
}

// String is the reference, or [masked] where the text is none and may be a secret.
func (r Ref) String() string {
	if _, _, ok := r.Parts(); !ok && r != "" {
		return masked
	}
	return string(r)
}

// GoString is String, so that %#v shows no more.
func (r Ref) GoString() string { return r.String() }

const masked = "[masked]"

// Value is a secret. It prints as [masked] by every verb of fmt, in JSON and in logs; only Reveal gives it away. The
// zero value is no secret.
type Value struct{ plain *string } // a pointer, so that what prints fields by reflection shows an address

// New makes a Value.
func New(plain string) Value {
	if plain == "" {
		return Value{}
	}
	return Value{&plain}
}

// Reveal returns the secret, to hand to the service it is for.
func (v Value) Reveal() string {
	if v.plain == nil {
		return ""
	}
	return *v.plain
}

// IsZero reports whether there is no secret.
func (v Value) IsZero() bool { return v.plain == nil }

// String is [masked], or empty where there is no secret.
func (v Value) String() string {
	if v.IsZero() {
		return ""
	}
	return masked
}

// GoString is String, so that %#v shows no more.
func (v Value) GoString() string { return v.String() }

// MarshalText keeps the secret out of JSON and every other encoding of text.
func (v Value) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// LogValue keeps the secret out of logs.
func (v Value) LogValue() slog.Value { return slog.StringValue(v.String()) }
