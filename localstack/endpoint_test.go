// Package localstack_test tries the scripts of this folder.
package localstack_test

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
)

func TestNothingOfTheEmulatorsReachesAWS(t *testing.T) {
	t.Parallel()
	for endpoint, want := range map[string]struct {
		status int
		says   string
	}{
		"": {2, "AWS_ENDPOINT_URL is not set, and this would reach AWS"},
		"https://dynamodb.eu-west-1.amazonaws.com": {2, "is AWS itself"},
		"https://dynamodb.eu-west-1.api.aws":       {2, "is AWS itself"},
		"http://127.0.0.1:4566":                    {0, "ran with test and no profile\n"},
	} {
		cmd := exec.Command("sh", "at-endpoint.sh", "sh", "-c", "echo ran with $AWS_ACCESS_KEY_ID and ${AWS_PROFILE:-no} profile")
		cmd.Env = append(os.Environ(), "AWS_ENDPOINT_URL="+endpoint, "AWS_PROFILE=prod", "AWS_ACCESS_KEY_ID=mine", "AWS_SECRET_ACCESS_KEY=mine")
		out, err := cmd.CombinedOutput()
		status := 0
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			status = exit.ExitCode()
		} else if err != nil {
			t.Fatal(err)
		}
		if status != want.status || !strings.Contains(string(out), want.says) || want.status != 0 && strings.Contains(string(out), "ran") {
			t.Errorf("%q: exit %d\n%s", endpoint, status, out)
		}
	}
}
