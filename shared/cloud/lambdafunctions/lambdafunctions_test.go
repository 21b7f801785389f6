package lambdafunctions_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"waggle/shared/cloud"
	"waggle/shared/cloud/lambdafunctions"
	"waggle/shared/fault"
)

// lambda answers with a status and keeps what it was asked.
type lambda struct {
	status          int
	kind            string
	path, how, body string
}

func (l *lambda) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	l.path, l.how, l.body = r.URL.String(), r.Header.Get("X-Amz-Invocation-Type"), string(body)
	if l.kind != "" {
		w.Header().Set("X-Amzn-Errortype", l.kind)
	}
	w.WriteHeader(l.status)
	_, _ = io.WriteString(w, `{"Message":"no"}`)
}

func functions(t *testing.T, l *lambda, names lambdafunctions.Names) *lambdafunctions.Functions {
	t.Helper()
	server := httptest.NewServer(l)
	t.Cleanup(server.Close)
	return lambdafunctions.New(aws.Config{Region: "eu-west-1", BaseEndpoint: &server.URL, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", "")}, names)
}

func TestFunctionsAreCalledAsynchronouslyInTheirVersion(t *testing.T) {
	t.Parallel()
	l := &lambda{status: http.StatusAccepted}
	f := functions(t, l, lambdafunctions.Names{Run: "arn:aws:lambda:eu-west-1:1:function:waggle-prod-run:7", Step: "waggle-prod-step:3", Sensor: "waggle-prod-sensor"})
	for _, c := range []struct {
		call func() error
		path string
		body string
	}{
		{func() error { return f.Run(t.Context(), "", cloud.RunCall{Run: "r", Hops: 2}) },
			"/2015-03-31/functions/arn%3Aaws%3Alambda%3Aeu-west-1%3A1%3Afunction%3Awaggle-prod-run/invocations?Qualifier=7", `{"run":"r","hops":2}`},
		{func() error { return f.Run(t.Context(), "waggle-prod-run:6", cloud.RunCall{Run: "r"}) },
			"/2015-03-31/functions/waggle-prod-run/invocations?Qualifier=6", `{"run":"r"}`},
		{func() error { return f.Run(t.Context(), "waggle-prod-run:$LATEST", cloud.RunCall{Run: "r"}) },
			"/2015-03-31/functions/waggle-prod-run/invocations?Qualifier=%24LATEST", `{"run":"r"}`},
		{func() error {
			return f.Step(t.Context(), cloud.StepCall{Run: "r", Step: "s", Attempt: 1, Wake: "waggle-prod-run:6"})
		}, "/2015-03-31/functions/waggle-prod-step/invocations?Qualifier=3", `{"run":"r","step":"s","attempt":1,"wake":"waggle-prod-run:6"}`},
		{func() error { return f.Sensor(t.Context(), "slow") }, "/2015-03-31/functions/waggle-prod-sensor-slow/invocations", `{"wake":true}`},
		{func() error { return f.Sensor(t.Context(), "") }, "/2015-03-31/functions/waggle-prod-sensor/invocations", `{"wake":true}`},
	} {
		if err := c.call(); err != nil {
			t.Errorf("%s: %v", c.path, err)
		}
		if l.path != c.path || l.how != "Event" || l.body != c.body {
			t.Errorf("it sent %s (%s)\n%s\nwant %s\n%s", l.path, l.how, l.body, c.path, c.body)
		}
	}
}

func TestWhatLambdaRefusesHasACodeAndTheNextStep(t *testing.T) {
	t.Parallel()
	for kind, want := range map[string]struct {
		status int
		code   fault.Code
		hint   string
	}{
		"ResourceNotFoundException": {404, fault.NotFound, " (deploy again)"}, "TooManyRequestsException": {429, fault.Throttled, " (ask AWS for more concurrent executions"},
		"AccessDeniedException": {403, fault.Denied, " (allow lambda:InvokeFunction on it)"}, "ExpiredTokenException": {403, fault.Denied, "aws sso login"},
		"RequestTooLargeException": {413, fault.TooLarge, ""}, "ServiceException": {500, fault.Unavailable, ""},
	} {
		l := &lambda{status: want.status, kind: kind}
		err := functions(t, l, lambdafunctions.Names{Run: "waggle-prod-run"}).Run(t.Context(), "", cloud.RunCall{Run: "r"})
		if !errors.Is(err, want.code) || !strings.HasPrefix(err.Error(), "invoke waggle-prod-run: "+kind+": no") || !strings.Contains(err.Error(), want.hint) {
			t.Errorf("%s: %v", kind, err)
		}
	}
	server := httptest.NewServer(&lambda{status: 202})
	t.Cleanup(server.Close)
	nobody := aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{}, errors.New("the SSO session has expired")
	})
	if err := lambdafunctions.New(aws.Config{Region: "eu-west-1", BaseEndpoint: &server.URL, Credentials: nobody}, lambdafunctions.Names{Run: "r"}).Run(t.Context(), "", cloud.RunCall{Run: "r"}); !errors.Is(err, fault.Denied) ||
		!strings.HasPrefix(err.Error(), "invoke r: the SSO session has expired (set AWS_PROFILE") {
		t.Errorf("no credentials: %v", err)
	}
	if err := functions(t, &lambda{status: 202}, lambdafunctions.Names{}).Sensor(t.Context(), "slow"); !errors.Is(err, fault.Invalid) {
		t.Errorf("no name: %v", err)
	}
}
