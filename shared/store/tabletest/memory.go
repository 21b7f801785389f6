//go:build !dynamodb

package tabletest

import "testing"

// Remote reports whether tables are in DynamoDB.
func Remote() bool { return false }

func remote(testing.TB, *Options) Table { return nil }
