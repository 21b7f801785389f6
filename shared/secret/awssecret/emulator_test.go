//go:build aws

package awssecret_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"waggle/localstack/emulator"
	"waggle/shared/fault"
	"waggle/shared/secret"
)

// ministack is the emulator of this run.
var ministack *emulator.Emulator

func TestMain(m *testing.M) {
	var err error
	if ministack, err = emulator.MiniStack(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	status := m.Run()
	ministack.Close()
	os.Exit(status)
}

func TestSecretsThatAWSKeepsAreRead(t *testing.T) {
	t.Parallel()
	cfg := configuration(ministack.Endpoint)
	parameters, secrets := ssm.NewFromConfig(cfg), secretsmanager.NewFromConfig(cfg)
	for name, value := range map[string]string{"/waggle/test/slack": "https://hooks.example.com/services/one\n", "/waggle/test/empty": " "} {
		if _, err := parameters.PutParameter(t.Context(), &ssm.PutParameterInput{Name: &name, Value: &value, Type: types.ParameterTypeSecureString}); err != nil {
			t.Fatal(err)
		}
	}
	for name, value := range map[string]string{"waggle/plain": "pass", "waggle/smtp": `{"user":"waggle","password":"p#1","port":587}`} {
		if _, err := secrets.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: &name, SecretString: &value}); err != nil {
			t.Fatal(err)
		}
	}
	doomed, err := secrets.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: aws.String("waggle/doomed"), SecretString: aws.String("x")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := secrets.DeleteSecret(t.Context(), &secretsmanager.DeleteSecretInput{SecretId: doomed.ARN, RecoveryWindowInDays: aws.Int64(7)}); err != nil {
		t.Fatal(err)
	}
	for ref, want := range map[secret.Ref]string{
		"ssm:/waggle/test/slack":              "https://hooks.example.com/services/one",
		"secretsmanager:waggle/plain":         "pass",
		"secretsmanager:waggle/smtp#password": "p#1",
		"secretsmanager:waggle/smtp#port":     "587",
	} {
		if v, err := resolve(t.Context(), ministack.Endpoint, ref, nil); err != nil || v.Reveal() != want {
			t.Errorf("%s is %q, %v; want %q", ref, v.Reveal(), err, want)
		}
	}
	for _, ref := range []secret.Ref{"ssm:/waggle/test/none", "ssm:/waggle/test/empty", "ssm:/waggle/test/slack:7", "secretsmanager:none", "secretsmanager:waggle/smtp#none", "secretsmanager:waggle/doomed"} {
		if _, err := resolve(t.Context(), ministack.Endpoint, ref, nil); !errors.Is(err, fault.NotFound) {
			t.Errorf("%s: %v", ref, err)
		} else {
			t.Log(err)
		}
	}
}
