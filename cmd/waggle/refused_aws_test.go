//go:build aws

package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"waggle/shared/cli"
	"waggle/shared/fault"
)

// answering is a server in AWS's place that gives one answer.
func answering(t *testing.T, status int, kind, body string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if kind != "" {
			w.Header().Set("X-Amzn-Errortype", kind)
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// bare sets the environment of a machine that knows nothing of AWS but what is given.
func bare(t *testing.T, given map[string]string) {
	t.Helper()
	for _, name := range []string{"AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SSM", "AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_SESSION_TOKEN", "AWS_ACCESS_KEY_ID",
		"AWS_SECRET_ACCESS_KEY", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"} {
		t.Setenv(name, given[name])
	}
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	t.Setenv("AWS_MAX_ATTEMPTS", "1")
	t.Setenv("AWS_CONFIG_FILE", t.TempDir()+"/config")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", t.TempDir()+"/credentials")
}

func TestADeploymentThatIsNotFoundIsAnErrorThatSaysWhatToDo(t *testing.T) {
	refuse := func(kind, message string) string {
		return answering(t, 400, kind, fmt.Sprintf(`{"__type": %q, "message": %q}`, kind, message))
	}
	const region = "eu-west-1"
	for _, c := range []struct {
		name             string
		region, endpoint string
		anonymous        bool
		code             fault.Code
		words            []string
	}{
		{name: "no region", code: fault.Invalid, words: []string{"no AWS region is set", "set AWS_REGION"}},
		{name: "no credentials", region: region, anonymous: true, code: fault.Denied, words: []string{"find deployment prod: no credentials were found", "set AWS_PROFILE", "aws sso login"}},
		{name: "not deployed, or another region", region: region, endpoint: refuse("ParameterNotFound", ""), code: fault.NotFound,
			words: []string{`no deployment "prod" in eu-west-1`, "AWS_REGION", "`waggle deploy`"}},
		{name: "a bad name", region: region, endpoint: refuse("ValidationException", "no"), code: fault.Invalid, words: []string{`"prod" is no name of a deployment`}},
		{name: "no right", region: region, endpoint: refuse("AccessDeniedException", "not authorized"), code: fault.Denied,
			words: []string{"AccessDeniedException: not authorized", "allow ssm:GetParameter on /waggle/prod/deployment"}},
		{name: "expired", region: region, endpoint: refuse("ExpiredTokenException", "it has expired"), code: fault.Denied, words: []string{"ExpiredTokenException: it has expired", "aws sso login"}},
		{name: "a wrong clock", region: region, endpoint: refuse("InvalidSignatureException", "not yet current"), code: fault.Denied, words: []string{"clock"}},
		{name: "busy", region: region, endpoint: refuse("ThrottlingException", "Rate exceeded"), code: fault.Throttled, words: []string{"Rate exceeded", "try again"}},
		{name: "down", region: region, endpoint: refuse("InternalServerError", "oh"), code: fault.Unavailable, words: []string{"try again"}},
		{name: "nobody there", region: region, endpoint: "http://127.0.0.1:1", code: fault.Unavailable, words: []string{"connection refused", "AWS_ENDPOINT_URL"}},
		{name: "no such host", region: region, endpoint: "http://ssm.invalid", code: fault.Unavailable, words: []string{"is the region eu-west-1 right"}},
		{name: "a bad region", region: "eu west", code: fault.Unavailable, words: []string{"eu west", "look at AWS_REGION"}},
		{name: "no parameter of ours", region: region, endpoint: answering(t, 200, "", `{"Parameter": {"Value": "{\"table\": \"t\"}"}}`), code: fault.Corrupt,
			words: []string{"/waggle/prod/deployment does not say", "deploy it again"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			given := map[string]string{"AWS_REGION": c.region, "AWS_ENDPOINT_URL": c.endpoint, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
			if c.anonymous {
				given["AWS_ACCESS_KEY_ID"], given["AWS_SECRET_ACCESS_KEY"] = "", ""
			}
			bare(t, given)
			_, err := openDeployment(t.Context(), "prod")
			if fault.CodeOf(err) != c.code {
				t.Fatalf("%s: %v", fault.CodeOf(err), err)
			}
			for _, word := range c.words {
				if !strings.Contains(err.Error(), word) {
					t.Errorf("it lacks %q: %v", word, err)
				}
			}
		})
	}
}

func TestASecretThatCannotBeStoredSaysWhichRightItTakes(t *testing.T) {
	cfg := at(answering(t, 400, "AccessDeniedException", `{"message": "not authorized"}`))
	if err := storeSecret(t.Context(), cfg, "prod", "slack", "x"); !errors.Is(err, fault.Denied) || !strings.Contains(err.Error(), "store /waggle/prod/slack: AccessDeniedException: not authorized (allow ssm:PutParameter") {
		t.Error(err)
	}
	if err := storeSecret(t.Context(), cfg, "prod", "deployment", "x"); !errors.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "choose another name") {
		t.Error(err)
	}
}

// at is a connection to a server on this machine.
func at(endpoint string) aws.Config {
	return aws.Config{Region: "eu-west-1", BaseEndpoint: &endpoint, RetryMaxAttempts: 1, Credentials: credentials.NewStaticCredentialsProvider("test", "test", "")}
}

func TestTheDoctorKnowsANewAccount(t *testing.T) {
	for functions, hint := range map[int]string{10: "ask AWS for more in Service Quotas: what is throttled starts a minute later", 1000: ""} {
		c := &checkup{cfg: at(answering(t, 200, "", fmt.Sprintf(`{"AccountLimit": {"ConcurrentExecutions": %d}}`, functions)))}
		want := cli.Finding{What: "limits", Text: fmt.Sprintf("%d functions may run at once", functions), Hint: hint}
		if f := c.concurrency(t.Context()); f != want {
			t.Errorf("got %+v, want %+v", f, want)
		}
	}
	c := &checkup{cfg: at(answering(t, 403, "AccessDeniedException", `{"Message": "not authorized"}`))}
	if f := c.concurrency(t.Context()); f.Wrong || f.Text != "AccessDeniedException: not authorized" || !strings.Contains(f.Hint, "allow lambda:GetAccountSettings") {
		t.Errorf("got %+v", f)
	}
}

// mailing answers what the doctor asks of mails.
func mailing(t *testing.T, verified string, quota float64) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("Action") == "GetSendQuota" {
			_, _ = fmt.Fprintf(w, `<GetSendQuotaResponse><GetSendQuotaResult><Max24HourSend>%g</Max24HourSend></GetSendQuotaResult></GetSendQuotaResponse>`, quota)
			return
		}
		_, _ = fmt.Fprintf(w, `<GetIdentityVerificationAttributesResponse><GetIdentityVerificationAttributesResult><VerificationAttributes><entry><key>%s</key>
			<value><VerificationStatus>Success</VerificationStatus></value></entry></VerificationAttributes></GetIdentityVerificationAttributesResult></GetIdentityVerificationAttributesResponse>`, verified)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestTheDoctorSaysWhetherMailsLeave(t *testing.T) {
	const from = "Waggle <waggle@example.com>"
	for _, c := range []struct {
		from, verified string
		quota          float64
		want           cli.Finding
	}{
		{"", "", 200, cli.Finding{Text: "no sender is set, so no mail is sent by SES", Hint: "set sender and recipients in cdk.json, and deploy"}},
		{from, "other@example.com", 50_000, cli.Finding{Text: "waggle@example.com is not verified", Hint: "follow the link in the mail that AWS has sent to it; where none came, verify it in SES", Wrong: true}},
		{from, "waggle@example.com", 200, cli.Finding{Text: "from " + from, Hint: "SES is in its sandbox: it sends to verified addresses alone; verify the recipients, or ask for production access"}},
		{from, "example.com", 50_000, cli.Finding{Text: "from " + from}},
	} {
		k := &checkup{cfg: at(mailing(t, c.verified, c.quota)), variables: map[string]string{"MAIL_FROM": c.from}}
		c.want.What = "mail"
		if f := k.mail(t.Context()); f != c.want {
			t.Errorf("got %+v, want %+v", f, c.want)
		}
	}
}

func TestTheDoctorSaysHowAChannelIsMended(t *testing.T) {
	bare(t, map[string]string{"AWS_REGION": "eu-west-1"})
	c := &checkup{environment: "prod", variables: map[string]string{"SLACK_WEBHOOK_URL": "not a URL", "MAIL_FROM": "waggle@example.com", "MAIL_TO": "team@example.com"}}
	found := map[string]cli.Finding{}
	for _, f := range c.channels(t.Context()) {
		found[f.What] = f
	}
	if f := found["channel slack"]; !f.Wrong || !strings.Contains(f.Text, "no URL") || !strings.Contains(f.Hint, "`waggle secrets set NAME --env prod`") {
		t.Errorf("got %+v", f)
	}
	if f := found["channel team"]; f != (cli.Finding{What: "channel team", Text: "mail"}) {
		t.Errorf("got %+v", f)
	}
}
