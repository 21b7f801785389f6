//go:build aws

package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"

	"waggle/shared/embedded"
	"waggle/shared/fault"
	"waggle/shared/store"
	"waggle/shared/store/dynamodriver"
)

// cloudLease is how long an owner over a network may be silent.
const cloudLease = 60 * time.Second

// What needs a cloud's SDK.
var (
	stores   = map[string]func(ctx context.Context, name, home string) (*store.Store, error){"dynamodb": openDynamoDB}
	deployed = openDeployment
	examine  = doctor
)

// openDynamoDB opens a table; values too large for it are in the home folder.
func openDynamoDB(ctx context.Context, table, home string) (*store.Store, error) {
	db, err := openTable(ctx, table, nil)
	if err != nil {
		return nil, err
	}
	blobs, err := embedded.Blobs(home)
	if err != nil {
		_ = db.Close()
		return nil, err
	}
	return store.New(db, blobs, &store.Options{Lease: cloudLease, Now: db.Now, PaidBySize: true}), nil
}

// openTable opens a table, and tells of a clock that is off. A nil config is what the environment says.
func openTable(ctx context.Context, table string, cfg *aws.Config) (*dynamodriver.Driver, error) {
	db, err := dynamodriver.Open(ctx, table, &dynamodriver.Options{Indexes: store.Indexes(), Config: cfg})
	if err != nil {
		return nil, err
	}
	if skew := db.Skew(); skew.Abs() > time.Minute {
		fmt.Fprintf(os.Stderr, "waggle: warning: the clock of this machine is %s off, so DynamoDB's is used; set it\n", skew.Abs().Round(time.Second))
	}
	return db, nil
}

// loadConfig reads what environment, shared files and role say of AWS.
func loadConfig(ctx context.Context) (aws.Config, error) {
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return cfg, fault.New(fault.Invalid, "read the AWS settings: %w", err).WithHint("look at AWS_PROFILE and the files in ~/.aws")
	}
	return cfg, nil
}
