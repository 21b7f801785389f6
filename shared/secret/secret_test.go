package secret_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"waggle/shared/fault"
	"waggle/shared/secret"
)

func ExampleResolver() {
	environment := map[string]string{"SLACK_WEBHOOK_URL": "https://hooks.slack.com/services/T1/B2/x3y4z5"}
	r := secret.NewResolver(map[string]secret.Source{
		secret.SchemeEnv: secret.Env(func(name string) (string, bool) { v, ok := environment[name]; return v, ok }),
	})
	url, err := r.Resolve(context.Background(), "env:SLACK_WEBHOOK_URL")
	fmt.Println(url, len(url.Reveal()), err)
	fmt.Println(r.Masker().Mask("Post https://hooks.slack.com/services/T1/B2/x3y4z5: refused"))
	_, err = r.Resolve(context.Background(), "ssm:/waggle/slack")
	fmt.Println(err)
	_, err = r.Resolve(context.Background(), "env:SMTP_PASSWORD")
	fmt.Println(err)
	// Output:
	// [masked] 45 <nil>
	// Post [masked]: refused
	// secret "ssm:/waggle/slack": this program reads no ssm: references (it reads env:)
	// secret env:SMTP_PASSWORD: variable SMTP_PASSWORD is not set
}

func TestASecretShowsNowhere(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		plain := "S3CRET" + rapid.String().Draw(t, "secret")
		v := secret.New(plain)
		holder := struct {
			V secret.Value
			P *secret.Value
			M map[string]secret.Value
		}{v, &v, map[string]secret.Value{"k": v}}
		data, err := json.Marshal(holder)
		if err != nil {
			t.Fatal(err)
		}
		var log bytes.Buffer
		slog.New(slog.NewTextHandler(&log, nil)).Info("x", "v", v, "holder", holder)
		slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "v", v, "holder", holder)
		for _, text := range []string{v.String(), string(data), log.String(), fmt.Sprint(v, &v, holder), fmt.Sprintf("%v %+v %#v %s %q %x %d", v, v, v, v, v, v, v),
			fmt.Sprintf("%v %+v %#v %s %x", holder, holder, holder, holder, holder), fmt.Sprintf("%#v", &holder)} {
			if strings.Contains(text, "S3CRET") || strings.Contains(text, fmt.Sprintf("%x", "S3CRET")) {
				t.Errorf("it shows in %s", text)
			}
		}
		if v.Reveal() != plain || v.IsZero() {
			t.Errorf("Reveal gives %q", v.Reveal())
		}
	})
	var none secret.Value
	if !none.IsZero() || none.Reveal() != "" || none.String() != "" || !secret.New("").IsZero() {
		t.Error("the zero value is a secret")
	}
}

func TestAMaskerTakesASecretOutInEveryForm(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		plain := "S3CRET" + rapid.StringN(1, 30, -1).Draw(t, "secret")
		m := secret.NewMasker(secret.New(plain))
		quoted, _ := json.Marshal(plain)
		for _, form := range []string{plain, string(quoted), base64.StdEncoding.EncodeToString([]byte(plain))} {
			if got := m.Mask("before " + form + " after"); strings.Contains(got, "S3CRET") || strings.Contains(got, form) || !strings.Contains(got, "[masked]") || !strings.HasPrefix(got, "before ") {
				t.Errorf("%q became %q", form, got)
			}
		}
	})
	m := secret.NewMasker(secret.New("https://user:hunter22@hooks.example.com/services/T0/B0/abcdefgh?sig=0123456789"), secret.New("abc"))
	for text, want := range map[string]string{
		"POST /services/T0/B0/abcdefgh?sig=0123456789": "POST [masked]",
		"services/T0/B0/abcdefgh":                      "[masked]",
		"abcdefgh and hunter22":                        "[masked] and [masked]",
		"abc is short, hooks.example.com is no secret": "abc is short, hooks.example.com is no secret",
	} {
		if got := m.Mask(text); got != want {
			t.Errorf("%q became %q", text, got)
		}
	}
}

