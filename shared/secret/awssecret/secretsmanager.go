package awssecret

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"waggle/shared/fault"
)

// managed reads the text of a secret by its name or ARN; with "#password" behind it that field of the JSON object that the text
// is, as the console stores keys and values.
func managed(ctx context.Context, client *secretsmanager.Client, name string) (string, error) {
	id, key, picks := strings.Cut(name, "#")
	out, err := client.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &id})
	var none *types.ResourceNotFoundException
	var marked *types.InvalidRequestException
	switch {
	case errors.As(err, &none):
		return "", fault.New(fault.NotFound, "there is no such secret").WithHint("store it in Secrets Manager, in the region of this program")
	case errors.As(err, &marked):
		return "", fault.New(fault.NotFound, "the secret cannot be read: %s", marked.ErrorMessage()).WithHint("restore it in Secrets Manager, or store another")
	case err != nil:
		return "", &refusal{action: "secretsmanager:GetSecretValue", err: err}
	case out.SecretString == nil:
		return "", fault.New(fault.Invalid, "the secret is bytes").WithHint("store it as text")
	case !picks:
		return *out.SecretString, nil
	}
	return field(*out.SecretString, key)
}

// field picks a field of a JSON object: a text, a number or a truth value. What the object holds is never in the error.
func field(text, key string) (string, error) {
	var object map[string]json.RawMessage
	if err := json.Unmarshal([]byte(text), &object); err != nil || object == nil {
		return "", fault.New(fault.Invalid, "the secret is no JSON object, so it has no field %q", key).WithHint("leave out #%s, or store keys and values", key)
	}
	raw, ok := object[key]
	if !ok || string(raw) == "null" {
		return "", fault.New(fault.NotFound, "the secret has no field %q", key).WithHint("add it in Secrets Manager")
	}
	var plain string
	if json.Unmarshal(raw, &plain) == nil {
		return plain, nil
	}
	if raw[0] == '{' || raw[0] == '[' {
		return "", fault.New(fault.Invalid, "the field %q of the secret is no text", key)
	}
	return string(raw), nil
}

func blank(text string) bool { return strings.TrimSpace(text) == "" }
