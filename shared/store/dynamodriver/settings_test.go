package dynamodriver_test

import (
	"testing"

	"waggle/shared/fault"
	"waggle/shared/store/driver"
	"waggle/shared/store/dynamodriver"
)

// bare sets the environment of a machine that knows nothing of AWS.
func bare(t *testing.T) {
	t.Helper()
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": "", "AWS_ENDPOINT_URL_DYNAMODB": "", "AWS_PROFILE": "", "AWS_REGION": "", "AWS_DEFAULT_REGION": "", "AWS_SESSION_TOKEN": "",
		"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_WEB_IDENTITY_TOKEN_FILE": "", "AWS_CONTAINER_CREDENTIALS_FULL_URI": "",
		"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "", "AWS_EC2_METADATA_DISABLED": "true",
		"AWS_CONFIG_FILE": t.TempDir() + "/config", "AWS_SHARED_CREDENTIALS_FILE": t.TempDir() + "/credentials",
	} {
		t.Setenv(name, value)
	}
}

func TestTheEnvironmentSaysWhereTheTableIs(t *testing.T) {
	bare(t)
	w := newWire(t, ok(`{}`))
	t.Setenv("AWS_ENDPOINT_URL", w.URL)
	t.Setenv("AWS_REGION", "eu-north-1")
	t.Setenv("AWS_ACCESS_KEY_ID", "test")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "test")
	d, err := dynamodriver.Open(t.Context(), "runs", &dynamodriver.Options{Indexes: indexes, SkipCheck: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = d.Close() }()
	if err := d.Put(t.Context(), row(1), driver.Any); err != nil {
		t.Fatal(err)
	}
}

func TestABareEnvironmentIsToldWhatToSet(t *testing.T) {
	bare(t)
	opts := &dynamodriver.Options{Indexes: indexes}
	_, err := dynamodriver.Open(t.Context(), "runs", opts)
	wantCode(t, err, fault.Invalid, "set AWS_REGION")
	t.Setenv("AWS_REGION", "eu-north-1")
	_, err = dynamodriver.Open(t.Context(), "runs", opts)
	wantCode(t, err, fault.Denied, "look for AWS credentials", "set AWS_PROFILE, or AWS_ACCESS_KEY_ID")
	t.Setenv("AWS_PROFILE", "nobody")
	_, err = dynamodriver.Open(t.Context(), "runs", opts)
	wantCode(t, err, fault.Invalid, "nobody", "look at AWS_PROFILE")
}
