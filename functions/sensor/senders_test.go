package main

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"waggle/pipelines"
	"waggle/shared/notify"
)

func TestMailsNameTheConfigurationSetOfTheirEnvironment(t *testing.T) {
	var asked url.Values
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			t.Error(err)
		}
		asked = r.PostForm
		_, _ = w.Write([]byte(`<SendRawEmailResponse><SendRawEmailResult><MessageId>1</MessageId></SendRawEmailResult></SendRawEmailResponse>`))
	}))
	defer server.Close()
	for name, value := range map[string]string{"MAIL_FROM": "waggle@example.com", "MAIL_TO": "team@example.com", "SMTP_HOST": "", "SLACK_WEBHOOK_URL": ""} {
		t.Setenv(name, value)
	}
	opened, err := openSenders(t.Context(), aws.Config{Region: "eu-west-1", BaseEndpoint: &server.URL, Credentials: credentials.NewStaticCredentialsProvider("test", "test", "")}, "prod")
	if err != nil {
		t.Fatal(err)
	}
	team, err := opened.Of(pipelines.Definitions.Channel("team"))
	if err != nil {
		t.Fatal(err)
	}
	content, err := notify.Message{Subject: "a test", Text: "a test"}.Content(notify.Full)
	if err != nil {
		t.Fatal(err)
	}
	if a := team.Send(t.Context(), "k", content, notify.Thread{}); a.Kind != notify.Sent || asked.Get("ConfigurationSetName") != "waggle-prod" {
		t.Errorf("%+v by %s", a, asked)
	}
}
