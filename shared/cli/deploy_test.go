package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestADeploymentIsBuiltAndHandedToCDK has programs on the path that say how they were called.
func TestADeploymentIsBuiltAndHandedToCDK(t *testing.T) {
	d := setup(t)
	checkout, tools := t.TempDir(), t.TempDir()
	say := func(path, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", tools)
	t.Chdir(checkout)
	refused := func(want string, args ...string) {
		t.Helper()
		if out, talk, status := d.call(args...); status == 0 || !strings.Contains(talk, want) {
			t.Errorf("waggle %s: exit %d, it lacks %q\n%s%s", strings.Join(args, " "), status, want, out, talk)
		}
	}
	refused("which deployment is not said", "deploy")
	refused("there is nothing to deploy here", "deploy", "--env", "prod")
	say("go.mod", "module waggle\n")
	refused("go is not installed", "deploy", "--env", "prod")
	for _, tool := range []string{"go", "node", "npm"} {
		say(filepath.Join(tools, tool), "#!/bin/sh\necho "+tool+" $@\n")
	}
	say("infra/with-cdk.sh", "#!/bin/sh\necho with-cdk $@\n")
	out, talk, status := d.call("deploy", "--env", "prod", "--", "--require-approval", "never")
	if want := "go run ./functions/build\nwith-cdk cdk --no-notices -c environment=prod deploy --all --require-approval never\n"; status != 0 || out != want {
		t.Errorf("exit %d\n%s%s\nwant\n%s", status, out, talk, want)
	}
	out, talk, status = d.call("destroy", "--env", "prod", "--", "--force")
	if want := "with-cdk cdk --no-notices -c environment=prod destroy waggle-prod --force\n"; status != 0 || out != want {
		t.Errorf("exit %d\n%s%s\nwant\n%s", status, out, talk, want)
	}
	if want := "the stack waggle-prod-data stays: the table and the bucket, with all that was recorded; `waggle deploy --env prod` goes on with it\n"; talk != want {
		t.Errorf("it says\n%s\nwant\n%s", talk, want)
	}
	say(filepath.Join(tools, "go"), "#!/bin/sh\nexit 1\n")
	refused("go ended with exit status 1; what it says is above", "deploy", "--env", "prod")
}
