package awssecret_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"waggle/shared/fault"
	"waggle/shared/notify/notifytest"
	"waggle/shared/secret"
	"waggle/shared/secret/awssecret"
)

// configuration is for a server on this machine. Nothing comes from the environment.
func configuration(endpoint string) aws.Config {
	return aws.Config{Region: "us-east-1", BaseEndpoint: &endpoint, Credentials: credentials.NewStaticCredentialsProvider("test", "test", "")}
}

func refuse(status int, code, message string) notifytest.Step {
	return notifytest.Reply(status, `{"__type":"`+code+`","message":"`+message+`"}`, "Content-Type", "application/x-amz-json-1.1", "X-Amzn-Errortype", code)
}

func resolve(ctx context.Context, endpoint string, ref secret.Ref, opts *awssecret.Options) (secret.Value, error) {
	return secret.NewResolver(awssecret.Sources(configuration(endpoint), opts)).Resolve(ctx, ref)
}

func TestWhatAWSSaysIsAFaultThatNamesTheReferenceAndTheNextStep(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		ref   secret.Ref
		step  notifytest.Step
		code  fault.Code
		words []string
	}{
		"no parameter": {"ssm:/waggle/production/slack", refuse(400, "ParameterNotFound", ""), fault.NotFound,
			[]string{"ssm:/waggle/production/slack", "no such parameter", "`waggle secrets set slack --env production`"}},
		"no parameter of ours": {"ssm:/team/slack", refuse(400, "ParameterNotFound", ""), fault.NotFound, []string{"Systems Manager"}},
		"no version":           {"ssm:/team/slack:9", refuse(400, "ParameterVersionNotFound", ""), fault.NotFound, []string{"no such version"}},
		"an empty parameter": {"ssm:/waggle/production/slack", notifytest.Reply(200, `{"Parameter":{"Value":" \n"}}`), fault.NotFound,
			[]string{"is empty", "`waggle secrets set slack --env production`"}},
		"no right": {"ssm:/a", refuse(400, "AccessDeniedException", "User: u is not authorized to perform: ssm:GetParameter on resource: r"), fault.Denied,
			[]string{"ssm:/a", "allow the role or user ssm:GetParameter"}},
		"no right to the key": {"ssm:/a", refuse(400, "AccessDeniedException", "User: u is not authorized to perform: kms:Decrypt on resource: k"), fault.Denied,
			[]string{"allow the role or user kms:Decrypt"}},
		"no key":         {"ssm:/a", refuse(400, "InvalidKeyId", "disabled"), fault.Denied, []string{"the key"}},
		"a bad name":     {"ssm:a//b", refuse(400, "ValidationException", "Parameter name must be a fully qualified name."), fault.Invalid, []string{"fully qualified", "look at the name"}},
		"no credentials": {"ssm:/a", refuse(400, "UnrecognizedClientException", "The security token is invalid."), fault.Denied, []string{"log in again"}},
		"no secret": {"secretsmanager:smtp", refuse(400, "ResourceNotFoundException", "can't find the specified secret."), fault.NotFound,
			[]string{"secretsmanager:smtp", "no such secret", "Secrets Manager"}},
		"a secret to be deleted": {"secretsmanager:smtp", refuse(400, "InvalidRequestException", "it was marked for deletion."), fault.NotFound, []string{"marked for deletion", "restore it"}},
		"no right to a secret": {"secretsmanager:smtp", refuse(400, "AccessDeniedException", "Access to KMS is not allowed"), fault.Denied,
			[]string{"allow the role or user kms:Decrypt"}},
		"a secret of bytes": {"secretsmanager:smtp", notifytest.Reply(200, `{"SecretBinary":"AAEC"}`), fault.Invalid, []string{"is bytes", "as text"}},
		"no such field": {"secretsmanager:smtp#password", notifytest.Reply(200, `{"SecretString":"{\"user\":\"SECRET\"}"}`), fault.NotFound,
			[]string{`no field "password"`}},
		"a field that is none": {"secretsmanager:smtp#a", notifytest.Reply(200, `{"SecretString":"{\"a\":{\"b\":\"SECRET\"}}"}`), fault.Invalid, []string{`"a"`, "no text"}},
		"a text with a field":  {"secretsmanager:smtp#a", notifytest.Reply(200, `{"SecretString":"SECRET"}`), fault.Invalid, []string{"no JSON object"}},
		"something unknown":    {"secretsmanager:smtp", refuse(418, "Teapot", "short"), fault.Invalid, []string{"Teapot: short"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			web := notifytest.NewWeb(t, c.step)
			v, err := resolve(t.Context(), web.URL, c.ref, nil)
			_ = web.One()
			if !errors.Is(err, c.code) || fault.CodeOf(err) != c.code || !v.IsZero() || notifytest.Leaks(err.Error()) {
				t.Fatalf("%v", err)
			}
			for _, word := range c.words {
				if !strings.Contains(err.Error(), word) {
					t.Errorf("%v lacks %q", err, word)
				}
			}
		})
	}
}

func TestAServiceThatIsBusyIsAskedAgainAndThenLater(t *testing.T) {
	t.Parallel()
	busy := refuse(400, "ThrottlingException", "Rate exceeded")
	web := notifytest.NewWeb(t, busy, notifytest.Reply(200, `{"Parameter":{"Value":"hook"}}`))
	if v, err := resolve(t.Context(), web.URL, "ssm:/a", nil); err != nil || v.Reveal() != "hook" {
		t.Errorf("%v", err)
	}
	_ = web.Take()
	web = notifytest.NewWeb(t, busy, busy, busy)
	if _, err := resolve(t.Context(), web.URL, "ssm:/a", nil); !errors.Is(err, fault.Throttled) {
		t.Errorf("%v", err)
	}
	_ = web.Take()
	down := func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }
	web = notifytest.NewWeb(t, down, down, down)
	if _, err := resolve(t.Context(), web.URL, "secretsmanager:a", nil); !errors.Is(err, fault.Unavailable) {
		t.Errorf("%v", err)
	}
	_ = web.Take()
}

func TestAServiceThatIsSilentIsGivenUp(t *testing.T) {
	t.Parallel()
	web := notifytest.NewWeb(t, notifytest.Silence())
	_, err := resolve(t.Context(), web.URL, "ssm:/a", &awssecret.Options{Timeout: 50 * time.Millisecond})
	if !errors.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "no answer within 50ms") {
		t.Errorf("%v", err)
	}
	_ = web.One()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := resolve(ctx, web.URL, "ssm:/a", nil); !errors.Is(err, fault.Canceled) {
		t.Errorf("%v", err)
	}
	if awssecret.Timeout != 10*time.Second {
		t.Errorf("the default is %s", awssecret.Timeout)
	}
}
