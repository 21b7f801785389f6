//go:build aws

package main

import (
	"context"
	"time"

	"waggle/shared/embedded"
	"waggle/shared/store"
	"waggle/shared/store/dynamodriver"
)

// cloudLease is how long an owner over a network may be silent.
const cloudLease = 60 * time.Second

// stores are those that need a cloud's SDK.
var stores = map[string]func(ctx context.Context, name, home string) (*store.Store, error){"dynamodb": openDynamoDB}

// openDynamoDB opens a table; values too large for it are in the home folder.
func openDynamoDB(ctx context.Context, table, home string) (*store.Store, error) {
	db, err := dynamodriver.Open(ctx, table, &dynamodriver.Options{Indexes: store.Indexes()})
	if err != nil {
		return nil, err
	}
	blobs, err := embedded.Blobs(home)
	if err != nil {
		_ = db.Close()
		return nil, err
	}
	return store.New(db, blobs, &store.Options{Lease: cloudLease}), nil
}