func TestATextThatIsNoReferenceIsRefusedAndNotShown(t *testing.T) {
	t.Parallel()
	r := secret.NewResolver(nil)
	for _, ref := range []secret.Ref{"https://hooks.slack.com/services/S3CRET", "S3CRET", "xoxb-S3CRET", "env:", "env:A B-S3CRET", "env:https://S3CRET", "vault:S3CRET"} {
		_, err := r.Resolve(t.Context(), ref)
		if !errors.Is(err, fault.Invalid) || strings.Contains(err.Error()+fmt.Sprintf("%v %#v %s", ref, ref, ref), "S3CRET") {
			t.Errorf("%d: %v", len(ref), err)
		}
	}
	if v, err := r.Resolve(t.Context(), ""); err != nil || !v.IsZero() {
		t.Errorf("no reference: %v", err)
	}
	for _, ref := range []secret.Ref{"env:A", "ssm:/a/b", "secretsmanager:waggle/smtp"} {
		if ref.Check() != nil || ref.String() != string(ref) {
			t.Errorf("%s is refused", ref)
		}
	}
}

func TestASourcesErrorKeepsItsCodeAndNamesTheReference(t *testing.T) {
	t.Parallel()
	r := secret.NewResolver(map[string]secret.Source{
		"ssm":            func(context.Context, string) (string, error) { return "", fault.New(fault.Denied, "no permission") },
		"env":            func(context.Context, string) (string, error) { return " \n", nil },
		"secretsmanager": func(ctx context.Context, name string) (string, error) { return " " + name + "\n", nil },
	})
	if _, err := r.Resolve(t.Context(), "ssm:/a"); !errors.Is(err, fault.Denied) || !strings.Contains(err.Error(), "ssm:/a") {
		t.Error(err)
	}
	if _, err := r.Resolve(t.Context(), "env:A"); !errors.Is(err, fault.NotFound) {
		t.Error(err)
	}
	if v, err := r.Resolve(t.Context(), "secretsmanager:abcde"); err != nil || v.Reveal() != "abcde" || r.Masker().Mask("abcde") != "[masked]" {
		t.Errorf("%q, %v", v.Reveal(), err)
	}
}

func TestAVariableMayHoldAReferenceToWhereTheSecretIsKept(t *testing.T) {
	t.Parallel()
	environment := map[string]string{"KEPT": " ssm:/slack\n", "GONE": "ssm:/none", "ELSEWHERE": "secretsmanager:smtp", "LOOP": "env:LOOP"}
	r := secret.NewResolver(map[string]secret.Source{
		"env": secret.Env(func(name string) (string, bool) { v, ok := environment[name]; return v, ok }),
		"ssm": func(_ context.Context, name string) (string, error) {
			if name == "/slack" {
				return "S3CRET", nil
			}
			return "", fault.New(fault.NotFound, "no parameter").WithHint("store it")
		},
	})
	if v, err := r.Resolve(t.Context(), "env:KEPT"); err != nil || v.Reveal() != "S3CRET" || r.Masker().Mask("S3CRET") != "[masked]" || r.Masker().Mask("ssm:/slack") != "ssm:/slack" {
		t.Errorf("%q, %v", v.Reveal(), err)
	}
	if v, err := r.Resolve(t.Context(), "env:LOOP"); err != nil || v.Reveal() != "env:LOOP" { // no reference to follow: it is the secret
		t.Errorf("%q, %v", v.Reveal(), err)
	}
	_, err := r.Resolve(t.Context(), "env:GONE")
	if want := "variable GONE: secret ssm:/none: no parameter (store it)"; !errors.Is(err, fault.NotFound) || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	_, err = r.Resolve(t.Context(), "env:ELSEWHERE")
	if want := `variable ELSEWHERE: secret "secretsmanager:smtp": this program reads no secretsmanager: references (it reads env:, ssm:)`; !errors.Is(err, fault.Invalid) || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}
