//go:build dynamodb && aws

package main_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"waggle/localstack/emulator"
	"waggle/shared/store"
	"waggle/shared/store/dynamodriver"
)

// TestTheCommandsWorkOverDynamoDB runs the gallery over a table of DynamoDB Local and reads its record back.
func TestTheCommandsWorkOverDynamoDB(t *testing.T) {
	dir := t.TempDir()
	program := filepath.Join(dir, "waggle")
	build := exec.Command("go", "build", "-trimpath", "-tags", "aws", "-o", program, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	jar, err := emulator.FindJar()
	if err != nil {
		t.Fatal(err)
	}
	local, err := emulator.DynamoDBLocal(context.Background(), jar)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(local.Close)
	config := &aws.Config{Region: "us-east-1", BaseEndpoint: &local.Endpoint, Credentials: credentials.NewStaticCredentialsProvider("test", "test", "")}
	if err := dynamodriver.Create(t.Context(), "waggle", &dynamodriver.Options{Indexes: store.Indexes(), Config: config}); err != nil {
		t.Fatal(err)
	}

	call := func(address string, args ...string) (string, error) {
		cmd := exec.Command(program, append(args, "--store", address)...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "AWS_ENDPOINT_URL="+local.Endpoint, "AWS_REGION=us-east-1", "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test")
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"run", "gallery"}, "SUCCESS gallery: 11 assets, 4 of 5 checks passed"},
		{[]string{"runs"}, "SUCCESS"},
		{[]string{"runs", "show", "LAST"}, "sales_transform"},
		{[]string{"runs", "logs", "LAST"}, "RUN_SUCCESS"},
		{[]string{"assets"}, "artworks_output"},
		{[]string{"assets", "show", "sales_output"}, "filter_threshold"},
		{[]string{"checks"}, "PASSED"},
		{[]string{"monitor", "--once"}, ""},
		{[]string{"run", "--select", "sales_output"}, "SUCCESS"},
	} {
		if out, err := call("dynamodb:waggle", c.args...); err != nil || !strings.Contains(out, c.want) {
			t.Errorf("waggle %s: %v\n%s", strings.Join(c.args, " "), err, out)
		}
	}
	if out, err := call("dynamodb:elsewhere", "runs"); err == nil || !strings.Contains(out, "elsewhere") {
		t.Errorf("a table that is missing: %v\n%s", err, out)
	} else {
		t.Logf("a table that is missing: %s", out)
	}
}
