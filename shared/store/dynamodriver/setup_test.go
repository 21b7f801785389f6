package dynamodriver_test

import (
	"fmt"
	"hash/fnv"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"waggle/shared/store"
)

// indexes are those of the store.
var indexes = store.Indexes()

// connection is for a server on this machine. Nothing comes from the environment.
func connection(endpoint string) *aws.Config {
	return &aws.Config{Region: "us-east-1", BaseEndpoint: &endpoint,
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", "")}
}

// tableOf is a table name for a test.
func tableOf(t testing.TB) string {
	h := fnv.New64a()
	_, _ = h.Write([]byte(t.Name()))
	return fmt.Sprintf("waggle-%x", h.Sum64())
}
